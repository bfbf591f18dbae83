import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { Controller, Get, Logger, type LoggerService, UseGuards } from '@nestjs/common';
import { describe, expect } from 'vitest';
import { BearerAuthGuard, McpAuthEvents, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { PLATFORMS, type RunningApp, startApp } from '../../fixtures/app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const requests = new AsyncLocalStorage<IncomingMessage['headers']>();

interface Line {
  readonly context: unknown;
  readonly text: string;
  /** Of the request whose async context the line was written in. */
  readonly headers: IncomingMessage['headers'] | undefined;
}

/** Adds the request to each line, as nestjs-pino does. */
class RequestBoundLogger implements LoggerService {
  readonly lines: Line[] = [];
  readonly log = this.keep.bind(this);
  readonly warn = this.keep.bind(this);
  readonly error = this.keep.bind(this);
  readonly debug = this.keep.bind(this);

  /** Those that the package wrote of requests. */
  ofPackage(): Line[] {
    return this.lines.filter(({ context }) => context === 'McpAuth');
  }

  private keep(text: unknown, ...rest: unknown[]): void {
    this.lines.push({ text: String(text), context: rest.at(-1), headers: requests.getStore() });
  }
}

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  private readonly logger = new Logger('Notes');

  @Get()
  list() {
    this.logger.log('listed');
    return 'notes';
  }
}

describe.each(PLATFORMS)('a logger that adds the request to each line, on %s', (platform) => {
  const started = async (
    options: (as: TestAuthorizationServer) => Partial<McpAuthModuleOptions>,
  ): Promise<{ app: RunningApp; as: TestAuthorizationServer; log: RequestBoundLogger }> => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const log = new RequestBoundLogger();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const app = closeAfterTest(
      await startApp(
        { resources, ...options(as) },
        {
          controllers: [NotesController],
          log,
          prepare: (nest) => {
            nest.use((request: IncomingMessage, _: unknown, next: () => void) => {
              requests.run(request.headers, next);
            });
          },
          platform,
        },
      ),
    );
    log.lines.length = 0;
    return { app, as, log };
  };

  const ask = (app: RunningApp, token: string) =>
    app.send('/notes', { headers: { authorization: `Bearer ${token}` } });

  /** Expects lines with these texts, none of them of a request. */
  const expectFree = (log: RequestBoundLogger, ...texts: string[]): void => {
    const lines = log.ofPackage();
    for (const text of texts)
      expect(lines.map((line) => line.text)).toContainEqual(expect.stringContaining(text));
    expect(lines.filter(({ headers }) => headers !== undefined)).toEqual([]);
  };

  verifies(
    'WAY-25',
    'adds none to the lines of the package, and the right one to those of the application',
    async () => {
      const { app, as, log } = await started(() => ({
        onUnauthorized: () => {
          throw new Error('of the application');
        },
      }));
      const events = app.app.get(McpAuthEvents);
      events.on('access_denied', () => {
        throw new Error('of the application');
      });
      const good = await as.issueToken({ audience: NOTES, sub: 'alice' });
      const bad = await as.issueToken({ audience: `${NOTES}2`, sub: 'bob' });
      const answers = await Promise.all([ask(app, good), ask(app, bad)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 401]);
      expectFree(
        log,
        'Rejected a request for',
        'A listener of McpAuthEvents threw Error',
        'the option "onUnauthorized" threw Error',
      );
      expect(log.lines.filter(({ context }) => context === 'Notes')).toEqual([
        expect.objectContaining({ headers: expect.objectContaining({ authorization: `Bearer ${good}` }) }),
      ]);
    },
  );

  verifies('WAY-25', 'adds none to a line of a fault, nor of keys that cannot be fetched', async () => {
    const faulty = await started(() => ({
      verifier: () => {
        throw new Error('of the application');
      },
    }));
    expect((await ask(faulty.app, 'token')).status).toBe(500);
    expectFree(faulty.log, 'Answered 500 for');

    const { app, as, log } = await started(() => ({}));
    as.fail('jwks', { status: 500 });
    expect((await ask(app, await as.issueToken({ audience: NOTES }))).status).toBe(503);
    expectFree(log, 'Answered 503 for');
  });

  verifies('WAY-25', 'adds none to a line of discovery that a request makes due', async () => {
    const { app, as, log } = await started(() => ({ discovery: 'lazy' }));
    as.fail('metadata', { status: 500 });
    expect((await ask(app, await as.issueToken({ audience: NOTES }))).status).toBe(503);
    expectFree(log, 'answered 500');
  });

  verifies('WAY-25', 'adds none where early authentication rejects', async () => {
    const { app, as, log } = await started(() => ({ earlyAuthentication: true }));
    expect((await ask(app, await as.issueToken({ audience: `${NOTES}2` }))).status).toBe(401);
    expectFree(log, 'Rejected a request for');
  });
});
