import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { TokenVerifier, type TokenVerifierClass, type VerifyToken } from '../options/token.verifier.js';

/** What every form of verifier comes down to. @internal */
export type Verifies = Pick<TokenVerifier, 'verify'>;

/**
 * Knows which verifier serves a resource: its own or the module's, else what the container has for
 * {@link TokenVerifier}.
 *
 * @internal
 */
@Injectable()
export class VerifierRegistry implements OnModuleInit {
  private readonly byResource = new Map<ResolvedProtectedResourceOptions, Verifies>();

  constructor(
    private readonly standard: TokenVerifier,
    private readonly moduleRef: ModuleRef,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * Finds all of them, once.
   *
   * @throws {@link McpAuthConfigError} for a class that is not among the providers, or that cannot verify
   */
  onModuleInit(): void {
    for (const resource of this.options.resources) this.of(resource);
  }

  of(resource: ResolvedProtectedResourceOptions): Verifies {
    const known = this.byResource.get(resource);
    if (known) return known;
    const verifier = this.find(resource);
    this.byResource.set(resource, verifier);
    return verifier;
  }

  private find({ verifier, resource }: ResolvedProtectedResourceOptions): Verifies {
    if (verifier === undefined) return this.standard;
    return isClass(verifier) ? this.provided(verifier, resource) : { verify: verifier };
  }

  private provided(type: TokenVerifierClass, resource: string): Verifies {
    const found = this.instanceOf(type, resource);
    if (typeof (found as Partial<Verifies>).verify === 'function') return found;
    throw rejected(type, `is the verifier of ${resource} and has no method "verify"; extend TokenVerifier`);
  }

  private instanceOf(type: TokenVerifierClass, resource: string): Verifies {
    try {
      return this.moduleRef.get(type, { strict: false });
    } catch (cause) {
      const fix = `add ${type.name} to the providers of a module, in the default scope`;
      throw rejected(type, `is the verifier of ${resource} and cannot be found; ${fix}`, { cause });
    }
  }
}

/** A class keeps its prototype for good; one compiled to a function has the method on it. */
function isClass(verifier: TokenVerifierClass | VerifyToken): verifier is TokenVerifierClass {
  const prototype = Object.getOwnPropertyDescriptor(verifier, 'prototype');
  if (prototype === undefined) return false;
  return (
    prototype.writable === false ||
    typeof (prototype.value as Partial<Verifies> | undefined)?.verify === 'function'
  );
}

function rejected(type: TokenVerifierClass, message: string, options?: ErrorOptions): McpAuthConfigError {
  return new McpAuthConfigError([{ path: type.name, message }], options);
}
