import { median } from '../support/statistics.mjs';

/** The CPU that a subject adds to another's, in µs per request: the median of the differences of the rounds. */
export function added(own, base) {
  return median(own.rounds.map(({ cpuMicros }, round) => cpuMicros - base.rounds[round].cpuMicros));
}

/**
 * A subject's throughput, measured by another's in the same round, and the same by CPU time: other work on the machine
 * falls less on that.
 */
export function ratio(own, base) {
  return {
    throughput: median(own.rounds.map(({ perSecond }, round) => perSecond / base.rounds[round].perSecond)),
    cpu: median(own.rounds.map(({ cpuMicros }, round) => base.rounds[round].cpuMicros / cpuMicros)),
  };
}

/** The verdict on a ratio that has to reach a least throughput. */
export function atLeast({ throughput, cpu }, least) {
  return { figure: `${throughput.toFixed(2)} (by CPU ${cpu.toFixed(2)})`, isReached: throughput >= least };
}
