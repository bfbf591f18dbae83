import { Injectable } from '@nestjs/common';
import { TokenVerifier, type VerificationContext, type VerificationResult } from 'nestjs-mcp-auth';
import { AccessKeys } from './access-keys.js';

//#region class
/** Looks keys up, and leaves every other token to the verifier of the package: that of the authorization server. */
@Injectable()
export class AccessKeyVerifier extends TokenVerifier {
  constructor(
    private readonly keys: AccessKeys,
    private readonly standard: TokenVerifier,
  ) {
    super();
  }

  verify(token: string, context: VerificationContext): VerificationResult | Promise<VerificationResult> {
    if (!token.startsWith('key_')) return this.standard.verify(token, context);
    const key = this.keys.find(token);
    if (!key) return null;
    return { sub: key.owner, aud: key.resource, scope: key.scopes.join(' '), exp: key.expiresAt };
  }
}
//#endregion class
