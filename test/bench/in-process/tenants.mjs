import { setImmediate as nextTurn } from 'node:timers/promises';
import process from 'node:process';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import { median } from '../support/statistics.mjs';
import { guardedController, makeApp } from './app.mjs';
import { contextOf } from './calls.mjs';
import { microsEach } from './timing.mjs';

const WARM_ROUNDS = 6;
const LOOKUP_ROUNDS = 9;
const LOOKUP_CALLS = 500;

const ORIGIN = 'https://api.example.com';
const pathOf = (number) => `/t/t${number}/notes`;

/**
 * Heap of each tenant that is known, with an authorization server of its own of which nothing is fetched yet, and how a lookup
 * grows with their number.
 */
export async function manyTenants({ issuer, count, tokens }) {
  const controller = guardedController();
  const one = await known(issuer, 1, controller);
  const before = await heapUsed();
  const many = await known(issuer, count, controller);
  const bytesEach = ((await heapUsed()) - before) / count;
  const micros = { one: [], first: [], last: [] };
  const [first, last] = tokens;
  const timed = {
    one: () => microsEach(one.callAt(0), new Array(LOOKUP_CALLS).fill(first)),
    first: () => microsEach(many.callAt(0), new Array(LOOKUP_CALLS).fill(first)),
    last: () => microsEach(many.callAt(count - 1), new Array(LOOKUP_CALLS).fill(last)),
  };
  for (let round = -WARM_ROUNDS; round < LOOKUP_ROUNDS; round++) {
    for (const [name, time] of Object.entries(timed)) {
      const each = await time();
      if (round >= 0) micros[name].push(each);
    }
  }
  await Promise.all([one.app.close(), many.app.close()]);
  return {
    count,
    bytesEach,
    one: median(micros.one),
    first: median(micros.first),
    last: median(micros.last),
  };
}

/** An application that knows so many tenants. */
async function known(issuer, count, controller) {
  const tenants = (tenant) => ({
    authorizationServers: [{ issuer: `${issuer}/t/${tenant.slice(1)}`, type: 'oauth' }],
  });
  const app = await makeApp({ resource: `${ORIGIN}/t/{tenant}/notes`, tenants }, []);
  const guard = app.get(BearerAuthGuard, { strict: false });
  const callAt = (number) => async (token) => {
    if ((await guard.canActivate(contextOf(requestAt(pathOf(number), token), controller))) !== true)
      throw new Error('rejected');
  };
  for (let number = 0; number < count; number++) await callAt(number)(undefined).catch(() => undefined);
  return { app, callAt };
}

function requestAt(url, token) {
  const headers = { host: 'api.example.com', ...(token && { authorization: `Bearer ${token}` }) };
  const rawHeaders = Object.entries(headers).flat();
  return { method: 'GET', body: undefined, url, originalUrl: url, headers, rawHeaders };
}

async function heapUsed() {
  for (let pass = 0; pass < 4; pass++) {
    globalThis.gc();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

/** The claims of the token for a tenant by number. */
export function claimsOfTenant(issuer, number) {
  return { iss: `${issuer}/t/${number}`, aud: ORIGIN + pathOf(number) };
}
