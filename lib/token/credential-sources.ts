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
  return valuesIn(linesOf(request), 'dpop');
}

function linesOf({ headers, rawHeaders, raw }: CredentialRequest): readonly string[] {
  return rawHeaders ?? raw?.rawHeaders ?? Object.entries(headers).flat().map(String);
}

/** Minimum length of a secret. Shorter parts are names of schemes. */
const MIN_SECRET_LENGTH = 10;

/** Returns the parts of a request's Authorization lines that may be secret, to redact them. @internal */
export function presentedSecrets(request: CredentialRequest): readonly string[] {
  return credentialSources(request)
    .authorization.flatMap((line) => line.split(/[ \t,]/))
    .filter((part) => part.length >= MIN_SECRET_LENGTH);
}
