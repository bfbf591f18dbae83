import { SERVER_ENTRY } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { get, load } from '../support/load.mjs';
import { withUnknownKey } from '../support/tokens.mjs';

/** Every so many requests one is a good token. */
const GOOD_EVERY = 20;
/** jose's, and this package's default. */
const COOLDOWN_SECONDS = 30;

/** Random key ids against warm keys, good tokens in between: how often the keys are fetched. */
export async function unknownKeys({ server, tokens, settings }) {
  const { issuer, jwksUri } = server;
  const child = await Child.start(SERVER_ENTRY, { subject: 'guard', platform: 'express', issuer, jwksUri });
  try {
    const good = (index) => get('/notes', tokens[index % tokens.length]);
    await load({ port: child.ready.port, request: good, count: 50, expected: () => 200 });
    server.resetCounters();
    const hostile = Array.from({ length: settings.unknownKeyIds }, () =>
      get('/notes', withUnknownKey(server)),
    );
    const result = await load({
      port: child.ready.port,
      request: (index) => (index % GOOD_EVERY === 0 ? good(index) : hostile[index % hostile.length]),
      expected: (index) => (index % GOOD_EVERY === 0 ? 200 : 401),
      count: hostile.length,
      durationMs: 60_000,
    });
    const allowed = Math.ceil(result.seconds / COOLDOWN_SECONDS);
    return { fetches: server.counters.keys, allowed, ...result };
  } finally {
    await child.stop();
  }
}
