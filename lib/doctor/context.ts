import type { JSONWebKeySet } from 'jose';
import type { Challenge } from './challenge-grammar.js';
import type { Finding } from './finding.js';
import type { HttpAnswer, HttpClient } from './http.js';

/** What a JSON document says. Nothing of it is checked. @internal */
export type Json = Readonly<Record<string, unknown>>;

/** What is known of an authorization server. @internal */
export interface ServerFacts {
  readonly issuer: string;
  readonly metadata: Json | undefined;
  readonly keys: JSONWebKeySet | undefined;
}

/** What a list of tools says of one of them. @internal */
export interface ToolFacts {
  readonly name: string;
  /** Undefined if the list does not say. */
  readonly scopes: readonly string[] | undefined;
  /** Whether the list says how the tool authenticates: `securitySchemes`. */
  readonly hasSchemes: boolean;
}

/** What earlier checks found out for later ones. @internal */
export interface Facts {
  /** `unreachable`: no answer. `unusable`: an answer that no further check can use. */
  reach: 'unknown' | 'unreachable' | 'unusable' | 'usable';
  /** The answer to the first request without a token. */
  first: HttpAnswer | undefined;
  /** Whether the server answers some requests without a token. */
  isAnonymous: boolean;
  /** Whether a tool call of an OpenAI client without a token is challenged in its result. */
  hasToolChallenge: boolean;
  challenge: Challenge | undefined;
  document: Json | undefined;
  readonly servers: ServerFacts[];
  tools: readonly ToolFacts[] | undefined;
}

/** What a check works with. @internal */
export interface DoctorContext {
  /** The URL as it was given: identifiers are compared as written. */
  readonly url: string;
  readonly target: URL;
  readonly http: HttpClient;
  /** The user's access token. It is sent to {@link url} only. */
  readonly token: string | undefined;
  /** An origin of a browser client that is to be served. */
  readonly origin: string | undefined;
  /** Unit: milliseconds since the epoch. */
  readonly now: () => number;
  readonly facts: Facts;
}

/** A group of related checks. @internal */
export interface Check {
  readonly id: string;
  readonly title: string;
  /** Whether the check can say anything. @defaultValue always */
  isNeeded?(context: DoctorContext): boolean;
  run(context: DoctorContext): Promise<readonly Finding[]>;
}

/** Facts before the first check. @internal */
export function noFacts(): Facts {
  return {
    reach: 'unknown',
    first: undefined,
    isAnonymous: false,
    hasToolChallenge: false,
    challenge: undefined,
    document: undefined,
    servers: [],
    tools: undefined,
  };
}
