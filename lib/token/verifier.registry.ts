import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { TokenVerifier, type TokenVerifierClass, type VerifyToken } from '../options/token.verifier.js';
import { isClassWith, providerOf } from '../platform/application-provider.js';

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
    if (!isVerifierClass(verifier)) return { verify: verifier };
    const role = `is the verifier of ${resource}`;
    return providerOf(this.moduleRef, verifier, { role, method: 'verify', fix: 'extend TokenVerifier' });
  }
}

function isVerifierClass(verifier: TokenVerifierClass | VerifyToken): verifier is TokenVerifierClass {
  return isClassWith(verifier, 'verify');
}
