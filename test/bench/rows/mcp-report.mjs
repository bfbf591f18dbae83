import { MCP_TRANSPORTS } from '../subjects/list.mjs';
import { median } from '../support/statistics.mjs';
import { table } from '../support/table.mjs';
import { wrongAnswers } from './http-report.mjs';
import { added } from './paired.mjs';

/** The figures of one transport, side by side. The CPU that a subject adds is compared round by round. */
export function mcpReport(transport, figures) {
  const { title, subjects, workloads } = MCP_TRANSPORTS[transport];
  const head = [`${title}: workload`, 'subject', 'calls/s', 'of base', 'CPU µs', 'added', 'p99 ms', 'wrong'];
  const rows = workloads.flatMap(({ id, title: sent, isGood, only }) =>
    subjects
      .filter((subject) => only?.includes(subject.id) ?? true)
      .map((subject, index) => [
        index === 0 ? sent : '',
        subject.title,
        ...cells(figures[id][subject.id], figures[id][isGood ? 'bare' : 'rejecting']),
      ]),
  );
  return table(head, rows, 2);
}

function cells(figures, base) {
  if (figures.failure !== undefined || base.failure !== undefined) return ['n/a', '', '', '', '', ''];
  const share = median(
    figures.rounds.map(({ perSecond }, round) => perSecond / base.rounds[round].perSecond),
  );
  return [
    figures.perSecond.toFixed(0),
    share.toFixed(2),
    figures.cpuMicros.toFixed(0),
    added(figures, base).toFixed(1),
    figures.p99Ms.toFixed(1),
    wrongAnswers(figures),
  ];
}
