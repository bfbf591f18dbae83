import { authorizationServers } from './checks/authorization-server.js';
import { browsers } from './checks/browsers.js';
import { calls } from './checks/calls.js';
import { challenge } from './checks/challenge.js';
import { reach } from './checks/reach.js';
import { requests } from './checks/requests.js';
import { resourceDocument } from './checks/resource-document.js';
import { token } from './checks/token.js';
import type { Check, DoctorContext } from './context.js';
import type { Finding } from './finding.js';
import type { TextReport } from './report-text.js';

/** A finding with the ID of its check. @internal */
export type CheckedFinding = Finding & { readonly check: string };

/** All checks in their order: later ones use what earlier ones found out. */
const CHECKS: readonly Check[] = [
  reach,
  challenge,
  resourceDocument,
  authorizationServers,
  browsers,
  requests,
  token,
  calls,
];

/** Runs all checks, and then more, until the server turns out to be unusable. @internal */
export async function walk(
  context: DoctorContext,
  more: readonly Check[],
  report: TextReport | undefined,
): Promise<readonly CheckedFinding[]> {
  const found: CheckedFinding[] = [];
  for (const check of [...CHECKS, ...more]) {
    if (context.facts.reach === 'unreachable' || context.facts.reach === 'unusable') break;
    if (check.isNeeded?.(context) === false) continue;
    report?.begin(check.title);
    const findings = await check.run(context);
    report?.findings(findings);
    found.push(...findings.map((finding) => ({ check: check.id, ...finding })));
  }
  return found;
}
