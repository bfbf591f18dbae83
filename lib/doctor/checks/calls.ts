import { parameterOf, parseChallenges } from '../challenge-grammar.js';
import type { Check, DoctorContext } from '../context.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { describe, header, HEADERS_ONLY, type HttpAnswer, type HttpFailure, lines } from '../http.js';
import { docs, MCP_HTTP } from '../links.js';
import { initialize, isObject, LEGACY, message, MODERN, responseIn } from '../messages.js';
import { describeTools, toolsIn } from '../tools.js';

/** @internal */
export const CALL_FINDINGS = {
  call_invalid_token: {
    severity: 'error',
    title: 'The server rejects the token',
    cure: 'See the claims above. If all are right, the log of the server has the reason: it verifies by its own configuration.',
    link: docs('reference/errors.md'),
  },
  call_insufficient_scope: {
    severity: 'error',
    title: 'The token lacks scopes that every request needs',
    cure: 'Request the token with these scopes.',
    link: docs('guides/scopes.md#step-up'),
  },
  call_denied: {
    severity: 'error',
    title: 'The token is good, and the server denies the request without asking for scopes',
    cure: 'A policy of the server or a proxy denies this caller. Its log has the reason.',
    link: docs('reference/errors.md'),
  },
  call_unavailable: {
    severity: 'error',
    title: 'The server cannot verify tokens now',
    cure: 'The server cannot reach the authorization server: check its network, DNS and certificates.',
    link: docs('operations/behaviour-on-failure.md'),
  },
  call_failed: {
    severity: 'error',
    title: 'No revision of MCP is answered with a result',
    expected: `a result of tools/list by MCP ${LEGACY} or ${MODERN}`,
    cure: 'Check the log of the server, and that the URL is the MCP endpoint.',
    link: MCP_HTTP,
  },
  revision_not_spoken: {
    severity: 'note',
    title: 'The server does not speak a revision of MCP',
    cure: 'Nothing: clients negotiate. Update the transport for newer clients.',
    link: MCP_HTTP,
  },
} as const;

const finding = findingsOf(CALL_FINDINGS);

type Result = HttpAnswer | HttpFailure;

/** Calls with the given token, as clients of both eras of MCP send them. @internal */
export const calls: Check = {
  id: 'calls',
  title: 'Calls with the token',
  isNeeded: (context) => context.token !== undefined,
  async run(context) {
    if (context.token === undefined) return [];
    const authorization = `Bearer ${context.token}`;
    const legacy = await listLegacy(context, authorization);
    const modern = await context.http.send(message(context.url, MODERN, 'tools/list', {}, { authorization }));
    context.facts.tools = toolsOf(legacy) ?? toolsOf(modern);
    if (context.facts.tools === undefined) return [judgeRejection(legacy)];
    return [
      judgeList(LEGACY, 'initialize and tools/list', legacy),
      judgeList(MODERN, 'tools/list', modern),
      ...describeTools(context.facts.tools),
    ];
  },
};

function judgeList(revision: string, called: string, result: Result): Finding {
  const tools = toolsOf(result);
  if (!tools) return finding('revision_not_spoken', { subject: revision, found: describe(result) });
  const found = `${String(tools.length)} tools`;
  return ok('tools', `${called} answered`, MCP_HTTP, { subject: `MCP ${revision}`, found });
}

/** Begins a session, lists tools in it, and ends it. */
async function listLegacy({ http, url }: DoctorContext, authorization: string): Promise<Result> {
  const first = await http.send(initialize(url, { authorization }));
  if (first.kind === 'failure' || first.status >= 300) return first;
  const session = header(first, 'mcp-session-id');
  const headers = { authorization, ...(session !== undefined && { 'mcp-session-id': session }) };
  await http.send({ ...message(url, LEGACY, 'notifications/initialized', {}, headers), until: HEADERS_ONLY });
  const listed = await http.send(message(url, LEGACY, 'tools/list', {}, headers));
  if (session !== undefined) await http.send({ method: 'DELETE', url, headers, until: HEADERS_ONLY });
  return listed;
}

function toolsOf(result: Result) {
  if (result.kind === 'failure' || result.status !== 200) return undefined;
  const response = responseIn(result);
  return isObject(response?.result) ? toolsIn(response.result) : undefined;
}

/** Explains why a call with a token was rejected. @internal */
export function judgeRejection(result: Result): Finding {
  const found = describe(result);
  if (result.kind === 'failure') return finding('call_failed', { found });
  const challenges = lines(result, 'www-authenticate').map(parseChallenges);
  const [bearer] = challenges.flatMap((each) => ('problem' in each ? [] : each));
  const error = parameterOf(bearer, 'error');
  const detail = [found, error, parameterOf(bearer, 'error_description')].filter(
    (each) => each !== undefined,
  );
  if (result.status === 401) return finding('call_invalid_token', { found: detail.join(': ') });
  if (result.status === 503) return finding('call_unavailable', { found });
  if (result.status !== 403) return finding('call_failed', { found });
  return error === 'insufficient_scope'
    ? finding('call_insufficient_scope', { expected: parameterOf(bearer, 'scope'), found: detail.join(': ') })
    : finding('call_denied', { found: detail.join(': ') });
}
