import { Inject, Injectable } from '@nestjs/common';
import type { AuthorizedRequest, ResponseState } from '../request/response-state.js';
import { requestIdOf } from '../rejection/rejection-body.js';
import { describeFault } from '../events/escape-for-log.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { type McpOperationKind, NO_ARGUMENTS } from '../mcp/operations.js';
import { hasCacheScopes } from '../mcp/protocol-version.js';
import { choicesWithoutCaller } from '../mcp/scope-requirement.js';
import { hasUnreadMessage } from '../mcp/unread-body.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { nodeRequestOf } from '../platform/node-message.js';
import { isEventStream } from '../platform/response-arguments.js';
import { applyToAnswer, asksForList, asksForTools, type ListRules } from './list-entries.js';
import { eventFields, withData } from './event-stream.js';
import type { Replacement } from './response-transformer.interface.js';
import { ListPreview } from './list-preview.js';
import { ToolSecurity } from './tool-security.js';
import { transformResponse } from './transform-response.js';

/** Most bytes of a list that are rewritten. A longer list is rejected if entries are hidden. */
const MAX_LIST_BYTES = 4_194_304;

/**
 * Applies the options `listPolicy` and `toolSecuritySchemes` to lists, in the responses of any server behind the guard. It
 * does not authorize calls: each call is checked by itself.
 *
 * To hide entries, it reads responses to requests for a list, and to requests whose body was not read. It also reads event
 * streams opened by GET, because a transport may resend missed messages on them. If nothing is hidden, it reads only
 * responses to `tools/list`, and streams on which the client asks for missed messages.
 *
 * @internal
 */
@Injectable()
export class ListPolicy {
  private readonly hides: boolean;

  constructor(
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly scopes: ScopePolicy,
    private readonly security: ToolSecurity,
    private readonly preview: ListPreview,
    private readonly log: RateLimitedLogger,
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'listPolicy' | 'toolSecuritySchemes'>,
  ) {
    this.hides = options.listPolicy === 'hide';
  }

  intercept(state: ResponseState): void {
    const isWanted = this.mayChange(state.authorized);
    if (state.list) {
      if (!isWanted) restoreEncoding(state.authorized, state.list.acceptEncoding);
    } else if (isWanted) this.watch(state);
  }

  /** Whether the response may contain a list that must be changed. */
  private mayChange(authorized: AuthorizedRequest): boolean {
    if (this.hides) return mayList(authorized);
    return this.options.toolSecuritySchemes && mayListTools(authorized);
  }

  private watch(state: ResponseState): void {
    state.list = { acceptEncoding: keepPlain(state.authorized) };
    const rewritten = (text: string): string | undefined => this.rewritten(text, state.authorized);
    const rejected = (): readonly string[] => this.rejected(state.authorized);
    const replacement = (): Replacement => noList(rejected(), state.authorized.body);
    const mayLeak = this.hides;
    transformResponse(state.authorized.response, {
      maxBytes: MAX_LIST_BYTES,
      begin: ({ header }) => (mayBeList(header('content-type') ?? '', state.authorized) ? 'read' : 'pass'),
      body: (body, status) => rewritten(body) ?? (mayLeak && status < 400 ? replacement() : body),
      event: (event) => {
        const { name, data = '' } = eventFields(event);
        if (data === '') return event;
        const changed = rewritten(data);
        if (changed !== undefined) return changed === data ? event : withData(event, changed);
        // Clients read no other events.
        const isMessage = name === '' || name === 'message';
        return mayLeak && isMessage ? eventsOf(rejected(), event) : event;
      },
      isUndecided: () => false,
      unreadable: () => (mayLeak ? replacement() : undefined),
      longEvent: mayLeak ? () => eventsOf(rejected(), 'data:\n\n') : undefined,
    });
  }

  /** Returns the rewritten text; undefined if it is not JSON. */
  private rewritten(text: string, authorized: AuthorizedRequest): string | undefined {
    try {
      const answer: unknown = JSON.parse(text);
      return applyToAnswer(answer, this.rules(authorized)) ? JSON.stringify(answer) : text;
    } catch (error) {
      if (!(error instanceof SyntaxError)) {
        const kind = 'a list could not be changed as the options say';
        this.log.write('error', kind, kind, describeFault(error));
      }
      return undefined;
    }
  }

