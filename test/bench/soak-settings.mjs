import { parseArgs } from 'node:util';

/** What the command line of the soak asks for. */
export function readSoakSettings() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '120' },
      platform: { type: 'string', default: 'express' },
      strict: { type: 'boolean', default: false },
    },
  });
  return {
    seconds: Number(values.seconds),
    platform: values.platform,
    isStrict: values.strict,
    connections: 16,
    sessionClients: 4,
    goodTokens: 4_000,
    hostileTokens: 4_000,
    calls: 500,
    /** The authorization server: so long well, then so long not, in turns of all ways to fail. */
    upMs: 10_000,
    troubleMs: 5_000,
    /** The clock of the application jumps at each failure, so that keys are too old just then. */
    jumpMs: 660_000,
    /** Between two rotations of the keys. */
    rotationMs: 10_000,
    /** What the heap may grow from warm to idle. */
    maxGrowthBytes: 3 * 2 ** 20,
  };
}
