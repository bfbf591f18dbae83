import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Platform, PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import { ran } from '../../fixtures/transport-servers.js';
import {
  clientOf,
  type Operation,
  OPERATIONS,
  startTransport,
  type TransportClient,
} from '../../fixtures/transport-operations.js';
import { type Transport, TRANSPORTS } from '../../fixtures/transports.js';
import { printMatrix } from '../../fixtures/matrix.js';
import { verifies } from '../../verifies.js';

const { insufficientScope } = notesRejections('notes:read');
const BASELINE = 'notes:read';
/** What a token may have without the right to any operation here: other scopes, and token-type-confusion. */
const USELESS =
  'notes:read notes:writ notes:WRITE notes:greeting board note note:readonly notes:* offline_access';
const OLDEST = { 'mcp-protocol-version': '' };

const rowOf = (platform: Platform, { name, era }: Transport): string => `${platform}: ${name}, ${era}`;

/** What was proven: a row for each platform and transport, a column for each operation. */
const matrix = new Map<string, Map<string, string>>();
const rows = PLATFORMS.flatMap((platform) => TRANSPORTS.map((transport) => rowOf(platform, transport)));
const columns = OPERATIONS.map(({ name }) => name);

/** What the challenge names: clients of the newer era keep what they have, others lose what it does not name. */
function challenged({ era, isPlain }: Transport, { needed }: Operation): string {
  return (era === '2026-07-28' && !isPlain ? needed : [BASELINE, ...needed]).join(' ');
}

/** What the client has once it has asked for what the challenge names. */
function steppedUp({ era, isPlain }: Transport, challenge: string): string {
  const scope = / scope="([^"]*)"/.exec(challenge)?.[1] ?? '';
  return era === '2026-07-28' && !isPlain ? `${BASELINE} ${scope}` : scope;
}

/** What becomes of an operation that may run. */
function expectedOf(transport: Transport, { name, runs }: Operation) {
  if (name === 'completion' && transport.completesNothing)
    return { status: transport.era === '2026-07-28' ? 404 : 200, text: /"code":-32601/, ran: [] };
  if (name !== 'notification') return { status: 200, text: /hello|front|note|write|a1/, ran: runs };
  // No server runs a call that nobody waits for; a route does.
  return { status: 202, text: /^$/, ran: transport.isPlain ? ['write'] : [] };
}

describe.each(PLATFORMS)('on %s', (platform) => {
  describe.each(TRANSPORTS.map((each) => [`${each.name}, ${each.era}`, each] as const))(
    '%s',
    (_, transport) => {
      let as: LoopbackAuthorizationServer;
      let app: RunningApp;
      let client: TransportClient;
      const token = (scope: string) => as.token({ aud: NOTES, scope });

      beforeAll(async () => {
        as = await LoopbackAuthorizationServer.start();
        app = await startTransport(as, transport, platform);
        client = await clientOf(app, transport, await token(BASELINE));
      });

      afterAll(async () => {
        await app.close();
        await as.close();
      });

      beforeEach(() => {
        ran.length = 0;
      });

      /** Rejected without its scopes, whatever else is there; runs with those that the challenge names, once. */
      async function expectStepUp(operation: Operation, headers: Record<string, string> = {}): Promise<void> {
        const rejected = insufficientScope(challenged(transport, operation));
        let challenge = '';
        for (const granted of [BASELINE, USELESS]) {
          const answer = await client.ask(await token(granted), operation, headers);
          expect(rejectedAs(answer)).toEqual(rejected);
          expect(answer.headers['content-type']).toMatch(/^application\/json/);
          expect(answer.headers['cache-control']).toBe('no-store');
          challenge = answer.headers['www-authenticate'] ?? '';
        }
        for (const missing of operation.needed) {
          const granted = operation.needed.filter((scope) => scope !== missing);
          const bearer = await token([BASELINE, ...granted].join(' '));
          expect((await client.ask(bearer, operation, headers)).status).toBe(403);
        }
        expect(ran).toEqual([]);
        const bearer = await token(steppedUp(transport, challenge));
        const { status, text } = await client.ask(bearer, operation, headers);
        const expected = expectedOf(transport, operation);
        expect({ status, text, ran: [...ran].sort() }).toEqual({
          ...expected,
          text: expect.stringMatching(expected.text) as string,
        });
      }

      /** Rejected as there are no batches, with good scopes too. */
      async function expectNoBatch(operation: Operation): Promise<void> {
        for (const granted of [BASELINE, [BASELINE, ...operation.needed].join(' ')]) {
          const { status, headers, json } = await client.ask(await token(granted), operation);
          expect({ status, challenge: headers['www-authenticate'], json }).toMatchObject({
            status: 400,
            challenge: undefined,
            json: { jsonrpc: '2.0', id: null, error: { code: -32600 } },
          });
        }
        expect(ran).toEqual([]);
      }

      verifies('EXT-05', 'a client that acts for itself is asked for scopes as a person is', async () => {
        for (const operation of OPERATIONS.filter(({ name }) => name !== 'batch')) {
          const bearer = await as.token({ aud: NOTES, scope: BASELINE, sub: 'c1', client_id: 'c1' });
          expect(rejectedAs(await client.ask(bearer, operation))).toEqual(
            insufficientScope(challenged(transport, operation)),
          );
        }
        expect(ran).toEqual([]);
      });

      const prove = async (operation: Operation): Promise<void> => {
        if (operation.name !== 'batch') return expectStepUp(operation);
        await expectNoBatch(operation);
        if (transport.era === '2025-11-25') await expectStepUp(operation, OLDEST);
      };
      const mark = (operation: Operation, text: string): void => {
        const row = rowOf(platform, transport);
        matrix.set(row, (matrix.get(row) ?? new Map<string, string>()).set(operation.name, text));
      };

      for (const operation of OPERATIONS) {
        verifies(
          ['SCP-01', 'SCP-02', 'SCP-09', 'SCP-13', 'SCP-14', 'SCP-21', 'F70'],
          operation.name,
          async () => {
            await prove(operation);
            mark(operation, 'ok');
          },
        );
      }
    },
  );
});

describe('the matrix of transports and operations', () => {
  const cell = (row: string, column: string): string => matrix.get(row)?.get(column) ?? 'MISSING';

  afterAll(() => {
    printMatrix(rows, columns, cell);
  });

  it('has no empty cell', () => {
    const holes = rows.flatMap((row) =>
      columns.filter((column) => cell(row, column) !== 'ok').map((column) => `${row}, ${column}`),
    );
    expect(holes).toEqual([]);
    expect(rows.length).toBe(PLATFORMS.length * TRANSPORTS.length);
  });
});
