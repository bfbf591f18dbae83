import { forge, garbage, sign, signMany, withUnknownKey } from '../support/tokens.mjs';
import { SUBJECTS } from '../subjects/list.mjs';
import { get } from '../support/load.mjs';

const PATH = '/notes';

/** All but the hooks: what is sent makes no difference to them. */
const READERS = SUBJECTS.map(({ id }) => id).filter((id) => id !== 'entering' && id !== 'refusing');

/** What is sent. `isGood` says whether a guard lets it through; the bare route always does. `only` names the subjects. */
export const WORKLOADS = [
  { id: 'hot', title: 'one hot token', isGood: true, only: READERS },
  { id: 'distinct', title: 'distinct tokens, each once', isGood: true, only: READERS },
  { id: 'garbage', title: 'garbage', isGood: false, only: READERS },
  { id: 'missing', title: 'no token', isGood: false },
  { id: 'forged', title: 'forged signatures', isGood: false, only: READERS },
  { id: 'unknown', title: 'unknown key ids', isGood: false, only: READERS },
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
