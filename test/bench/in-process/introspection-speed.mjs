import * as oauth from 'oauth4webapi';
import { median } from '../support/statistics.mjs';
import { RESOURCE, SCOPE } from '../support/tokens.mjs';
import { guardedController, makeApp } from './app.mjs';
import { guardCall } from './calls.mjs';
import { microsEach } from './timing.mjs';

const TOKEN = 'an-opaque-token-that-says-nothing';
const CLIENT = { clientId: 'bench', clientSecret: 'not-a-secret' };
const GUARD_CALLS = 20_000;
const BARE_CALLS = 400;

/**
 * One opaque token again and again: microseconds per call of the guard that keeps answers, and of oauth4webapi, which
 * asks each time, by turns.
 */
export async function introspectionSpeed({ issuer, rounds }) {
  const controller = guardedController();
  const server = { issuer, type: 'oauth', introspection: { ...CLIENT, cache: { maxAgeSeconds: 60 } } };
  const resource = { resource: RESOURCE, authorizationServers: [server], requiredScopes: [SCOPE] };
  const app = await makeApp(resource, [controller]);
  const guard = guardCall(app, controller);
  const bare = bareCall(issuer);
  const same = (count) => new Array(count).fill(TOKEN);
  await microsEach(guard, same(GUARD_CALLS));
  await microsEach(bare, same(BARE_CALLS));
  const figures = { guard: [], bare: [] };
  for (let round = 0; round < rounds; round++) {
    figures.guard.push(await microsEach(guard, same(GUARD_CALLS)));
    figures.bare.push(await microsEach(bare, same(BARE_CALLS)));
  }
  await app.close();
  return { guard: median(figures.guard), bare: median(figures.bare) };
}

function bareCall(issuer) {
  const server = { issuer, introspection_endpoint: `${issuer}/introspect` };
  const client = { client_id: CLIENT.clientId };
  const authentication = oauth.ClientSecretBasic(CLIENT.clientSecret);
  const options = { [oauth.allowInsecureRequests]: true };
  return async (token) => {
    const response = await oauth.introspectionRequest(server, client, authentication, token, options);
    const { active } = await oauth.processIntrospectionResponse(server, client, response);
    if (!active) throw new Error('rejected');
  };
}
