import { escapeForLog } from '../events/escape-for-log.js';

/**
 * How much a finding matters: `ok` is as it should be, `note` is worth knowing, `warning` harms some clients, `error` prevents
 * clients from working or is unsafe.
 *
 * @internal
 */
export type Severity = 'ok' | 'note' | 'warning' | 'error';

/** One thing that the doctor found. All its texts are safe to print. @internal */
export interface Finding {
  /** Stable: programs compare it. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** What the finding is about, if a check looks at several things: an issuer, a method, a claim. */
  readonly subject?: string;
  readonly expected?: string;
  readonly found?: string;
  readonly cure?: string;
  readonly link: string;
}

/** The constant part of a finding. @internal */
export interface FindingText {
  readonly severity: Exclude<Severity, 'ok'>;
  readonly title: string;
  readonly expected?: string;
  readonly cure: string;
  readonly link: string;
}

/** The findings that a check can report, by id. @internal */
export type Catalogue = Readonly<Record<string, FindingText>>;

/** The part of a finding that is known only at run time. Values may come from the server: they are escaped. @internal */
export interface Details {
  readonly subject?: string | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  readonly severity?: Exclude<Severity, 'ok'> | undefined;
}

/** Returns a function that makes the findings of a catalogue. @internal */
export function findingsOf<Texts extends Catalogue>(
  texts: Texts,
): (id: keyof Texts & string, details?: Details) => Finding {
  return (id, details = {}) => {
    const { severity, title, expected, cure, link } = texts[id] as FindingText;
    return {
      id,
      severity: details.severity ?? severity,
      title,
      ...escaped({ subject: details.subject, expected: details.expected ?? expected, found: details.found }),
      cure,
      link,
    };
  };
}

/** Makes the finding that something is as it should be. @internal */
export function ok(
  id: string,
  title: string,
  link: string,
  details: Pick<Details, 'subject' | 'found'> = {},
): Finding {
  return { id, severity: 'ok', title, ...escaped(details), link };
}

/** Returns the defined values, escaped. */
function escaped(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, escapeForLog(value)]],
    ),
  );
}
