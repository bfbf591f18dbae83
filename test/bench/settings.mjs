import process from 'node:process';
import { parseArgs } from 'node:util';

const FULL = {
  rounds: 5,
  processes: 3,
  processRounds: 2,
  roundMs: 300,
  /** After fewer, the engine still compiles: a guard then seems to take several times what it takes. */
  warmUpRequests: 30_000,
  distinctTokens: 10_000,
  unknownKeyIds: 10_000,
  hotCalls: 20_000,
  manyResources: 1_000,
  manyTenants: 10_000,
  /** `tools/call`: a call takes more, so rounds are longer. */
  mcp: {
    processes: 2,
    connections: 32,
    warmUpRequests: 30_000,
    distinctPerRound: 800,
    good: { rounds: 5, roundMs: 400 },
    brief: { rounds: 4, roundMs: 400 },
    bad: { rounds: 3, roundMs: 200 },
  },
};

/** For a look while working: noisier, the same rows. */
const QUICK = {
  ...FULL,
  rounds: 3,
  processes: 1,
  processRounds: 3,
  roundMs: 70,
  warmUpRequests: 1_000,
  distinctTokens: 1_000,
  unknownKeyIds: 3_000,
  hotCalls: 4_000,
  mcp: {
    ...FULL.mcp,
    processes: 1,
    warmUpRequests: 2_000,
    distinctPerRound: 400,
    good: { rounds: 3, roundMs: 200 },
    brief: { rounds: 2, roundMs: 200 },
    bad: { rounds: 2, roundMs: 100 },
  },
};

const HELP = `npm run bench [-- --quick] [-- --strict] [-- --only=PART,...] [-- --rounds=N] [-- --round-ms=MS] [-- --warm-up=N]

  --quick    under a minute, noisier
  --strict   exit with 1 when a target is missed
  --only     parts to run: process, express, fastify, keys, outage, introspection, mcp, or of mcp one transport:
             mcp-nest, mcp-dpop, mcp-mounted, mcp-sdk-v2, mcp-sdk-v1
  --rounds, --round-ms   of good tool calls in each process, for a longer look at mcp
  --warm-up  tool calls of each process before it is measured. After fewer than 30,000 the engine still compiles, which a
             subject with more code pays more for`;

/** What the command line asks for. */
export function readSettings() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      'round-ms': { type: 'string' },
      'warm-up': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const chosen = values.quick ? QUICK : FULL;
  const longer = ({ rounds, roundMs }) => ({
    rounds: Number(values.rounds ?? rounds),
    roundMs: Number(values['round-ms'] ?? roundMs),
  });
  const { good, brief } = chosen.mcp;
  const warmUpRequests = Number(values['warm-up'] ?? chosen.mcp.warmUpRequests);
  return {
    ...chosen,
    mcp: { ...chosen.mcp, warmUpRequests, good: longer(good), brief: longer(brief) },
    isQuick: values.quick,
    isStrict: values.strict,
    isPartial: values.only !== undefined,
    isAsked: askedParts(values.only?.split(',')),
  };
}

/** Whether a part is to be run, by its name: `mcp` stands for `mcp-nest` and the others. */
function askedParts(names) {
  return (part) => names?.some((name) => part === name || part.startsWith(`${name}-`)) ?? true;
}
