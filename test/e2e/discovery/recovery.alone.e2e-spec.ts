import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import {
  type AuthorizationServerOptions,
  McpAuthDiagnostics,
  type McpAuthEvent,
  McpAuthEvents,
  type McpAuthModuleOptions,
  type McpAuthReport,
} from 'nestjs-mcp-auth';
import { startFailure } from '../../fixtures/app.js';
import type { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { OAUTH, trusting } from '../../fixtures/discovery.js';
import { failing, gone, hits, lastingToken, type LivingApp, startLiving } from '../../fixtures/living-app.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;
let good: string;

beforeEach(async () => {
  // Before the application sets any: they run when a test lets time pass.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  as = await server();
  good = await lastingToken(as);
});

afterEach(() => {
  vi.useRealTimers();
});

/** The server is down as a whole, or back with all that it had. */
function setDown(down: boolean): void {
  as.at(OAUTH, down ? gone : as.metadata());
  as.at('/jwks', down ? gone : { keys: [as.key.publicJwk] });
}

interface Watched extends LivingApp {
  readonly diagnostics: McpAuthDiagnostics;
  readonly events: McpAuthEvent[];
  /** Lets time pass, for the clock and for timers. */
  pass(seconds: number): void;
}

async function startWatched(
  servers: (string | AuthorizationServerOptions)[],
  options: Partial<McpAuthModuleOptions> = {},
): Promise<Watched> {
  const living = await startLiving(servers, options);
  const events: McpAuthEvent[] = [];
  living.app.get(McpAuthEvents, { strict: false }).events$.subscribe((event) => events.push(event));
  return {
    ...living,
    diagnostics: living.app.get(McpAuthDiagnostics, { strict: false }),
    events,
    pass: (seconds) => {
      living.clock.forward(seconds);
      vi.advanceTimersByTime(seconds * 1000);
    },
  };
}

const statusOf = ({ authorizationServers }: McpAuthReport): string | undefined =>
  authorizationServers[0]?.status;

describe('a server that is back', () => {
  verifies('WAY-19', 'is found in the background after it was down at boot, without any token', async () => {
    setDown(true);
    // More than is passed at once below: that would end the attempt that begins meanwhile.
    const options = { onDiscoveryFailure: 'retry', discoveryTimeoutMs: 10_000 } as const;
    const app = await startWatched([as.issuer], options);
    expect(app.log.errors[0]).toContain(
      'The application starts; it asks these servers again until they answer.',
    );
    expect(app.diagnostics.report()).toMatchObject({ isHealthy: false });
    app.pass(4.9);
    expect(hits(as, OAUTH)).toBe(1);
    app.pass(1.4);
    await expect.poll(() => app.events.length).toBe(1);
    expect(app.events).toMatchObject([{ type: 'discovery_failed', what: 'metadata' }]);
    expect([hits(as, OAUTH), app.diagnostics.report().isHealthy]).toEqual([2, false]);
    // Twice the time.
    app.pass(9.9);
    expect(hits(as, OAUTH)).toBe(2);
    setDown(false);
    app.pass(2.6);
    await expect.poll(() => app.diagnostics.report().isHealthy).toBe(true);
    expect(statusOf(app.diagnostics.report())).toBe('up');
    app.pass(600);
    expect([hits(as, OAUTH), hits(as, '/jwks')]).toEqual([3, 0]);
    expect(await app.status(good)).toBe(200);
  });

  verifies('WAY-19', 'is found after the first token of lazy discovery', async () => {
    setDown(true);
    const app = await startWatched([as.issuer], { discovery: 'lazy' });
    app.pass(600);
    expect(as.paths).toEqual([]);
    expect(await app.status(good)).toBe(503);
    setDown(false);
    app.pass(6.3);
    await expect.poll(() => app.diagnostics.report().isHealthy).toBe(true);
    expect(as.paths).toEqual([OAUTH, OAUTH]);
  });

  verifies(
    ['WAY-19', 'WAY-34'],
    'is found after its keys could not be fetched, which the log says',
    async () => {
      as.at('/jwks', failing);
      const app = await startWatched([as.issuer]);
      expect(await app.status(good)).toBe(503);
      const told = (): McpAuthEvent[] => app.events.filter(({ type }) => type === 'discovery_failed');
      const failed = {
        type: 'discovery_failed',
        issuer: as.issuer,
        what: 'keys',
        reason: `DiscoveryError: ${as.origin}/jwks: answered 500`,
      };
      expect(told()).toEqual([failed]);
      // In the pause nothing is asked, so nothing is told.
      expect(await app.status(good)).toBe(503);
      expect(told()).toHaveLength(1);
      expect(statusOf(app.diagnostics.report())).toBe('down');
      app.pass(6.3);
      await expect.poll(told).toEqual([failed, failed]);
      as.at('/jwks', { keys: [as.key.publicJwk] });
      app.pass(12.6);
      await expect.poll(() => statusOf(app.diagnostics.report())).toBe('up');
      expect(hits(as, '/jwks')).toBe(3);
      expect(await app.status(good)).toBe(200);
      expect(hits(as, '/jwks')).toBe(3);
    },
  );

  verifies(
    'WAY-19',
    'is not looked for by an application that has ended, or that does not start',
    async () => {
      setDown(true);
      const app = await startWatched([as.issuer], { onDiscoveryFailure: 'retry' });
      await app.close();
      app.pass(600);
      expect(await startFailure(trusting(as.issuer))).toBeInstanceOf(Error);
      app.pass(600);
      const retrying = { ...trusting(as.issuer), onDiscoveryFailure: 'retry' } as const;
      class Broken {
        onModuleInit(): void {
          throw new Error('of another module');
        }
      }
      const error = await startFailure(retrying, { providers: [Broken] });
      expect(error.message).toBe('of another module');
      app.pass(600);
      expect(hits(as, OAUTH)).toBe(3);
    },
  );
});

describe('a look at the servers', () => {
  verifies('WAY-19', 'finds one that is back, and one that is gone, although no token comes', async () => {
    setDown(true);
    const app = await startWatched([as.issuer], { onDiscoveryFailure: 'retry' });
    const { diagnostics, clock } = app;
    expect(diagnostics.report()).toMatchObject({ isHealthy: false });
    setDown(false);
    clock.forward(5);
    expect(await diagnostics.check()).toMatchObject({
      isHealthy: true,
      authorizationServers: [{ status: 'up', lastFailure: undefined }],
    });
    expect([hits(as, OAUTH), hits(as, '/jwks')]).toEqual([2, 1]);
    // Ages go on between the two.
    const ageless = (report: object): string =>
      JSON.stringify(report, (key, value: unknown) => (key.endsWith('AgeSeconds') ? 0 : value));
    expect(ageless(await diagnostics.check())).toBe(ageless(diagnostics.report()));

    setDown(true);
    clock.forward(5);
    expect(statusOf(diagnostics.report())).toBe('up');
    expect(await diagnostics.check()).toMatchObject({
      isHealthy: true,
      authorizationServers: [{ status: 'stale', lastFailure: expect.stringContaining('cannot be reached') }],
    });
    expect(await app.status(good)).toBe(200);
    clock.forward(3600);
    expect(await diagnostics.check()).toMatchObject({
      isHealthy: false,
      authorizationServers: [{ status: 'down' }],
    });
    // In the pause after a failure too.
    setDown(false);
    clock.forward(5);
    expect(await diagnostics.check()).toMatchObject({ isHealthy: true });
    expect(await app.status(good)).toBe(200);
  });

  verifies('WAY-19', 'is shared by all who look at a time, and not repeated for 5 seconds', async () => {
    const app = await startWatched([as.issuer]);
    const { diagnostics, clock } = app;
    const count = (): number[] => [hits(as, OAUTH), hits(as, '/jwks')];
    clock.forward(5);
    const reports = await Promise.all(Array.from({ length: 50 }, () => diagnostics.check()));
    expect(new Set(reports).size).toBe(1);
    expect(count()).toEqual([2, 1]);
    for (let time = 0; time < 5; time += 1) await diagnostics.check();
    expect(count()).toEqual([2, 1]);
    clock.forward(5);
    await diagnostics.check();
    expect(count()).toEqual([3, 2]);
    setDown(true);
    clock.forward(5);
    for (let time = 0; time < 5; time += 1) await diagnostics.check();
    expect(count()).toEqual([4, 3]);
  });

  verifies('WAY-19', 'fetches what is used, and nothing that is given by hand', async () => {
    const other = await server('/other');
    const introspection = { clientId: 'c', clientSecret: 's', endpoint: `${other.origin}/introspect` };
    const app = await startWatched([
      { metadata: { ...as.metadata(), issuer: as.issuer }, mcpCompliance: 'off' },
      { issuer: other.issuer, mode: 'introspection', introspection },
    ]);
    as.requests.length = 0;
    other.requests.length = 0;
    app.clock.forward(5);
    expect(await app.diagnostics.check()).toMatchObject({ isHealthy: true });
    expect([as.paths, other.paths]).toEqual([['/jwks'], [`${OAUTH}/other`]]);
  });
});
