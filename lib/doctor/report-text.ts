import type { ClientVerdict, Verdict } from './clients.js';
import type { Finding, Severity } from './finding.js';
import { docs } from './links.js';

/** Writes text for people. @internal */
export interface TextReport {
  begin(title: string): void;
  findings(findings: readonly Finding[]): void;
  clients(verdicts: readonly ClientVerdict[]): void;
  end(findings: readonly Finding[]): void;
}

const WIDTH = 9;

const COLORS: Readonly<Record<Severity | Verdict, number>> = {
  ok: 32,
  works: 32,
  note: 36,
  warning: 33,
  limited: 33,
  error: 31,
  fails: 31,
};

/** @param hasColors - whether severities are colored @internal */
export function textReport(write: (text: string) => void, hasColors: boolean): TextReport {
  const line: Line = (label, text) => {
    write(`  ${painted(label, hasColors)}${text}\n`);
  };
  return {
    begin: (title) => {
      write(`\n${title}\n`);
    },
    findings: (findings) => {
      for (const finding of findings) writeFinding(line, finding);
    },
    clients: (verdicts) => {
      for (const group of grouped(verdicts)) writeGroup(line, group);
      line('', docs('clients.md'));
    },
    end: (findings) => {
      write(`\n${summary(findings)}\n`);
    },
  };
}

/** Puts the families with the same verdict and reasons together. */
function grouped(verdicts: readonly ClientVerdict[]): readonly (readonly ClientVerdict[])[] {
  const groups = new Map<string, ClientVerdict[]>();
  for (const each of verdicts) {
    const key = JSON.stringify([each.verdict, each.reasons]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

function writeGroup(line: Line, group: readonly ClientVerdict[]): void {
  const [first] = group;
  if (!first) return;
  line(first.verdict, group.map(({ name }) => name).join(', '));
  for (const reason of first.reasons) line('', reason);
}

type Line = (label: Severity | Verdict | '', text: string) => void;

function painted(label: Severity | Verdict | '', hasColors: boolean): string {
  const padded = label.padEnd(WIDTH);
  return hasColors && label !== '' ? `\x1b[${String(COLORS[label])}m${padded}\x1b[0m` : padded;
}

function writeFinding(line: Line, finding: Finding): void {
  const { severity, title, subject, expected, found, cure, link } = finding;
  if (severity === 'ok') {
    line(
      severity,
      `${title}${subject === undefined ? '' : ` (${subject})`}${found === undefined ? '' : `: ${found}`}`,
    );
    return;
  }
  line(severity, `${title}${subject === undefined ? '' : ` (${subject})`}`);
  if (expected !== undefined) line('', `expected: ${expected}`);
  if (found !== undefined) line('', `found: ${found}`);
  if (cure !== undefined) line('', `do: ${cure}`);
  line('', link);
}

/** Counts findings in a sentence. @internal */
export function summary(findings: readonly Finding[]): string {
  const counted = (['error', 'warning', 'note'] as const).map((severity) => {
    const count = countOf(findings, severity);
    return `${count === 0 ? 'no' : String(count)} ${severity}${count === 1 ? '' : 's'}`;
  });
  const text = counted.join(', ');
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;
}

/** @internal */
export function countOf(findings: readonly Finding[], severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length;
}
