import { isDeepStrictEqual } from 'node:util';
import type { ScopeChoice } from '../policy/scopes.js';

/** A call of a handler, as functions in `@RequireScopes()` get it. @internal */
export interface DecidedCall {
  readonly kind: string;
  readonly name: string;
  readonly method: string;
  readonly arguments: object;
}

/** The scopes that a function returned for a call. */
interface Answer {
  readonly call: DecidedCall;
  readonly choices: readonly ScopeChoice[];
}

/** A message whose handler has been called. */
interface HandledMessage {
  readonly message: object;
  readonly operation: DecidedCall;
  readonly invocation: object;
}

const NONE: readonly never[] = [];

/**
 * The authorization of one request for one caller, so that later layers do not evaluate it again. It has the operations of the
 * body as they were sent, what they need, what functions in `@RequireScopes()` returned, and what policies allowed. A function
 * and a policy run once for each call.
 *
 * @internal
 */
export class Authorization {
  private listedNames: Map<string, ReadonlySet<string>> | undefined;
  private answers: Map<object, Map<string, Answer[]>> | undefined;
  private decisions: Map<object, DecidedCall[]> | undefined;
  private handled: readonly HandledMessage[] = NONE;
  private operations: readonly DecidedCall[] = NONE;
  private body: unknown;
  /** Whether anything was authorized. */
  isMade = false;
  /** The needs of the operations of the body. */
  bodyChoices: readonly ScopeChoice[] = NONE;
  /** The needs of the last route and of the operations of the body. */
  needed: readonly ScopeChoice[] = NONE;
  private requirements: readonly unknown[] = NONE;

  /** Records the needs of the operations of a body. */
  record(body: unknown, operations: readonly DecidedCall[], choices: readonly ScopeChoice[] = NONE): void {
    this.isMade = true;
    this.body = body;
    this.operations = operations;
    this.bodyChoices = choices;
    this.requirements = NONE;
    this.needed = choices;
  }

  /** The names of the handlers that policies let the caller list, by kind; a kind is missing if no policy was asked. */
  get listed(): Map<string, ReadonlySet<string>> {
    return (this.listedNames ??= new Map<string, ReadonlySet<string>>());
  }

  /** The operation of the body, if there is exactly one. */
  get onlyOperation(): DecidedCall | undefined {
    return this.operations.length === 1 ? this.operations[0] : undefined;
  }

  /**
   * Records the route that the request was authorized for.
   *
   * @param needed - what the route and the operations of the body need
   */
  recordRoute(requirements: readonly unknown[], needed: readonly ScopeChoice[]): void {
    this.requirements = requirements;
    this.needed = needed;
  }

  /** Whether the request was authorized for a route with the same needs or more. */
  coversRoute(requirements: readonly unknown[]): boolean {
    return requirements.length === 0 || requirements === this.requirements;
  }

  /**
   * Whether the operations of a body were authorized.
   *
   * @param operations - the current operations of the body: an application's middleware may have changed it in place
   */
  covers(body: unknown, operations: readonly DecidedCall[] = this.operations): boolean {
    if (!this.isMade || this.body !== body) return false;
    const known = this.operations;
    if (known === operations) return true;
    if (known.length !== operations.length) return false;
    return operations.every((operation, index) => isSent(operation, known[index]));
  }

  /**
   * Returns a call with the arguments that were sent for it. Each message is valid for one call of its handler. If code calls
   * the handler again with arguments of its own, those arguments are checked.
   *
   * If the body has several operations of this kind, name and method, it is unknown which of them the message is: handlers may
   * start in another order, and a notification starts none. Then the call keeps its own arguments.
   *
   * @param call - the handler's kind, name and method; its arguments are not compared
   * @param message - represents the message that the handler is called for
   * @param invocation - the same object for each guard of one call, and for no other call
   * @returns undefined if no such operation was sent, or if another call has used it
   */
  sent<Call extends DecidedCall>(call: Call, message: object, invocation: object): Call | undefined {
    const before = this.handled.find((each) => each.message === message);
    if (before && before.invocation !== invocation) return undefined;
    const same = this.operations.filter((each) => isSame(each, call));
    const operation = before?.operation ?? same.find((each) => this.isFree(each));
    if (!operation) return undefined;
    if (!before) this.handled = [...this.handled, { message, operation, invocation }];
    return same.length === 1 ? { ...call, arguments: operation.arguments } : call;
  }

  private isFree(operation: DecidedCall): boolean {
    return !this.handled.some((each) => each.operation === operation);
  }

  /** Returns the scopes that a function requires for a call. The function runs only the first time. */
  answer(ask: object, call: DecidedCall, choicesNow: () => readonly ScopeChoice[]): readonly ScopeChoice[] {
    const answers = (this.answers ??= new Map<object, Map<string, Answer[]>>());
    const byName = answers.get(ask) ?? new Map<string, Answer[]>();
    answers.set(ask, byName);
    const known = byName.get(call.name) ?? [];
    byName.set(call.name, known);
    const found = known.find((each) => isSent(each.call, call));
    if (found) return found.choices;
    const choices = choicesNow();
    known.push({ call, choices });
    return choices;
  }

  /** Records that a policy allows a call. @param call - a copy, which nothing changes */
  allow(policy: object, call: DecidedCall): void {
    const decisions = (this.decisions ??= new Map<object, DecidedCall[]>());
    const known = decisions.get(policy);
    if (known) known.push(call);
    else decisions.set(policy, [call]);
  }

  /** Whether a policy has allowed a call. Arguments are compared by value: they may have been changed in place. */
  isAllowed(policy: object, call: DecidedCall): boolean {
    const known = this.decisions?.get(policy);
    return (
      known?.some((each) => isSame(each, call) && isDeepStrictEqual(each.arguments, call.arguments)) === true
    );
  }
}

function isSame(one: DecidedCall, other: DecidedCall): boolean {
  return one.kind === other.kind && one.name === other.name && one.method === other.method;
}

/** Whether two calls are the same, with the identical arguments object. */
function isSent(one: DecidedCall, other: DecidedCall | undefined): boolean {
  return other !== undefined && isSame(one, other) && one.arguments === other.arguments;
}
