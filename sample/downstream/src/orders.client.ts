import { Injectable } from '@nestjs/common';
import { DownstreamTokenError, DownstreamTokens } from 'nestjs-mcp-auth';
import { ORDERS } from './environment.js';

//#region client
/** Calls the back end in the name of the caller, with a token that is for the back end. */
@Injectable()
export class OrdersClient {
  constructor(private readonly tokens: DownstreamTokens) {}

  async list(): Promise<string> {
    const { accessToken } = await this.tokens.forResource({ resource: ORDERS, scopes: ['orders:read'] });
    const response = await fetch(ORDERS, { headers: { authorization: `Bearer ${accessToken}` } });
    if (!response.ok) throw new Error(`The back end answered ${response.status}`);
    return response.text();
  }
}
//#endregion client

//#region errors
/** Returns what a tool tells the person if the server issues no token. Other errors propagate. */
export function explain(error: unknown): string {
  if (!(error instanceof DownstreamTokenError) || error.reason !== 'rejected') throw error;
  switch (error.oauthError) {
    case 'consent_required':
    case 'interaction_required':
      return 'Sign in to the shop in a browser, and allow this application to read your orders.';
    case 'invalid_grant':
      return 'Your session has ended. Sign in again.';
    default:
      throw error; // a matter of configuration, such as invalid_target
  }
}
//#endregion errors
