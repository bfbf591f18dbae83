import { isLoopbackHost } from '../../options/url-rules.js';
import type { Check, DoctorContext } from '../context.js';
import { FOREIGN_ORIGIN } from '../fetch-document.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { describe, header, HEADERS_ONLY, type HttpAnswer, type HttpFailure, words } from '../http.js';
import { docs, MCP_HTTP } from '../links.js';
import { initialize } from '../messages.js';

const BROWSERS = docs('operations/proxies.md#browsers-and-cors');
/** Those of MCP 2025-11-25, and the two that MCP 2026-07-28 adds. */
const REQUEST_HEADERS = [
  ...(['authorization', 'content-type', 'mcp-protocol-version', 'mcp-session-id'] as const),
  ...(['mcp-method', 'mcp-name'] as const),
];
const EXPOSED_HEADERS = ['www-authenticate', 'mcp-session-id'] as const;

/** @internal */
export const BROWSER_FINDINGS = {
  foreign_origin_accepted: {
    severity: 'note',
    title:
      'A request of a foreign Origin is not rejected: a page that resolves its name to your network can call the server',
    expected: '403',
    cure: 'Check Origin before everything else. The module does, unless "allowedOrigins" allows all.',
    link: MCP_HTTP,
  },
  preflight_denied: {
    severity: 'note',
    title: 'Clients in pages of other origins cannot use the server',
    cure: 'Nothing, unless you want such clients: then add their origin to "allowedOrigins", and examine it with --origin.',
    link: BROWSERS,
  },
  preflight_needs_token: {
    severity: 'warning',
    title: 'The preflight is answered with 401; browsers send no token with it',
    expected: '204 or 200 with CORS headers',
    cure: 'Answer OPTIONS before authentication.',
    link: BROWSERS,
  },
  preflight_headers_missing: {
    severity: 'warning',
    title: 'The preflight does not allow headers that MCP clients send',
    expected: REQUEST_HEADERS.join(', '),
    cure: 'Add them to Access-Control-Allow-Headers.',
    link: BROWSERS,
  },
  preflight_methods_missing: {
    severity: 'warning',
    title: 'The preflight does not allow methods of MCP',
    expected: 'GET, POST, DELETE',
    cure: 'Add them to Access-Control-Allow-Methods.',
    link: BROWSERS,
  },
  headers_not_exposed: {
    severity: 'warning',
    title: 'Pages cannot read headers of the answer, so their clients cannot sign in or keep a session',
    expected: EXPOSED_HEADERS.join(', '),
    cure: 'Add them to Access-Control-Expose-Headers.',
    link: BROWSERS,
  },
  credentials_for_all: {
    severity: 'warning',
    title: 'Every origin may send requests with cookies',
    expected: 'no Access-Control-Allow-Credentials for origins that are not listed',
    cure: 'Leave out "credentials: true". MCP clients send tokens, not cookies.',
    link: BROWSERS,
  },
} as const;

const finding = findingsOf(BROWSER_FINDINGS);

/** Origin and CORS. @internal */
export const browsers: Check = {
  id: 'browsers',
  title: 'Browsers',
  async run({ url, target, http, origin }) {
    const asked = origin ?? FOREIGN_ORIGIN;
    const post = (from: string) => http.send({ ...initialize(url, { origin: from }), until: HEADERS_ONLY });
    const [preflight, foreign] = await Promise.all([
      http.send(preflightOf(url, asked)),
      post(FOREIGN_ORIGIN),
    ]);
    const answer = asked === FOREIGN_ORIGIN ? foreign : await post(asked);
    return [judgeForeign(foreign, target), ...judgeCors(preflight, answer, origin)];
  },
};

/** @internal */
export function judgeForeign(foreign: Result, { hostname }: URL): Finding {
  const found = describe(foreign);
  if (found === '403') return ok('origin', 'A foreign Origin is rejected with 403', MCP_HTTP);
  // On a person's machine, any page in the browser reaches the server.
  return finding('foreign_origin_accepted', {
    found,
    severity: isLoopbackHost(hostname) ? 'warning' : undefined,
  });
}

function judgeCors(preflight: Result, answer: Result, origin: string | undefined): readonly Finding[] {
  if (preflight.kind === 'failure' || !allows(preflight, origin ?? FOREIGN_ORIGIN)) {
    return [judgeDenied(describe(preflight), origin)];
  }
  return [...judgeAllowed(preflight, origin), ...(answer.kind === 'answer' ? judgeExposed(answer) : [])];
}

type Result = HttpAnswer | HttpFailure;

function preflightOf(url: string, origin: string) {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': REQUEST_HEADERS.join(','),
  };
  return { method: 'OPTIONS', url, headers, until: HEADERS_ONLY };
}

function allows(answer: HttpAnswer, origin: string): boolean {
  const allowed = header(answer, 'access-control-allow-origin');
  return answer.status < 300 && (allowed === '*' || allowed === origin);
}

/** @internal */
export function judgeDenied(found: string, origin: string | undefined): Finding {
  const severity = origin === undefined ? undefined : 'error';
  if (found === '401') return finding('preflight_needs_token', { found, severity });
  return finding('preflight_denied', { subject: origin, found, severity });
}

/** Judges the answer to a preflight that allows the origin. @internal */
export function judgeAllowed(preflight: HttpAnswer, origin: DoctorContext['origin']): readonly Finding[] {
  const names = words(preflight, 'access-control-allow-headers');
  // The wildcard does not stand for Authorization: Fetch standard, CORS-preflight fetch.
  const missing = REQUEST_HEADERS.filter(
    (name) => !names.includes(name) && (name === 'authorization' || !names.includes('*')),
  );
  const methods = words(preflight, 'access-control-allow-methods');
  // Browsers allow GET and POST without being told.
  const hasMethods = methods.includes('delete') || methods.includes('*');
  const withCookies =
    header(preflight, 'access-control-allow-credentials') === 'true' && origin === undefined;
  const found = header(preflight, 'access-control-allow-origin');
  return [
    ok('preflight', 'The preflight allows the origin', BROWSERS, { subject: origin, found }),
    ...(missing.length > 0
      ? [finding('preflight_headers_missing', { found: `without ${missing.join(', ')}` })]
      : []),
    ...(hasMethods ? [] : [finding('preflight_methods_missing', { found: methods.join(', ') })]),
    ...(withCookies ? [finding('credentials_for_all', { found })] : []),
  ];
}

/** @internal */
export function judgeExposed(answer: HttpAnswer): readonly Finding[] {
  const exposed = words(answer, 'access-control-expose-headers');
  const missing = EXPOSED_HEADERS.filter((name) => !exposed.includes(name));
  if (exposed.includes('*') || missing.length === 0) return [];
  return [finding('headers_not_exposed', { found: `without ${missing.join(', ')}` })];
}
