import { Inject, Injectable } from '@nestjs/common';
import {
  type AuthInfo,
  AuthorizationPolicy,
  AuthorizationServerUnavailableError,
  type PolicyCall,
  type PolicyContext,
} from 'nestjs-mcp-auth';

/** Injection token of the URL of the decision point. */
export const DECISION_POINT_URL = Symbol('the URL of the decision point');

//#region authzen
/**
 * Asks a decision point by the API of OpenID AuthZEN.
 *
 * @see {@link https://openid.net/specs/authorization-api-1_0.html | Authorization API 1.0}
 */
@Injectable()
export class DecisionPointPolicy extends AuthorizationPolicy {
  constructor(@Inject(DECISION_POINT_URL) private readonly url: string) {
    super();
  }

  async decide(call: PolicyCall, auth: AuthInfo, { resource, signal }: PolicyContext): Promise<boolean> {
    const response = await fetch(`${this.url}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        // A subject is unique only together with its issuer.
        subject: { type: 'user', id: auth.subject ?? auth.clientId, properties: { issuer: auth.issuer } },
        action: { name: call.method },
        resource: { type: call.kind, id: call.name, properties: call.arguments },
        context: { resource },
      }),
      redirect: 'error',
      signal,
    }).catch((cause: unknown) => {
      // Answered with 503: the client may try again.
      throw new AuthorizationServerUnavailableError(this.url, 'policy decision', { cause });
    });
    // A denial has status 200. Anything else is a fault, which denies too.
    if (response.status !== 200) throw new Error(`The decision point answered ${String(response.status)}`);
    const { decision } = (await response.json()) as { decision?: unknown };
    return decision === true;
  }
}
//#endregion authzen
