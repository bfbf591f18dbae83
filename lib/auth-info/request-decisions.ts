import { type ScopeChoice } from '../gate/scopes.js';

/** A call of a handler, as functions in requirements are told of it. @internal */
export interface DecidedCall {
  readonly kind: string;
  readonly name: string;
  readonly method: string;
  readonly arguments: object;
}

/** What a function asks for a call. */
interface Answer {
  readonly call: DecidedCall;
  readonly choices: readonly ScopeChoice[];
}

/** A message whose handler has been called. */
interface HandledMessage {
  readonly operation: DecidedCall;
  readonly invocation: object;
}

/**
 * What has been decided of one request, for one caller: the operations of its body, as they were sent, and what functions
 * in requirements said of each call. Several layers decide on the same request; a function runs once for each call.
 *
 * @internal
 */
export class RequestDecisions {
  private readonly answers = new Map<object, Map<string, Answer[]>>();
  private readonly handled = new Map<object, HandledMessage>();
  private operations: readonly DecidedCall[] = [];
  private body: unknown;

  /** Records the operations of a body, all of which have been decided on. */
  record(body: unknown, operations: readonly DecidedCall[]): void {
    this.body = body;
    this.operations = operations;
  }

  /** Whether the operations of this very body have been decided on. */
  covers(body: unknown): boolean {
    return body !== undefined && this.body === body;
  }

  /**
   * A call with the arguments that were sent for it. Each message is good for one call of its handler: code that calls the
   * handler once more, with arguments of its own, is decided on by those.
   *
   * @param call - the handler's kind, name and method; its arguments are not compared
   * @param message - what stands for the message that the handler is called for
   * @param invocation - what is the same for each guard of one call, and for no other call
   * @returns undefined where no such operation was sent, or another call has been decided by it
   */
  sent<Call extends DecidedCall>(call: Call, message: object, invocation: object): Call | undefined {
    const before = this.handled.get(message);
    if (before && before.invocation !== invocation) return undefined;
    const taken = new Set([...this.handled.values()].map(({ operation }) => operation));
    const isFree = (operation: DecidedCall): boolean => !taken.has(operation) && isSame(operation, call);
    const operation = before?.operation ?? this.operations.find(isFree);
    if (!operation) return undefined;
    this.handled.set(message, { operation, invocation });
    return { ...call, arguments: operation.arguments };
  }

  /** What a function asks for a call; it is asked where it has not been yet. */
  answer(ask: object, call: DecidedCall, choicesNow: () => readonly ScopeChoice[]): readonly ScopeChoice[] {
    const byName = this.answers.get(ask) ?? new Map<string, Answer[]>();
    this.answers.set(ask, byName);
    const known = byName.get(call.name) ?? [];
    byName.set(call.name, known);
    const found = known.find((each) => isSame(each.call, call) && each.call.arguments === call.arguments);
    if (found) return found.choices;
    const choices = choicesNow();
    known.push({ call, choices });
    return choices;
  }
}

function isSame(one: DecidedCall, other: DecidedCall): boolean {
  return one.kind === other.kind && one.name === other.name && one.method === other.method;
}
