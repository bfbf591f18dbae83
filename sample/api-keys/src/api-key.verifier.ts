import { Injectable } from '@nestjs/common';
import { TokenVerifier, type VerificationContext, type VerificationResult } from 'nestjs-mcp-auth';
import { ApiKeys } from './api-keys.js';

//#region verifier
@Injectable()
export class ApiKeyVerifier extends TokenVerifier {
  constructor(private readonly keys: ApiKeys) {
    super();
  }

  verify(key: string, { resource }: VerificationContext): VerificationResult {
    const found = this.keys.find(key);
    if (!found) return null;
    const { id, owner, scopes, expiresAt } = found;
    return {
      sub: owner,
      aud: resource,
      scope: scopes.join(' '),
      jti: id,
      ...(expiresAt !== undefined && { exp: expiresAt }),
    };
  }
}
//#endregion verifier
