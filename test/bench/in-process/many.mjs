import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { median } from '../support/statistics.mjs';
import { guardedController, makeApp } from './app.mjs';
import { guardCall } from './calls.mjs';
import { microsEach } from './timing.mjs';

const WARM_ROUNDS = 6;
const LOOKUP_ROUNDS = 9;
const LOOKUP_CALLS = 500;

/** Longer than Node keeps connections that are not used: they belong to no resource. */
const CONNECTIONS_MS = 6_000;

const resourceOf = (number) => `https://api.example.com/r/${number}`;

function resources(issuer, count) {
  return Array.from({ length: count }, (_, index) => ({
    resource: resourceOf(index),
    authorizationServers: [{ issuer: `${issuer}/t/${index}`, type: 'oauth' }],
  }));
}

/** How long an application with so many issuers takes to start, in milliseconds. */
export async function startTime({ issuer, count }) {
  const begin = performance.now();
  const app = await makeApp(resources(issuer, count), []);
  const ms = performance.now() - begin;
  await app.close();
  return ms;
}

/** Heap of each resource with its issuer and warm keys, and how a lookup grows with their number. */
export async function manyResources({ issuer, tokens }) {
  const count = tokens.length;
  const controllers = tokens.map((_, index) => guardedController(resourceOf(index)));
  const one = await warmed(issuer, tokens.slice(0, 1), controllers);
  const before = await heapUsed();
  const many = await warmed(issuer, tokens, controllers);
  await delay(CONNECTIONS_MS);
  const bytesEach = ((await heapUsed()) - before) / count;
  const micros = { one: [], first: [], last: [] };
  const timed = {
    one: () => microsEach(one.calls[0], new Array(LOOKUP_CALLS).fill(tokens[0])),
    first: () => microsEach(many.calls[0], new Array(LOOKUP_CALLS).fill(tokens[0])),
    last: () => microsEach(many.calls[count - 1], new Array(LOOKUP_CALLS).fill(tokens[count - 1])),
  };
  // So much garbage collection has thrown compiled code away.
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

/** An application with a resource for each token, each of which it has admitted once. */
async function warmed(issuer, tokens, controllers) {
  const app = await makeApp(resources(issuer, tokens.length), []);
  const calls = tokens.map((_, index) => guardCall(app, controllers[index]));
  for (const [index, token] of tokens.entries()) await calls[index](token);
  return { app, calls };
}

async function heapUsed() {
  for (let pass = 0; pass < 4; pass++) {
    globalThis.gc();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

/** The claims of the token for a resource by number. */
export function claimsFor(issuer, number) {
  return { iss: `${issuer}/t/${number}`, aud: resourceOf(number) };
}
