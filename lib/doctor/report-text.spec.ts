import { describe, expect, it } from 'vitest';
import type { ClientVerdict } from './clients.js';
import { findingsOf, ok } from './finding.js';
import { summary, textReport } from './report-text.js';

const LINK = 'https://x.example';
const finding = findingsOf({
  broken: { severity: 'error', title: 'Broken', expected: 'whole', cure: 'Repair it.', link: LINK },
  odd: { severity: 'warning', title: 'Odd', cure: 'Look.', link: LINK },
});

function printed(hasColors: boolean, use: (report: ReturnType<typeof textReport>) => void): string {
  let text = '';
  use(textReport((part) => (text += part), hasColors));
  return text;
}

describe('textReport', () => {
  it('writes what is expected, found and to do', () => {
    const text = printed(false, (report) => {
      report.begin('Step');
      report.findings([
        ok('fine', 'Fine', LINK, { subject: 's', found: 'f' }),
        finding('broken', { subject: 'it', found: 'in two' }),
        finding('odd'),
      ]);
    });
    expect(text).toBe(
      [
        '',
        'Step',
        '  ok       Fine (s): f',
        '  error    Broken (it)',
        '           expected: whole',
        '           found: in two',
        '           do: Repair it.',
        `           ${LINK}`,
        '  warning  Odd',
        '           do: Look.',
        `           ${LINK}`,
        '',
      ].join('\n'),
    );
  });

  it('colors the severity alone', () => {
    expect(
      printed(true, (report) => {
        report.findings([ok('fine', 'Fine', LINK)]);
      }),
    ).toBe('  \u001b[32mok       \u001b[0mFine\n');
  });

  it('puts clients with the same reasons together', () => {
    const verdict = (name: string, reasons: string[]): ClientVerdict => ({
      name,
      verdict: 'limited',
      reasons,
      link: LINK,
    });
    const text = printed(false, (report) => {
      report.clients([verdict('A', ['why']), verdict('B', []), verdict('C', ['why'])]);
    });
    expect(text.split('\n').slice(0, 3)).toEqual(['  limited  A, C', '           why', '  limited  B']);
  });

  it('counts findings', () => {
    expect(summary([])).toBe('No errors, no warnings, no notes.');
    expect(summary([finding('broken'), finding('odd'), finding('odd')])).toBe(
      '1 error, 2 warnings, no notes.',
    );
  });
});

describe('findingsOf', () => {
  it('escapes and cuts what comes from the server', () => {
    expect(finding('odd', { found: '\u001b[31m\u202e', subject: 'x'.repeat(300) })).toMatchObject({
      found: '\\u001b[31m\\u202e',
      subject: `${'x'.repeat(200)}…`,
    });
  });

  it('lets a check change the severity and what is expected', () => {
    expect(finding('broken', { severity: 'note', expected: 'other' })).toMatchObject({
      severity: 'note',
      expected: 'other',
    });
  });
});
