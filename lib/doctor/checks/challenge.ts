import { urlProblem } from '../../options/url-rules.js';
import { type Challenge, parameterOf, parseChallenges } from '../challenge-grammar.js';
import type { Check, DoctorContext } from '../context.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { header, type HttpAnswer, lines } from '../http.js';
import { MCP_AUTHORIZATION, rfc } from '../links.js';
import { isObject, LEGACY, message, NO_TOOL, responseIn, textsOf } from '../messages.js';
import { CHALLENGE_FINDINGS } from './challenge.findings.js';

const BEARER = rfc(6750, '3');

const finding = findingsOf(CHALLENGE_FINDINGS);
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** The 401 of a request without a token, and its challenge. @internal */
export const challenge: Check = {
  id: 'challenge',
  title: 'Challenge',
  async run(context) {
    const { first } = context.facts;
    if (!first) return [];
    context.facts.hasToolChallenge = await isChallengedInResult(context);
    if (first.status >= 200 && first.status < 300) return checkAnonymous(context, first);
    return judge(context, first);
  },
};

/** Whether the server challenges ChatGPT in the result of a tool call, by which alone it offers its sign-in. */
async function isChallengedInResult({ http, url }: DoctorContext): Promise<boolean> {
  const call = { name: NO_TOOL, arguments: {} };
  const headers = { 'user-agent': 'openai-mcp/1.0.0 (nestjs-mcp-auth-doctor)' };
  const answer = await http.send(message(url, LEGACY, 'tools/call', call, headers));
  const { result } = (answer.kind === 'answer' ? responseIn(answer) : undefined) ?? {};
  const meta = isObject(result) ? result['_meta'] : undefined;
  return isObject(meta) && textsOf(meta['mcp/www_authenticate']).length > 0;
}

/** A server may answer the handshake to everybody and protect its tools only. */
async function checkAnonymous(context: DoctorContext, first: HttpAnswer): Promise<readonly Finding[]> {
  const session = header(first, 'mcp-session-id');
  const headers = session === undefined ? {} : { 'mcp-session-id': session };
  context.facts.isAnonymous = true;
  for (const [method, params] of [
    ['tools/list', {}],
    ['tools/call', { name: NO_TOOL, arguments: {} }],
  ] as const) {
    const answer = await context.http.send(message(context.url, LEGACY, method, params, headers));
    if (answer.kind === 'answer' && answer.status === 401) {
      return [finding('anonymous_requests', { found: 'initialize: 200' }), ...judge(context, answer)];
    }
  }
  return [finding('no_authentication', { found: `initialize: ${String(first.status)}` })];
}

function judge(context: DoctorContext, answer: HttpAnswer): readonly Finding[] {
  const { challenge: bearer, findings } = judgeChallenge(answer, context.target);
  context.facts.challenge = bearer;
  return findings;
}

/** @internal */
export interface ChallengeJudgement {
  readonly challenge: Challenge | undefined;
  readonly findings: readonly Finding[];
}

/** Judges the answer to a request without a token. @internal */
export function judgeChallenge(answer: HttpAnswer, target: URL): ChallengeJudgement {
  const only = (each: Finding): ChallengeJudgement => ({ challenge: undefined, findings: [each] });
  if (answer.status !== 401) return only(finding('status_without_token', { found: String(answer.status) }));
  const values = lines(answer, 'www-authenticate');
  if (values.length === 0) return only(finding('challenge_missing', { found: 'no such header' }));
  const parsed = values.map(parseChallenges);
  const wrong = parsed.findIndex((each) => 'problem' in each);
  if (wrong >= 0) {
    const { problem } = parsed[wrong] as { problem: string };
    return only(
      finding('challenge_malformed', { expected: problem.replace('expected ', ''), found: values[wrong] }),
    );
  }
  const all = (parsed as (readonly Challenge[])[]).flat();
  const [bearer, ...others] = all.filter(({ scheme }) => scheme.toLowerCase() === 'bearer');
  if (!bearer)
    return only(finding('challenge_not_bearer', { found: all.map(({ scheme }) => scheme).join(', ') }));
  const findings = [
    ...(others.length > 0 ? [finding('challenge_repeated', { found: String(others.length + 1) })] : []),
    ...judgeBearer(bearer, target),
  ];
  const title = 'A request without a token gets 401 and a Bearer challenge';
  return { challenge: bearer, findings: [ok('challenge', title, BEARER), ...findings] };
}

function judgeBearer(bearer: Challenge, target: URL): readonly Finding[] {
  const names = bearer.parameters.map(({ name }) => name);
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  const error = parameterOf(bearer, 'error');
  return [
    ...(repeated === undefined ? [] : [finding('challenge_parameter_repeated', { found: repeated })]),
    ...(error === undefined ? [] : [finding('challenge_error_without_token', { found: error })]),
    judgeScope(parameterOf(bearer, 'scope')),
    judgeMetadataUrl(parameterOf(bearer, 'resource_metadata'), target),
  ];
}

function judgeScope(scope: string | undefined): Finding {
  if (scope === undefined) return finding('scope_missing');
  return SCOPE.test(scope)
    ? ok('scope', 'The challenge names the scopes to request', MCP_AUTHORIZATION, { found: scope })
    : finding('scope_malformed', { found: scope });
}

function judgeMetadataUrl(url: string | undefined, target: URL): Finding {
  if (url === undefined) return finding('resource_metadata_missing');
  const problem = urlProblem(url);
  if (problem !== undefined) return finding('resource_metadata_malformed', { found: url });
  if (new URL(url).origin !== target.origin) {
    return finding('resource_metadata_elsewhere', { expected: target.origin, found: url });
  }
  return ok('resource_metadata', 'The challenge names the metadata document', rfc(9728, '5.1'), {
    found: url,
  });
}
