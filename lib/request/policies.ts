import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { McpAuthError } from '../errors/mcp-auth.error.js';
import { AccessDeniedError, AuthorizationServerUnavailableError } from '../errors/rejection.errors.js';
import { describeFault } from '../events/escape-for-log.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import {
  type AuthorizationPolicy,
  isPolicyClass,
  type Policy,
  type PolicyCall,
  type PolicyClass,
} from '../options/authorization-policy.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { providerOf } from '../platform/application-provider.js';
import { SharedDeadline } from '../platform/deadline.js';
import { Authorization } from './authorization.js';
import { PolicyDecision, type PolicyQuestion } from './policy-decision.js';
import type { Authentication } from './request-context.js';

/** What the class of a policy is for. */
const ROLE = { role: 'is a policy', method: 'decide', fix: 'extend AuthorizationPolicy' };

/** A policy, and where the application names it. @internal */
export interface NamedPolicy {
  /** The class and method, or the option's path. */
  readonly path: string;
  readonly policy: Policy;
}

/**
 * Runs the policies of the application. Only `true` allows an operation: a policy that throws, that takes too long or that returns
 * something else denies it.
 *
 * @internal
 */
@Injectable()
export class Policies {
  /** Whether the application names any policy. Then requests may have to be awaited. */
  isUsed = false;
  private readonly instances = new Map<PolicyClass, AuthorizationPolicy>();
  private readonly deadline: SharedDeadline;

  constructor(
    private readonly modules: ModuleRef,
    private readonly log: RateLimitedLogger,
    @Inject(MCP_AUTH_OPTIONS) { verifierTimeoutMs }: Pick<ResolvedMcpAuthOptions, 'verifierTimeoutMs'>,
  ) {
    this.deadline = new SharedDeadline(verifierTimeoutMs);
  }

  /**
   * Finds the instances of all classes that the application names. Call it once all providers have been created.
   *
   * @returns what is wrong, for each place that names a class without an instance
   */
  prepare(named: readonly NamedPolicy[]): readonly ConfigProblem[] {
    this.isUsed = named.length > 0;
    return named.flatMap(({ path, policy }) => {
      try {
        this.deciderOf(policy);
        return [];
      } catch (error) {
        if (!(error instanceof McpAuthConfigError)) throw error;
        return error.problems.map(({ path: name, message }) => ({ path, message: `${name} ${message}` }));
      }
    });
  }

  /**
   * Lets the policies decide, one after the other, until one of them denies.
   *
   * @param authorization - knows what was allowed before for this request, and is told what is allowed now
   * @returns a promise only if a policy returns one
   * @throws {@link AccessDeniedError} unless all of them return true; an error for a policy that throws or takes too long
   */
  check(
    questions: readonly PolicyQuestion[],
    caller: Authentication,
    authorization: Authorization,
  ): Promise<void> | undefined {
    const decision = new PolicyDecision(questions, caller, authorization, (policy) => this.deciderOf(policy));
    const pending = decision.run();
    if (!pending) return undefined;
    return this.deadline.await(decision.runLater(pending), {
      onTimeout: (ms) => decision.end(ms),
      onFulfilled: () => undefined,
      onRejected: (error) => error,
    });
  }

  /**
   * Returns which of the questions are allowed, by their number. One that cannot be decided is not.
   *
   * @returns a promise only if a policy returns one
   */
  allowed(
    questions: readonly PolicyQuestion[],
    caller: Authentication,
    authorization: Authorization,
  ): readonly boolean[] | Promise<readonly boolean[]> {
    const answers = questions.map((question): boolean | Promise<boolean> => {
      try {
        const pending = this.check([question], caller, authorization);
        return pending
          ? pending.then(
              () => true,
              (error: unknown) => this.denied(error),
            )
          : true;
      } catch (error) {
        return this.denied(error);
      }
    });
    const isDecided = answers.every((answer) => typeof answer === 'boolean');
    return isDecided ? answers : Promise.all(answers.map((answer) => Promise.resolve(answer)));
  }

  /** Returns whether a policy allows a call. @throws what {@link check} throws, except its denial */
  async can(policy: Policy, call: PolicyCall, caller: Authentication): Promise<boolean> {
    try {
      await this.check([{ policies: [policy], call }], caller, new Authorization());
      return true;
    } catch (error) {
      if (error instanceof AccessDeniedError) return false;
      throw error;
    }
  }

  private denied(error: unknown): false {
    if (error instanceof McpAuthError && !(error instanceof AuthorizationServerUnavailableError))
      return false;
    const kind = 'a policy failed, so a list leaves out what it protects';
    const cause = error instanceof AuthorizationServerUnavailableError ? error.cause : error;
    this.log.write('error', kind, kind, describeFault(cause));
    return false;
  }

  /** @throws {@link McpAuthConfigError} for a class of which Nest has no instance for all requests */
  private deciderOf(policy: Policy): AuthorizationPolicy['decide'] {
    if (!isPolicyClass(policy)) return policy;
    const known = this.instances.get(policy) ?? providerOf(this.modules, policy, ROLE);
    this.instances.set(policy, known);
    return (...args) => known.decide(...args);
  }
}
