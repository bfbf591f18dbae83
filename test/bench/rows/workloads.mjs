import { forge, garbage, sign, signMany, withUnknownKey } from '../support/tokens.mjs';
import { get } from '../support/load.mjs';

const PATH = '/notes';

/** What is sent. `isGood` says whether a guard lets it through; the bare route always does. */
export const WORKLOADS = [
  { id: 'hot', title: 'one hot token', isGood: true },
  { id: 'distinct', title: 'distinct tokens, each once', isGood: true },
  { id: 'garbage', title: 'garbage', isGood: false },
  { id: 'missing', title: 'no token', isGood: false },
  { id: 'forged', title: 'forged signatures', isGood: false },
  { id: 'unknown', title: 'unknown key ids', isGood: false },
];

/** The tokens of all workloads, as requests on the wire. */
export async function makeRequests(server, { distinctTokens, warmUpRequests }) {
  const many = (make) => Array.from({ length: distinctTokens }, (_, index) => get(PATH, make(index)));
  const tokens = await signMany(server, distinctTokens);
  return {
    tokens,
    hot: [get(PATH, await sign(server))],
    distinct: tokens.map((token) => get(PATH, token)),
    warmUp: (await signMany(server, warmUpRequests >> 1)).map((token) => get(PATH, token)),
    garbage: many(garbage),
    missing: [get(PATH)],
    forged: many(() => forge(server)),
    unknown: many(() => withUnknownKey(server)),
  };
}
