import type { IncomingHttpHeaders } from 'node:http';
import { valuesIn } from '../platform/header-lines.js';
import type { CredentialSources } from './extract-bearer-token.js';

/** The part of a request that credentials are read from, on any platform. @internal */
export interface CredentialRequest {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders?: readonly string[];
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
  /** The Node request behind a request of Fastify's. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/**
 * Reads every Authorization line: Node keeps only the first of several in `headers`, without a word.
 *
 * @internal
 */
export function credentialSources(request: CredentialRequest): CredentialSources {
  const lines =
    request.rawHeaders ?? request.raw?.rawHeaders ?? Object.entries(request.headers).flat().map(String);
  const authorization = valuesIn(lines, 'authorization');
  return { authorization, target: request.originalUrl ?? request.url ?? '' };
}

/** Shorter parts are names of schemes, and nothing that is worth keeping. */
const MIN_SECRET_LENGTH = 10;

/** The parts of a request's Authorization lines that may be secret, for what must not show them. @internal */
export function presentedSecrets(request: CredentialRequest): readonly string[] {
  return credentialSources(request)
    .authorization.flatMap((line) => line.split(/[ \t,]/))
    .filter((part) => part.length >= MIN_SECRET_LENGTH);
}
