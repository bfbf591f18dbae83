import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { TokenVerifier, type TokenVerifierClass } from '../options/token.verifier.js';
import { composed, partsOf, type VerifierOfFirst } from './first-of.js';

/** The common form of all verifiers. @internal */
export type Verifies = Pick<TokenVerifier, 'verify'>;

/**
 * Returns the verifier of a resource: its own or the module's, else the provider of {@link TokenVerifier}.
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
   * Finds the verifiers of all resources, once.
   *
   * @throws {@link McpAuthConfigError} for a class that is not a provider, or has no method `verify`
   */
  onModuleInit(): void {
    for (const resource of this.options.resources) {
      this.of(resource);
      const { apiKeys } = resource;
      if (apiKeys) this.find(apiKeys.verifier, resource.resource);
    }
  }

  of(resource: ResolvedProtectedResourceOptions): Verifies {
    const known = this.byResource.get(resource);
    if (known) return known;
    const verifier = this.find(resource.verifier, resource.resource);
    this.byResource.set(resource, verifier);
    return verifier;
  }

  private find(verifier: VerifierOfFirst | undefined, resource: string): Verifies {
    if (isStandard(verifier)) return this.standard;
    if (typeof verifier === 'object') return verifier;
    const parts = partsOf(verifier);
    if (parts) return composed(parts.map((part) => this.find(part, resource)));
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

/** Whether it is the verifier of the package. */
function isStandard(verifier: VerifierOfFirst | undefined): verifier is typeof TokenVerifier | undefined {
  return verifier === undefined || verifier === TokenVerifier;
}

/** Whether it is a class: its `prototype` is read-only, or, compiled to a function, has the method. */
function isClass(verifier: object): verifier is TokenVerifierClass {
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
