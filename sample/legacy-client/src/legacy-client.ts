import { createHash, randomBytes } from 'node:crypto';
import type { Browse } from '../../client/src/client-provider.js';

const VERSION = '2025-03-26';

interface Endpoints {
  /** Not there where the default endpoints are taken. */
  readonly issuer?: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint: string;
}

/**
 * A client of MCP 2025-03-26, with no word of RFC 9728 and RFC 8707: after a 401 it asks the origin of the MCP endpoint
 * for the metadata of the authorization server, else it takes that origin for the authorization server itself. It reads
 * neither the challenge nor the issuer, and names no resource.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-03-26/basic/authorization | MCP 2025-03-26, authorization}
 */
export class LegacyClient {
  private readonly url: URL;
  private token: string | undefined;
  private session: string | undefined;
  /** Where its endpoints came from. */
  discovered: 'metadata' | 'default' | undefined;
  /** Who the metadata says it is of. */
  authorizationServer: string | undefined;

  constructor(
    endpoint: string,
    private readonly scope: string,
    private readonly redirectUrl: string,
    private readonly browse: Browse,
  ) {
    this.url = new URL(endpoint);
  }

  /** Begins a session, logs in when it has to, and begins again. */
  async connect(): Promise<void> {
    const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'old', version: '1' } };
    const begin = (): Promise<Response> => this.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    let response = await begin();
    if (response.status === 401) {
      await this.logIn();
      response = await begin();
    }
    if (response.status !== 200) throw new Error(`initialize was answered ${String(response.status)}`);
    this.session = response.headers.get('mcp-session-id') ?? undefined;
    await response.text();
    await (await this.post({ jsonrpc: '2.0', method: 'notifications/initialized' })).text();
  }

  /** The text that a tool gives. */
  async call(name: string): Promise<string | undefined> {
    const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
    const answer = await messageOf(await this.post(request));
    return (answer as { result?: { content?: { text?: string }[] } }).result?.content?.[0]?.text;
  }

  private post(message: object): Promise<Response> {
    return fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        ...(this.session !== undefined && { 'mcp-session-id': this.session }),
      },
      body: JSON.stringify(message),
    });
  }

  private async logIn(): Promise<void> {
    const endpoints = await this.discover();
    const client_id = await this.register(endpoints.registration_endpoint);
    const verifier = randomBytes(32).toString('base64url');
    const request = {
      response_type: 'code',
      client_id,
      redirect_uri: this.redirectUrl,
      scope: this.scope,
      state: randomBytes(16).toString('base64url'),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    const url = new URL(endpoints.authorization_endpoint);
    for (const [name, value] of Object.entries(request)) url.searchParams.set(name, value);
    const answer = await this.browse(url);
    if (answer.get('state') !== request.state) throw new Error('the state came back changed');
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      client_id,
      redirect_uri: this.redirectUrl,
      code_verifier: verifier,
    });
    const response = await fetch(endpoints.token_endpoint, { method: 'POST', body: form });
    this.token = ((await response.json()) as { access_token?: string }).access_token;
  }

  private async discover(): Promise<Endpoints> {
    const { origin } = this.url;
    const response = await fetch(`${origin}/.well-known/oauth-authorization-server`, {
      headers: { 'mcp-protocol-version': VERSION },
    });
    this.discovered = response.status === 200 ? 'metadata' : 'default';
    if (response.status === 200) {
      const endpoints = (await response.json()) as Endpoints;
      this.authorizationServer = endpoints.issuer;
      return endpoints;
    }
    await response.text();
    return {
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
    };
  }

  private async register(address: string): Promise<string> {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Legacy client',
        redirect_uris: [this.redirectUrl],
        token_endpoint_auth_method: 'none',
      }),
    });
    if (response.status !== 201) throw new Error(`${address} was answered ${String(response.status)}`);
    return ((await response.json()) as { client_id: string }).client_id;
  }
}

/** The JSON-RPC message of an answer: JSON, or the only event of a stream. */
async function messageOf(response: Response): Promise<unknown> {
  const text = await response.text();
  const event = /^data: (.+)$/m.exec(text)?.[1];
  return JSON.parse(event ?? text);
}
