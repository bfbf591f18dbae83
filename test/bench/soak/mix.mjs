import { get } from '../support/load.mjs';
import { ANSWER, CALLER_SCOPES, toolCall } from '../support/tool-call.mjs';
import { forge, garbage, SCOPE, sign, signMany, withUnknownKey } from '../support/tokens.mjs';

const PATH = '/notes';

/**
 * Good and hostile requests, and what is right for each. By weight: half are good. While the authorization server is
 * in trouble nobody can tell whether an unknown key exists, so 503 is right too.
 */
export async function makeMix(server, rotation, { goodTokens, calls, hostileTokens }) {
  const hostile = (make) => Array.from({ length: hostileTokens }, (_, index) => get(PATH, make(index)));
  const past = Math.floor(Date.now() / 1000) - 3_600;
  const signed = async (overrides) => [get(PATH, await sign(server, overrides))];
  const kinds = [
    { id: 'hot', weight: 6, right: 200, wire: await signed({}) },
    {
      id: 'distinct',
      weight: 6,
      right: 200,
      wire: (await signMany(server, goodTokens)).map((token) => get(PATH, token)),
    },
    { id: 'no token', weight: 2, right: 401, wire: [get(PATH)] },
    { id: 'garbage', weight: 2, right: 401, wire: hostile(garbage) },
    { id: 'forged', weight: 2, right: 401, wire: hostile(() => forge(server)) },
    { id: 'unknown key', weight: 2, right: [401, 503], wire: hostile(() => withUnknownKey(server)) },
    { id: 'expired', weight: 1, right: 401, wire: await signed({ iat: past - 60, exp: past }) },
    { id: 'audience', weight: 1, right: 401, wire: await signed({ aud: 'https://api.example.com/other' }) },
    { id: 'issuer', weight: 1, right: 401, wire: await signed({ iss: 'https://evil.example.com' }) },
    ...(await callKinds(server, { calls, past })),
    {
      id: 'rotated key',
      weight: 2,
      right: 200,
      get wire() {
        return rotation.current;
      },
    },
    {
      id: 'retired key',
      weight: 1,
      get right() {
        return rotation.retiredRight;
      },
      get wire() {
        return rotation.retired;
      },
    },
    { id: 'scope', weight: 1, right: 403, wire: await signed({ scope: 'other' }) },
  ];
  const turns = kinds.flatMap((kind) => new Array(kind.weight).fill(kind));
  const kindOf = (index) => turns[(index * 7) % turns.length];
  return {
    request: (index) => {
      const { wire } = kindOf(index);
      return wire[index % wire.length];
    },
    expected: (index) => kindOf(index).right,
    nameOf: (index) => kindOf(index).id,
    proof: (index) => kindOf(index).proof,
  };
}

/** Calls of a tool, good and bad, by both revisions of MCP. */
async function callKinds(server, { calls, past }) {
  const call = (token, index = 0) =>
    toolCall(index % 2 === 0 ? '2025-11-25' : '2026-07-28', token, { path: '/notes/mcp' });
  const signed = async (overrides) =>
    (await signMany(server, calls, () => ({ scope: CALLER_SCOPES, ...overrides }))).map(call);
  const broken = Array.from({ length: calls }, (_, index) => call(garbage(index), index));
  return [
    { id: 'call', weight: 5, right: 200, proof: ANSWER, wire: await signed({}) },
    { id: 'call, scope', weight: 1, right: 403, wire: await signed({ scope: SCOPE }) },
    { id: 'call, no token', weight: 1, right: 401, wire: [call(undefined)] },
    { id: 'call, garbage', weight: 1, right: 401, wire: broken },
    { id: 'call, expired', weight: 1, right: 401, wire: await signed({ iat: past - 60, exp: past }) },
  ];
}
