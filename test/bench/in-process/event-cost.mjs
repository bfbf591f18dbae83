import { McpAuthEvents } from 'nestjs-mcp-auth';
import { median } from '../support/statistics.mjs';
import { RESOURCE, SCOPE } from '../support/tokens.mjs';
import { guardedController, makeApp } from './app.mjs';
import { guardCall } from './calls.mjs';
import { microsEach } from './timing.mjs';

/** Until the compiler has seen all: an event is smaller than what surrounds it. */
const WARM_CALLS = 30_000;

/** A tool call, as the body parser has left it: another each time. */
const toolCall = (id) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'list_notes', arguments: { page: 1 } },
});

/**
 * What an event costs: microseconds that a listener of `access_granted` adds to a tool call with a token seen before, and
 * those that a listener of another type adds. Applications without a listener, with one, and with the other take turns.
 */
export async function eventCost({ issuer }, { token, rounds, calls }) {
  const silent = await subject(issuer);
  const heard = await subject(issuer, 'access_granted');
  const other = await subject(issuer, 'keys_refreshed');
  const tokens = new Array(calls).fill(token);
  const warm = new Array(WARM_CALLS).fill(token);
  for (const each of [silent, heard, other]) await microsEach(each.call, warm);
  const figures = { silent: [], heard: [], other: [] };
  const added = { heard: [], other: [] };
  for (let round = 0; round < rounds; round++) {
    const times = { silent: 0, heard: 0, other: 0 };
    for (const [name, each] of inTurn(round, { silent, heard, other }))
      times[name] = await microsEach(each.call, tokens);
    for (const name of Object.keys(times)) figures[name].push(times[name]);
    added.heard.push(times.heard - times.silent);
    added.other.push(times.other - times.silent);
  }
  if (heard.count() !== WARM_CALLS + calls * rounds) throw new Error(`${heard.count()} events were heard`);
  return {
    silent: median(figures.silent),
    heard: median(figures.heard),
    addedByListener: median(added.heard),
    addedByOther: median(added.other),
  };
}

async function subject(issuer, type) {
  const controller = guardedController();
  const resource = {
    resource: RESOURCE,
    authorizationServers: [{ issuer, type: 'oauth' }],
    requiredScopes: [SCOPE],
  };
  const app = await makeApp(resource, [controller]);
  let count = 0;
  if (type !== undefined) app.get(McpAuthEvents, { strict: false }).on(type, () => (count += 1));
  return { call: guardCall(app, controller, toolCall), count: () => count };
}

/** Another one begins in each round. */
function inTurn(round, subjects) {
  const all = Object.entries(subjects);
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}
