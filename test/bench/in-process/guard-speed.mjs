import { createRemoteJWKSet, jwtVerify } from 'jose';
import { leastGuard } from '../subjects/least.guard.mjs';
import { mcpAuth } from '../subjects/peers.mjs';
import { median } from '../support/statistics.mjs';
import { RESOURCE, SCOPE } from '../support/tokens.mjs';
import { guardedController, makeApp } from './app.mjs';
import { callOf, guardCall, middlewareCall } from './calls.mjs';
import { microsEach, microsInFlight } from './timing.mjs';

const IN_FLIGHT = 8;
const FIRST_SIGHT_CHUNK = 50;

/** What is measured here stands in one process, with no HTTP before it. */
export async function prepare({ issuer, jwksUri }) {
  const controller = guardedController();
  const resource = {
    resource: RESOURCE,
    authorizationServers: [{ issuer, type: 'oauth' }],
    requiredScopes: [SCOPE],
  };
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return {
    guard: guardCall(await makeApp(resource, [controller]), controller),
    least: callOf(leastGuard({ issuer, jwksUri }), controller),
    mcpAuth: middlewareCall(await mcpAuth({ issuer })),
    jwtVerify: (token) => jwtVerify(token, keys, { issuer, audience: RESOURCE, algorithms: ['RS256'] }),
  };
}

/** A token seen before: microseconds per call of guard, mcp-auth and the least guard that keeps tokens, by turns. */
export async function hotToken({ guard, least, mcpAuth }, { token, rounds, calls }) {
  const same = (count) => new Array(count).fill(token);
  await microsEach(guard, same(calls));
  await microsEach(least, same(calls));
  await microsEach(mcpAuth, same(calls >> 2));
  const figures = { guard: [], least: [], mcpAuth: [], guardInFlight: [], mcpAuthInFlight: [] };
  for (let round = 0; round < rounds; round++) {
    figures.guard.push(await microsEach(guard, same(calls)));
    figures.least.push(await microsEach(least, same(calls)));
    figures.mcpAuth.push(await microsEach(mcpAuth, same(calls >> 2)));
    figures.guardInFlight.push(await microsInFlight(guard, same(calls), IN_FLIGHT));
    figures.mcpAuthInFlight.push(await microsInFlight(mcpAuth, same(calls >> 2), IN_FLIGHT));
  }
  return medians(figures);
}

/**
 * Tokens never seen before, warm keys: guard, bare `jwtVerify` and the least guard that keeps tokens, a chunk each by turns, the
 * same tokens. Half of them one after another, half with several in flight.
 */
export async function firstSight(subjects, { tokens }) {
  const half = tokens.length >> 1;
  return {
    ...(await byTurns(subjects, tokens.slice(0, half), microsEach)),
    inFlight: await byTurns(subjects, tokens.slice(half), (call, chunk) =>
      microsInFlight(call, chunk, IN_FLIGHT),
    ),
  };
}

async function byTurns({ guard, least, jwtVerify: bare }, tokens, time) {
  const figures = { guard: [], bare: [], ratio: [], leastRatio: [] };
  for (let begin = 0; begin + FIRST_SIGHT_CHUNK <= tokens.length; begin += FIRST_SIGHT_CHUNK) {
    const chunk = tokens.slice(begin, begin + FIRST_SIGHT_CHUNK);
    const isBareFirst = (begin / FIRST_SIGHT_CHUNK) % 2 === 0;
    const earlier = isBareFirst ? await time(bare, chunk) : undefined;
    const own = await time(guard, chunk);
    const baseline = earlier ?? (await time(bare, chunk));
    const floor = await time(least, chunk);
    // The first half lets the compiler see both.
    if (begin < tokens.length / 2) continue;
    figures.guard.push(own);
    figures.bare.push(baseline);
    figures.ratio.push(own / baseline);
    figures.leastRatio.push(floor / baseline);
  }
  return medians(figures);
}

function medians(figures) {
  return Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, median(values)]));
}
