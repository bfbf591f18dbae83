import type { ClientVerdict } from './clients.js';
import type { Finding } from './finding.js';
import { VERSION } from './links.js';
import { countOf } from './report-text.js';

/** What `--json` prints. Members are added in later versions, and none is removed while `schema` is 1. @internal */
export interface JsonReport {
  readonly schema: 1;
  readonly version: string;
  readonly url: string;
  readonly exitCode: number;
  readonly summary: {
    readonly ok: number;
    readonly note: number;
    readonly warning: number;
    readonly error: number;
  };
  readonly findings: readonly (Finding & { readonly check: string })[];
  readonly clients: readonly ClientVerdict[];
}

/** @internal */
export function jsonReport(
  url: string,
  exitCode: number,
  findings: readonly (Finding & { readonly check: string })[],
  clients: readonly ClientVerdict[],
): JsonReport {
  const count = (severity: Finding['severity']): number => countOf(findings, severity);
  return {
    schema: 1,
    version: VERSION,
    url,
    exitCode,
    summary: { ok: count('ok'), note: count('note'), warning: count('warning'), error: count('error') },
    findings,
    clients,
  };
}
