import type { IncomingHttpHeaders } from 'node:http';
import { valuesIn } from '../platform/header-lines.js';
import type { CredentialSources } from './extract-token.js';

/** The part of a request that contains credentials, on any platform. @internal */
export interface CredentialRequest {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders?: readonly string[];
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
  /** The Node request, if this is a Fastify request. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/**
 * Returns every Authorization line. In `headers`, Node silently keeps only the first of several.
 *
 * @internal
 */
export function credentialSources(request: CredentialRequest): CredentialSources {
  const authorization = valuesIn(linesOf(request), 'authorization');
  return { authorization, target: request.originalUrl ?? request.url ?? '' };
}

/** Returns every DPoP line. @internal */
export function proofsIn(request: CredentialRequest): readonly string[] {
  return valuesOf(request, 'dpop');
}

/** Returns every line of a header, by its name in lower case. @internal */
export function valuesOf(request: CredentialRequest, name: string): readonly string[] {
  return valuesIn(linesOf(request), name);
}

function linesOf({ headers, rawHeaders, raw }: CredentialRequest): readonly string[] {
  return rawHeaders ?? raw?.rawHeaders ?? Object.entries(headers).flat().map(String);
}

/** Minimum length of a secret. Shorter parts are names of schemes. */
const MIN_SECRET_LENGTH = 10;

/** Minimum length of an API key that is redacted. To redact shorter ones would hide parts of words, and nothing that is secret. */
const MIN_KEY_LENGTH = 4;

/**
 * Returns the parts of a request's credentials that may be secret, to redact them.
 *
 * @param keyHeader - the header of its API key, if it has one
 * @internal
 */
export function presentedSecrets(request: CredentialRequest, keyHeader?: string): readonly string[] {
  const tokens = partsOf(credentialSources(request).authorization, MIN_SECRET_LENGTH);
  if (keyHeader === undefined) return tokens;
  const keys = valuesOf(request, keyHeader);
  const whole = keys.filter((key) => key.length >= MIN_KEY_LENGTH);
  return [...whole, ...partsOf(keys, MIN_KEY_LENGTH), ...tokens];
}

function partsOf(lines: readonly string[], minLength: number): readonly string[] {
  return lines.flatMap((line) => line.split(/[ \t,]/)).filter((part) => part.length >= minLength);
}
