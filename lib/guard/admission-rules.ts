import { type ServerResponse } from 'node:http';
import { type ScopedCall, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { type ProtectedResource } from '../resource-metadata/protected-resource.registry.js';

/** What is asked of a request, beside what its body asks for. @internal */
export interface AdmissionRules {
  readonly resource: ProtectedResource;
  /** What the handler needs, beside the scopes of the resource. */
  readonly requirements: readonly ScopeRequirement[];
  /** What functions among the requirements are told. */
  readonly call: ScopedCall;
  /** For a handler that is called within another request. */
  readonly handler?: CalledHandler | undefined;
  /** Whether a request without credentials is let in, where nothing that it asks for needs scopes. */
  readonly allowsAnonymous: boolean;
  /** The Node response; undefined where a handler is called within another request. */
  readonly response?: ServerResponse | undefined;
  /** Whether the handler may write the response itself, as an event stream. @defaultValue true */
  readonly mayStream?: boolean | undefined;
  /** Whether the handler comes next, so that what the body asks for must be known now. @defaultValue false */
  readonly isLast?: boolean;
}

/** A handler that is called within another request. @internal */
export interface CalledHandler {
  /** The name of its tool or prompt, its URI or template. */
  readonly name: string;
  /** What stands for the message that it is called for; undefined where it is called for none of its own. */
  readonly message: object | undefined;
  /** What is the same for each guard of one call, and for no other call. */
  readonly invocation: object;
}
