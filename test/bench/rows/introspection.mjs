import { SERVER_ENTRY } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { get, load } from '../support/load.mjs';
import { claims } from '../support/tokens.mjs';

const CONCURRENT = 100;
const WARM_UP = 200;
const OPAQUE = 'an-opaque-token-that-says-nothing';

/** Long enough for all requests to be there before the first answer is. */
const ANSWER_MS = 250;

/**
 * 100 requests with one opaque token at once, while introspection takes its time.
 *
 * @returns what was counted, or `{ failure }` when the package knows no introspection
 */
export async function introspection({ server }) {
  const { issuer, jwksUri } = server;
  const options = { introspection: { clientId: 'bench', clientSecret: 'not-a-secret' } };
  let child;
  try {
    child = await Child.start(SERVER_ENTRY, {
      subject: 'guard',
      platform: 'express',
      issuer,
      jwksUri,
      server: options,
    });
  } catch (error) {
    return { failure: error.message };
  }
  try {
    server.introspected = claims(issuer);
    const plan = { port: child.ready.port, expected: () => 200, durationMs: 10_000 };
    await load({ ...plan, count: WARM_UP, request: (index) => get('/notes', `${OPAQUE}-${index}`) });
    server.introspectionDelayMs = ANSWER_MS;
    server.resetCounters();
    const request = () => get('/notes', OPAQUE);
    const result = await load({ ...plan, connections: CONCURRENT, count: CONCURRENT, request });
    return { calls: server.counters.introspection, ...result };
  } finally {
    await child.stop();
  }
}
