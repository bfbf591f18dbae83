import { SUBJECTS } from '../subjects/list.mjs';
import { table } from '../support/table.mjs';
import { WORKLOADS } from './workloads.mjs';

/** The figures of one platform, side by side. */
export function httpReport(platform, figures) {
  const head = [`${platform}: workload`, 'subject', 'req/s', 'of bare', 'CPU µs/req', 'p99 ms', 'wrong'];
  const rows = WORKLOADS.flatMap((workload) =>
    SUBJECTS.filter(({ id }) => figures[workload.id][id]).map(({ id, title }, index) => [
      index === 0 ? workload.title : '',
      title,
      ...cells(figures[workload.id][id], figures[workload.id].bare),
    ]),
  );
  return table(head, rows, 2);
}

function cells(figures, bare) {
  if (figures.failure !== undefined) return ['n/a', '', '', '', ''];
  return [
    figures.perSecond.toFixed(0),
    (figures.perSecond / bare.perSecond).toFixed(2),
    figures.cpuMicros.toFixed(1),
    figures.p99Ms.toFixed(2),
    wrongAnswers(figures),
  ];
}

/** How many answers were wrong or lost, and which. */
export function wrongAnswers({ bad, wrong }) {
  return bad === 0 ? '0' : `${bad} ${JSON.stringify(wrong).replaceAll('"', '')}`;
}

/** How much of the stack of a failure is shown, and how wide. */
const SHOWN_LINES = 6;
const WIDTH = 108;

/** Why subjects did not start. */
export function failures(where, figures) {
  const [workload] = Object.values(figures);
  return Object.entries(workload)
    .filter(([, { failure }]) => failure !== undefined)
    .map(([id, { failure }]) => `${id} does not start on ${where}:\n${shown(failure)}`);
}

function shown(failure) {
  const lines = failure.split('\n').slice(0, SHOWN_LINES);
  return lines
    .map((line) => `  ${line.trim().replace(/(file:\/\/)?\/\S*\/node_modules\//, '')}`.slice(0, WIDTH))
    .join('\n');
}
