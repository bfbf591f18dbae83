import { SERVER_ENTRY } from '../subjects/list.mjs';
import { Child } from '../support/child.mjs';
import { get, load } from '../support/load.mjs';

const REQUESTS = 500;
/** One after another: concurrent ones share a fetch in every library. */
const CONNECTIONS = 1;
/** Past the age at which jose, and this package by default, want keys anew: 600 s. */
const PAST_KEY_AGE_MS = 660_000;

/** 500 requests while the authorization server is down and no keys were ever had. */
export function coldOutage(subject, { server, tokens }) {
  return withSubject(subject, server, async (child) => {
    server.state = 'down';
    return await distinct(child, server, { tokens, expected: 503 });
  });
}

/** 500 requests while the authorization server is down and the keys that were had are too old. */
export function warmOutage(subject, { server, tokens }) {
  return withSubject(subject, server, async (child) => {
    const first = (index) => get('/notes', tokens[index]);
    await load({ port: child.ready.port, request: first, count: 20, connections: 1, expected: () => 200 });
    server.state = 'down';
    await child.call('moveClock', PAST_KEY_AGE_MS);
    return await distinct(child, server, { tokens: tokens.slice(20), expected: 200 });
  });
}

async function withSubject(subject, server, run) {
  const { issuer, jwksUri } = server;
  const child = await Child.start(SERVER_ENTRY, { subject, platform: 'express', issuer, jwksUri });
  try {
    return await run(child);
  } finally {
    server.state = 'up';
    await child.stop();
  }
}

/** A token that was never seen for each request, so that no cache of tokens answers in place of keys. */
async function distinct(child, server, { tokens, expected }) {
  server.resetCounters();
  const result = await load({
    port: child.ready.port,
    connections: CONNECTIONS,
    request: (index) => get('/notes', tokens[index % tokens.length]),
    expected: () => expected,
    count: REQUESTS,
    durationMs: 30_000,
  });
  return { fetches: server.counters.keys, ...result };
}
