import { timingSafeEqual } from 'node:crypto';
import { Module } from '@nestjs/common';
import type { TokenVerifier } from 'nestjs-mcp-auth';
import { hash } from './access-keys.js';
import { PARTNER_KEY } from './environment.js';

/** The verifier of the partner's key. */
export type PartnerVerifier = Pick<TokenVerifier, 'verify'>;

export const PARTNER_VERIFIER = Symbol('PARTNER_VERIFIER');

//#region factory
function makePartnerVerifier(): PartnerVerifier {
  const expected = Buffer.from(hash(PARTNER_KEY));
  return {
    verify: (token, { resource }) =>
      timingSafeEqual(Buffer.from(hash(token)), expected)
        ? { sub: 'partner', client_id: 'partner', aud: resource, scope: 'export:read' }
        : null,
  };
}

@Module({
  providers: [{ provide: PARTNER_VERIFIER, useFactory: makePartnerVerifier }],
  exports: [PARTNER_VERIFIER],
})
export class PartnerModule {}
//#endregion factory
