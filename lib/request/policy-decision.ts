import { McpAuthError } from '../errors/mcp-auth.error.js';
import { AccessDeniedError, AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import type {
  AuthorizationPolicy,
  Policy,
  PolicyCall,
  PolicyContext,
} from '../options/authorization-policy.js';
import { isThenable } from '../platform/deadline.js';
import type { Authorization } from './authorization.js';
import { frozenCall } from './policy-call.js';
import type { Authentication } from './request-context.js';

/** An operation, and the policies that must all allow it. @internal */
export interface PolicyQuestion {
  readonly policies: readonly Policy[];
  readonly call: PolicyCall;
}

/** One policy on one operation. */
interface Step {
  readonly policy: Policy;
  readonly call: PolicyCall;
}

/** All that one layer must decide for a request, with one time limit. @internal */
export class PolicyDecision {
  private readonly steps: readonly Step[];
  private at = 0;
  /** Made when first needed: most policies never use the signal. */
  private controller: AbortController | undefined;

  constructor(
    questions: readonly PolicyQuestion[],
    private readonly caller: Authentication,
    private readonly authorization: Authorization,
    private readonly deciderOf: (policy: Policy) => AuthorizationPolicy['decide'],
  ) {
    this.steps = questions.flatMap(({ policies, call: given }) => {
      const call = frozenCall(given);
      return policies.map((policy) => ({ policy, call }));
    });
  }

  /** Runs policies until one returns a promise, and returns that. Undefined once all have allowed their operation. */
  run(): PromiseLike<unknown> | undefined {
    for (let step = this.steps[this.at]; step; step = this.steps[++this.at]) {
      if (this.authorization.isAllowed(step.policy, step.call)) continue;
      const answer = this.ask(step);
      if ('pending' in answer) return answer.pending;
      this.conclude(step, answer.given);
    }
    return undefined;
  }

  /** Awaits a promise of {@link run}, and runs the other policies. After the time limit, no further policy runs. */
  async runLater(first: PromiseLike<unknown>): Promise<void> {
    for (let pending: PromiseLike<unknown> | undefined = first; pending;) {
      const step = this.steps[this.at] as Step;
      let given: unknown;
      try {
        given = await pending;
      } catch (error) {
        throw explained(step.policy, error);
      }
      if (this.controller?.signal.aborted) return;
      this.conclude(step, given);
      this.at++;
      pending = this.run();
    }
  }

  /** Aborts the policy that has not answered, and returns the error for its answer. */
  end(timeoutMs: number): Error {
    const { policy } = this.steps[this.at] as Step;
    const cause = new Error(`The policy ${nameOf(policy)} gave no answer within ${timeoutMs} ms`);
    this.abort(cause);
    return new AuthorizationServerUnavailableError(this.caller.auth.issuer, 'policy decision', { cause });
  }

  private abort(cause: Error): void {
    (this.controller ??= new AbortController()).abort(cause);
  }

  /** Everything that the policy does may throw, also reading `then` of its answer. */
  private ask({ policy, call }: Step): { pending: PromiseLike<unknown> } | { given: unknown } {
    const decide = this.deciderOf(policy);
    try {
      const given: unknown = decide(call, this.caller.auth, this.context());
      return isThenable(given) ? { pending: given } : { given };
    } catch (error) {
      throw explained(policy, error);
    }
  }

  private context(): PolicyContext {
    const signalOf = (): AbortSignal => (this.controller ??= new AbortController()).signal;
    return {
      resource: this.caller.resource.options.resource,
      get signal() {
        return signalOf();
      },
    };
  }

  private conclude({ policy, call }: Step, given: unknown): void {
    if (given !== true) throw new AccessDeniedError('policy');
    this.authorization.allow(policy, call);
  }
}

/** Errors of this package keep their meaning. Others may quote claims in their message, so it is left out. */
function explained(policy: Policy, error: unknown): unknown {
  if (error instanceof McpAuthError) return error;
  const what = error instanceof Error ? error.name : `a value of type ${typeof error}`;
  const fault = new Error(`The policy ${nameOf(policy)} threw ${what}`, { cause: error });
  if (error instanceof Error && typeof error.stack === 'string') {
    const frames = error.stack.replace(error.message, '').split('\n').slice(1);
    fault.stack = [`${fault.name}: ${fault.message}`, ...frames].join('\n');
  }
  return fault;
}

function nameOf({ name }: Policy): string {
  return name === '' ? '(a function without a name)' : name;
}
