import process from 'node:process';
import { parseArgs } from 'node:util';

const FULL = {
  rounds: 5,
  processes: 3,
  processRounds: 2,
  roundMs: 300,
  warmUpRequests: 8_000,
  distinctTokens: 10_000,
  unknownKeyIds: 10_000,
  hotCalls: 20_000,
  manyResources: 1_000,
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
};

const HELP = `npm run bench [-- --quick] [-- --strict] [-- --only=PART,...]

  --quick    under a minute, noisier
  --strict   exit with 1 when a target is missed
  --only     parts to run: process, express, fastify, keys, outage, introspection`;

/** What the command line asks for. */
export function readSettings() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  return {
    ...(values.quick ? QUICK : FULL),
    isQuick: values.quick,
    isStrict: values.strict,
    parts: values.only?.split(','),
  };
}
