import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TokenVerifier } from 'nestjs-mcp-auth';
import { createApp, PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { gone } from '../../fixtures/living-app.js';
import { type Mounting, MOUNTINGS } from '../../fixtures/mountings.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { type Caller, ran } from '../../fixtures/who.controller.js';
import { printMatrix } from '../../fixtures/matrix.js';
import { verifies } from '../../verifies.js';

/** A clock that stands still: one second makes the difference. */
const NOW = Math.floor(Date.now() / 1000);

const BAD_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  body: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};

interface Outcome {
  readonly name: string;
  /** The values of the Authorization lines. */
  authorization(): Promise<string[]>;
  /** How often a verifier is asked. */
  readonly verified: number;
  readonly status: number;
  readonly challenge?: string;
  /** Of a rejection. */
  readonly body?: object;
}

let as: LoopbackAuthorizationServer;
/** Its keys have never been fetched, and cannot be. */
let down: LoopbackAuthorizationServer;

const token = (claims: object = {}, from = as): Promise<string> =>
  from.token({ aud: NOTES, scope: 'notes:read', iat: NOW - 60, exp: NOW + 1, ...claims });
const bearer = async (...claims: Parameters<typeof token>): Promise<string[]> => [
  `Bearer ${await token(...claims)}`,
];

const OUTCOMES: readonly Outcome[] = [
  { name: 'good token', authorization: () => bearer(), verified: 1, status: 200 },
  {
    name: 'no token',
    authorization: async () => [],
    verified: 0,
    status: 401,
    challenge: `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
    body: { error: 'missing_token', error_description: 'Send an access token: Authorization: Bearer TOKEN' },
  },
  {
    name: 'wrong audience',
    authorization: () => bearer({ aud: NOTES.replace('notes', 'Notes') }),
    verified: 1,
    ...BAD_TOKEN,
  },
  { name: 'expired', authorization: () => bearer({ exp: NOW }), verified: 1, ...BAD_TOKEN },
  {
    name: 'lacks scope',
    authorization: () => bearer({ scope: 'notes:rea' }),
    verified: 1,
    status: 403,
    challenge: `Bearer error="insufficient_scope", scope="notes:read", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
    body: {
      error: 'insufficient_scope',
      error_description: 'The access token does not grant what this operation needs',
    },
  },
  {
    name: 'two tokens',
    authorization: async () => [...(await bearer()), ...(await bearer())],
    verified: 0,
    status: 400,
    challenge: `Bearer error="invalid_request", resource_metadata="${NOTES_METADATA}", error_description="The request carries more than one credential"`,
    body: { error: 'invalid_request', error_description: 'The request carries more than one credential' },
  },
  {
    name: 'server down',
    authorization: () => bearer({}, down),
    verified: 1,
    status: 503,
    body: {
      error: 'temporarily_unavailable',
      error_description: 'The access token cannot be checked at the moment; try again later',
    },
  },
];

/** What was proven: a row for each platform and way, a column for each outcome. */
const matrix = new Map<string, Map<string, 'ok'>>();
const rows = PLATFORMS.flatMap((platform) => MOUNTINGS.map(({ way }) => `${platform}: ${way}`));

const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } };

function callerOf(answer: HttpAnswer, isTool = false): Caller {
  if (!isTool) return answer.json as Caller;
  const { result } = answer.json as { result: { content: { text: string }[] } };
  return JSON.parse(result.content[0]!.text) as Caller;
}

/** Counts what a verifier is asked, which it answers as ever. */
function countVerifications(app: RunningApp): { count: number } {
  const asked = { count: 0 };
  const verifier = app.app.get(TokenVerifier, { strict: false });
  const verify = verifier.verify.bind(verifier);
  verifier.verify = (...query) => {
    asked.count += 1;
    return verify(...query);
  };
  return asked;
}

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
  down = await LoopbackAuthorizationServer.start();
  down.at('/jwks', gone);
});

afterAll(async () => {
  await as.close();
  await down.close();
});

function startMounted(
  { options, parts, prepare }: Mounting,
  platform: (typeof PLATFORMS)[number],
): Promise<RunningApp> {
  return createApp(
    {
      resources: {
        resource: NOTES,
        authorizationServers: [as.issuer, down.issuer],
        requiredScopes: ['notes:read'],
      },
      now: () => new Date(NOW * 1000),
      clockToleranceSeconds: 0,
      tokenCache: false,
      ...options,
    },
    { ...parts(), platform, prepare: (app) => prepare?.(app, platform) },
  );
}

describe.each(PLATFORMS)('on %s', (platform) => {
  describe.each(MOUNTINGS.map((each) => [each.way, each] as const))('%s', (_, mounting) => {
    let app: RunningApp;
    let asked: { count: number };

    beforeAll(async () => {
      app = await startMounted(mounting, platform);
      asked = countVerifications(app);
    });

    afterAll(() => app.close());

    beforeEach(() => {
      ran.count = 0;
      asked.count = 0;
    });

    for (const outcome of OUTCOMES) {
      verifies(['F108', 'CHL-01'], outcome.name, async () => {
        const answer = await app.send('/notes', {
          method: 'POST',
          headers: { authorization: await outcome.authorization() },
          body: mounting.isTool ? CALL : {},
        });
        const { status, challenge, verified } = outcome;
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([status, challenge]);
        expect(asked.count).toBe(verified);
        expect(ran.count).toBe(status === 200 ? 1 : 0);
        if (status === 200) expect(callerOf(answer, mounting.isTool)).toEqual({ auth: 'u1', context: 'u1' });
        else {
          expect(answer.json).toEqual(outcome.body);
          expect(answer.headers['content-type']).toMatch(/^application\/json/);
          expect(answer.headers['cache-control']).toBe('no-store');
        }
        const row = `${platform}: ${mounting.way}`;
        matrix.set(row, (matrix.get(row) ?? new Map<string, 'ok'>()).set(outcome.name, 'ok'));
      });
    }
  });
});

describe('the matrix of ways and outcomes', () => {
  const columns = OUTCOMES.map(({ name }) => name);
  const cell = (row: string, column: string): string => matrix.get(row)?.get(column) ?? 'MISSING';

  afterAll(() => {
    printMatrix(rows, columns, cell);
  });

  it('has no empty cell', () => {
    const holes = rows.flatMap((row) =>
      columns.filter((column) => cell(row, column) !== 'ok').map((column) => `${row}, ${column}`),
    );
    expect(holes).toEqual([]);
    expect(rows.length).toBe(PLATFORMS.length * MOUNTINGS.length);
  });
});
