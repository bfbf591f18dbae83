import { FetchNeeded } from '../authorization-server/fetch-needed.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims, VerifiedToken } from '../options/token.verifier.js';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { decodeClaims, decodeHeader } from '../token/decode-jws.js';
import { assertTokenForm } from '../token/extract-token.js';
import { routeOf, type TokenRoute } from '../token/issuer-token.verifier.js';
import { assertAccessTokenHeader } from '../token/jwt-header-rules.js';
import { algorithmOf, toVerifiedToken } from '../token/jwt-token.verifier.js';
import {
  checked,
  failed,
  failureOf,
  issuersOf,
  list,
  notReached,
  passed,
  show,
  unknown,
} from './token-checks.js';
import type { TokenCheck } from './token-explanation.interface.js';

/** What came of the verification of a token: its claims, or what it failed with, or why that is unknown. @internal */
export type Verification =
  { readonly verified: VerifiedToken } | { readonly failure: unknown } | { readonly unknown: string };

/** The checks before those of the claims. @internal */
export interface VerificationChecks {
  readonly checks: readonly TokenCheck[];
  /** The claims; not verified unless the verification succeeded. Undefined if they are not known. */
  readonly verified: VerifiedToken | undefined;
}

/** A token and where it was sent. @internal */
export interface TokenInQuestion {
  readonly token: string;
  readonly resource: ProtectedResource;
  readonly maxTokenLength: number;
}

/** The checks of the package's own verifier: see `IssuerTokenVerifier`. @internal */
export function ownChecks(question: TokenInQuestion, verification: Verification): VerificationChecks {
  const { token } = question;
  let route: TokenRoute;
  try {
    assertForm(question);
    route = offlineRouteOf(question);
  } catch (error) {
    return misrouted(question, error, verification);
  }
  const before = [passed('form', formTexts(question)), passed('issuer', issuerTexts(question, route.server))];
  const { server, claims } = route;
  const after = claims
    ? jwtChecks(token, claims, server, verification)
    : introspectionChecks(server, verification);
  return { checks: [...before, ...after.checks], verified: after.verified };
}

/** The checks of a verifier of the application. @internal */
export function applicationChecks(question: TokenInQuestion, verification: Verification): VerificationChecks {
  const form = checked(
    'form',
    () => {
      assertForm(question);
    },
    formTexts(question),
  );
  if (form.outcome === 'failed') return { checks: [form, notReached('verifier')], verified: undefined };
  const check = resultOf('verifier', 'claims from the verifier of the application', 'claims', verification);
  return { checks: [form, check], verified: verifiedOf(verification) };
}

/** The application is not asked here, so the route is known at once. */
function offlineRouteOf({ token, resource }: TokenInQuestion): TokenRoute {
  const resolved = resource.resolvedServers?.offline();
  return routeOf(token, {
    authorizationServers: resource.servers,
    findAuthorizationServer: resolved && ((issuer) => resolved.find(issuer)),
  }) as TokenRoute;
}

/** The checks of a token whose issuer the application did not resolve. */
function unresolved(
  question: TokenInQuestion,
  { message }: FetchNeeded,
  verification: Verification,
): VerificationChecks {
  const texts = issuerTexts(question);
  const issuer =
    'failure' in verification
      ? failed('issuer', verification.failure, texts)
      : unknown('issuer', texts.expected, message);
  const rest = (['algorithm', 'signature', 'type'] as const).map(notReached);
  return { checks: [passed('form', formTexts(question)), issuer, ...rest], verified: undefined };
}

/** The checks of a token that belongs to no server of the resource, or has a wrong form. */
function misrouted(
  question: TokenInQuestion,
  error: unknown,
  verification: Verification,
): VerificationChecks {
  if (error instanceof FetchNeeded) return unresolved(question, error, verification);
  const rest = (['algorithm', 'signature', 'type'] as const).map(notReached);
  const isForeign = error instanceof TokenRejectedError && error.reason === 'issuer';
  const checks = isForeign
    ? [passed('form', formTexts(question)), failed('issuer', error, issuerTexts(question))]
    : [failed('form', error, formTexts(question)), notReached('issuer')];
  return { checks: [...checks, ...rest], verified: undefined };
}

function jwtChecks(
  token: string,
  claims: TokenClaims,
  server: TrustedAuthorizationServer,
  verification: Verification,
): VerificationChecks {
  const header = decodeHeader(token) ?? {};
  const { algorithms, profile } = server.options;
  const algorithm = checked('algorithm', () => algorithmOf(token, algorithms), {
    expected: list(algorithms),
    found: show(header['alg']),
  });
  const type = checked(
    'type',
    () => {
      assertAccessTokenHeader(header, profile);
    },
    {
      expected: profile === 'rfc9068' ? 'typ at+jwt' : 'typ at+jwt, JWT or none',
      found: `typ ${show(header['typ'])}`,
    },
  );
  const signature = signatureCheck({ server, header, algorithm, type, verification });
  return {
    checks: [algorithm, signature, type],
    verified: verifiedOf(verification) ?? toVerifiedToken(claims, server),
  };
}

interface SignatureInQuestion {
  readonly server: TrustedAuthorizationServer;
  readonly header: Readonly<Record<string, unknown>>;
  readonly algorithm: TokenCheck;
  readonly type: TokenCheck;
  readonly verification: Verification;
}

/** The signature is checked after the algorithm and before the type. So if the verification failed, one of these three did. */
function signatureCheck({ server, header, algorithm, type, verification }: SignatureInQuestion): TokenCheck {
  if (algorithm.outcome === 'failed') return notReached('signature');
  const expected = `a key of ${server.issuer}`;
  const found = `kid ${show(header['kid'])}`;
  if ('unknown' in verification) return unknown('signature', expected, verification.unknown);
  const isOfType =
    'failure' in verification &&
    verification.failure instanceof TokenRejectedError &&
    verification.failure.reason === type.reason;
  if ('verified' in verification || isOfType) return passed('signature', { expected, found });
  return failed('signature', verification.failure, { expected, found });
}

function introspectionChecks(
  server: TrustedAuthorizationServer,
  verification: Verification,
): VerificationChecks {
  const expected = `an active token of ${server.issuer}`;
  const check = resultOf('introspection', expected, 'active, by a cached response', verification);
  return { checks: [check], verified: verifiedOf(verification) };
}

function resultOf(
  name: 'introspection' | 'verifier',
  expected: string,
  found: string,
  verification: Verification,
): TokenCheck {
  if ('unknown' in verification) return unknown(name, expected, verification.unknown);
  if ('verified' in verification) return passed(name, { expected, found });
  return failed(name, verification.failure, { expected, found: 'a rejection' });
}

function verifiedOf(verification: Verification): VerifiedToken | undefined {
  return 'verified' in verification ? verification.verified : undefined;
}

function assertForm({ token, maxTokenLength }: TokenInQuestion): void {
  assertTokenForm(token, maxTokenLength);
}

function formTexts({ token, maxTokenLength }: TokenInQuestion) {
  const parts = token.split('.').length;
  return {
    expected: `at most ${String(maxTokenLength)} characters of a bearer token; three parts if it is a JWT`,
    found: `${String(token.length)} characters in ${String(parts)} ${parts === 1 ? 'part' : 'parts'}`,
  };
}

function issuerTexts({ token, resource }: TokenInQuestion, opaque?: TrustedAuthorizationServer) {
  const expected = issuersOf(resource);
  let found = opaque ? `no JWT: ${opaque.issuer} introspects it` : 'none';
  failureOf(() => (found = show(decodeClaims(token)['iss'])));
  return { expected, found };
}
