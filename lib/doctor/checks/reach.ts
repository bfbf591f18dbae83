import { isLoopbackHost } from '../../options/url-rules.js';
import type { Check, DoctorContext } from '../context.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { header, type HttpAnswer, type HttpFailure } from '../http.js';
import { docs, MCP_AUTHORIZATION, MCP_HTTP, rfc } from '../links.js';
import { initialize } from '../messages.js';

const TLS = docs('operations/doctor.md#certificates');
const PROXY = docs('operations/proxies.md#what-the-proxy-must-pass-on');

/** @internal */
export const REACH_FINDINGS = {
  tls_self_signed: {
    severity: 'error',
    title: 'The certificate is signed by itself',
    expected: 'a certificate of a certification authority that clients trust',
    cure: 'Use a certificate of a public authority. To examine the server until then, trust the certificate with --ca FILE.',
    link: TLS,
  },
  tls_unknown_issuer: {
    severity: 'error',
    title: 'The certificate is signed by an authority that is not trusted',
    expected: 'a certificate of a certification authority that clients trust',
    cure: 'Use a certificate of a public authority. For an authority of your own, give its certificate with --ca FILE.',
    link: TLS,
  },
  tls_incomplete_chain: {
    severity: 'error',
    title: 'The certificate cannot be verified: certificates between it and its authority are missing',
    expected: 'the server sends the certificate and all intermediate ones',
    cure: 'Configure the full chain at the server, such as fullchain.pem. For an authority of your own, use --ca FILE.',
    link: TLS,
  },
  tls_expired: {
    severity: 'error',
    title: 'The certificate has expired',
    cure: 'Renew the certificate and reload the server.',
    link: TLS,
  },
  tls_not_yet_valid: {
    severity: 'error',
    title: 'The certificate is not valid yet',
    cure: 'Check the clock of this machine, and the dates of the certificate.',
    link: TLS,
  },
  tls_wrong_name: {
    severity: 'error',
    title: 'The certificate is for another host',
    cure: 'Use a certificate that names the host of the URL, or the URL that the certificate names.',
    link: TLS,
  },
  tls_failed: {
    severity: 'error',
    title: 'No TLS connection could be made',
    cure: 'Check that the port serves TLS 1.2 or later. If it serves plain HTTP, the URL begins with http://.',
    link: TLS,
  },
  name_not_found: {
    severity: 'error',
    title: 'The host name cannot be resolved',
    cure: 'Check the spelling of the host, and its DNS records.',
    link: PROXY,
  },
  connection_failed: {
    severity: 'error',
    title: 'The server cannot be reached',
    cure: 'Check that the server runs, that it listens on this address, and that no firewall is in between.',
    link: PROXY,
  },
  timed_out: {
    severity: 'error',
    title: 'The server gave no complete answer within the time limit',
    cure: 'Check the load of the server and what it waits for. --timeout SECONDS sets the limit.',
    link: docs('operations/load.md'),
  },
  headers_too_large: {
    severity: 'error',
    title: 'The headers of the answer are larger than clients read',
    expected: 'at most 16 KB',
    cure: 'Find out what adds the headers: usually cookies, or a challenge with too many scopes.',
    link: rfc(9110, '5.4'),
  },
  not_http: {
    severity: 'error',
    title: 'The answer is not HTTP',
    cure: 'Check the port. If it serves TLS, the URL begins with https://.',
    link: rfc(9110, '4.2'),
  },
  not_https: {
    severity: 'error',
    title: 'The URL is http and not on this machine: tokens would be sent in plain text',
    expected: 'https',
    cure: 'Serve the endpoint by https, and use that URL in the option "resource".',
    link: MCP_AUTHORIZATION,
  },
  url_has_query: {
    severity: 'warning',
    title: 'The URL has a query, which many clients leave out of the resource identifier',
    cure: 'Put what tells endpoints apart into the path.',
    link: rfc(9728, '1.2'),
  },
  redirected: {
    severity: 'error',
    title: 'The server redirects; clients do not follow redirects with a token',
    cure: 'Use the URL that it redirects to, everywhere: in clients and in the option "resource".',
    link: PROXY,
  },
  endpoint_missing: {
    severity: 'error',
    title: 'There is no MCP endpoint at this URL',
    cure: 'Check the path, with global prefix and version. A proxy may remove a part of it.',
    link: docs('guides/prefixes-and-versioning.md#if-the-paths-do-not-match'),
  },
  server_fails: {
    severity: 'error',
    title: 'The server fails for a request without a token',
    expected: '401',
    cure: 'Look into the log of the server, or of the proxy in front of it.',
    link: docs('operations/behaviour-on-failure.md'),
  },
} as const;

const finding = findingsOf(REACH_FINDINGS);

/** The connection, and what a first request is answered. @internal */
export const reach: Check = {
  id: 'reach',
  title: 'Reach',
  async run(context) {
    const first = await context.http.send(initialize(context.url));
    context.facts.first = first.kind === 'answer' ? first : undefined;
    context.facts.reach = reachOf(first);
    return [...judgeUrl(context), ...judgeFirst(first, context)];
  },
};

/** @internal */
export function judgeUrl({ url, target }: Pick<DoctorContext, 'url' | 'target'>): readonly Finding[] {
  const isPlain = target.protocol === 'http:' && !isLoopbackHost(target.hostname);
  return [
    ...(isPlain ? [finding('not_https', { found: 'http' })] : []),
    ...(url.includes('?') ? [finding('url_has_query', { found: target.search })] : []),
  ];
}

/** @internal */
export function reachOf(first: HttpAnswer | HttpFailure): 'unreachable' | 'unusable' | 'usable' {
  if (first.kind === 'failure') return 'unreachable';
  const { status } = first;
  return status === 404 || status >= 500 || (status >= 300 && status < 400) ? 'unusable' : 'usable';
}

/** @internal */
export function judgeFirst(
  first: HttpAnswer | HttpFailure,
  { target }: Pick<DoctorContext, 'target'>,
): readonly Finding[] {
  if (first.kind === 'failure') return [finding(first.reason, { found: first.message })];
  const found = String(first.status);
  if (first.status === 404) return [finding('endpoint_missing', { found })];
  if (first.status >= 500) return [finding('server_fails', { found })];
  if (first.status >= 300 && first.status < 400) {
    return [finding('redirected', { found: `${found} to ${header(first, 'location') ?? 'nowhere'}` })];
  }
  const title = target.protocol === 'https:' ? 'The server answers, by TLS' : 'The server answers';
  return [ok('reached', title, MCP_HTTP)];
}
