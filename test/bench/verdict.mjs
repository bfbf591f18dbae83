import { table } from './support/table.mjs';

/**
 * @typedef {object} Verdict
 * @property {string} work
 * @property {string} figure
 * @property {string} target
 * @property {boolean | null | undefined} isReached - null without a target; undefined when it cannot be measured yet
 */

/**
 * One line of the result.
 *
 * @param {string} work
 * @param {string} target
 * @param {() => Pick<Verdict, "figure" | "isReached">} measure - what it throws, and NaN, is no measurement
 * @returns {Verdict}
 */
export function verdict(work, target, measure) {
  try {
    return { work, target, ...measure() };
  } catch {
    return { work, target, figure: '-', isReached: undefined };
  }
}

const WORDS = new Map([
  [true, 'reached'],
  [false, 'not reached'],
  [null, ''],
  [undefined, 'not measurable yet'],
]);

/** @param {readonly Verdict[]} verdicts */
export function verdictReport(verdicts) {
  const rows = verdicts.map(({ work, figure, target, isReached }) => [
    work,
    figure,
    target,
    WORDS.get(isReached),
  ]);
  return table(['work', 'figure', 'target', ''], rows, 4);
}