  private rules(authorized: AuthorizedRequest): ListRules {
    return {
      isVisible: this.hides ? (kind, name) => this.isVisible(kind, name, authorized) : undefined,
      schemesOf: this.options.toolSecuritySchemes
        ? (tool) => this.security.schemesOf(tool, authorized)
        : undefined,
      saysCacheScope: hasCacheScopes(authorized.request.headers['mcp-protocol-version']),
    };
  }

  /**
   * Scopes that functions return are not known without a call, so only those of a caller with a token are disregarded. A caller
   * without a token sees what runs without one, and nothing else.
   */
  private isVisible(kind: McpOperationKind, name: string, authorized: AuthorizedRequest): boolean {
    const { auth, resource } = authorized;
    const operation = { kind, name, method: '', arguments: NO_ARGUMENTS };
    if (!auth)
      return !this.handlerScopes.needsCaller(operation) && this.security.isOpen(operation, authorized);
    const requirements = this.handlerScopes.requirementsOf(operation);
    const isGranted = this.scopes.isSatisfied(auth, resource, choicesWithoutCaller(requirements));
    return isGranted && this.preview.isAllowed(operation, authorized);
  }

  /** Returns a JSON-RPC error for each request that gets no list. */
  private rejected({ body, resource }: AuthorizedRequest): readonly string[] {
    const kind = 'a list was not given';
    const why = `the answer is no JSON, is encoded, or has more than ${MAX_LIST_BYTES} bytes`;
    this.log.write(
      'error',
      kind,
      `Answered with an error for ${resource.options.resource}: ${kind}, as ${why}`,
    );
    const ids = (Array.isArray(body) ? body : [body]).map(requestIdOf).filter((id) => id !== null);
    return ids.map((id) => JSON.stringify({ jsonrpc: '2.0', id, error: REJECTED }));
  }
}

const REJECTED = { code: -32603, message: 'The list cannot be given' };

/** Whether the response may contain a list. */
function mayList({ request, body }: AuthorizedRequest): boolean {
  return request.method === 'GET' || asksForList(body) || isUnread(request, body);
}

/** Whether the response may contain a list of tools, if missing one does no harm. */
function mayListTools({ request, body }: AuthorizedRequest): boolean {
  return asksForTools(body) || (request.method === 'GET' && request.headers['last-event-id'] !== undefined);
}

/** Whether a response of a media type may contain a list. If a list was requested, every response may. */
function mayBeList(type: string, { request, body }: AuthorizedRequest): boolean {
  if (request.method === 'GET') return isEventStream(type);
  return asksForList(body) || (isUnread(request, body) && (isEventStream(type) || type.includes('json')));
}

/** Whether the body was unread when interception of the response began. */
function isUnread(request: AuthorizedRequest['request'], body: unknown): boolean {
  return hasUnreadMessage({ headers: request.headers, body, raw: nodeRequestOf(request) });
}

/** Removes `Accept-Encoding`, because compressed responses cannot be rewritten. Returns its value. */
function keepPlain({ request }: AuthorizedRequest): unknown {
  const headers = headersOf(request);
  const isOther = request.method === 'GET' && !String(headers['accept']).includes('text/event-stream');
  if (isOther) return undefined;
  const acceptEncoding = headers['accept-encoding'];
  delete headers['accept-encoding'];
  return acceptEncoding;
}

function restoreEncoding({ request }: AuthorizedRequest, acceptEncoding: unknown): void {
  if (acceptEncoding !== undefined) headersOf(request)['accept-encoding'] = acceptEncoding;
}

function headersOf(request: AuthorizedRequest['request']): Record<string, unknown> {
  return (nodeRequestOf(request) as AuthorizedRequest['request']).headers;
}

function noList(errors: readonly string[], body: unknown): Replacement {
  const nothing = JSON.stringify({ jsonrpc: '2.0', id: null, error: REJECTED });
  const text = Array.isArray(body) ? `[${errors.join(',')}]` : (errors[0] ?? nothing);
  return { status: 500, headers: { 'Content-Type': 'application/json' }, body: text };
}

function eventsOf(errors: readonly string[], event: string): string {
  return errors.map((error) => withData(event, error)).join('');
}
