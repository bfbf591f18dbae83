import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';

const METADATA = '/.well-known/oauth-authorization-server';

/**
 * An authorization server on loopback: metadata for the issuer at its root and for any at `/t/N`, one RS256
 * key, introspection, and counters of what it was asked. It can be slow, down, or failing.
 */
export class BenchAuthorizationServer {
  /** What it was asked since {@link resetCounters}. */
  counters = { metadata: 0, keys: 0, introspection: 0 };
  /** How it answers: `up`; `down` cuts the connection; `failing` says 500. */
  state = 'up';
  metadataDelayMs = 0;
  keysDelayMs = 0;
  introspectionDelayMs = 0;
  /** Keys beside its own, and how often it has given out all of them. */
  moreKeys = [];
  servedKeys = 0;
  /** Claims of an introspected token. */
  introspected = {};

  static async start() {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const self = new BenchAuthorizationServer();
    self.kid = 'bench-1';
    self.privateKey = privateKey;
    self.publicJwk = { ...(await exportJWK(publicKey)), kid: self.kid, alg: 'RS256', use: 'sig' };
    self.server = createServer({ keepAlive: true }, (request, response) => {
      void self.answer(request, response);
    });
    await new Promise((resolve) => {
      self.server.listen(0, '127.0.0.1', resolve);
    });
    self.issuer = `http://127.0.0.1:${self.server.address().port}`;
    self.jwksUri = `${self.issuer}/jwks`;
    return self;
  }

  /** The issuer of tenant N. */
  tenant(number) {
    return `${this.issuer}/t/${number}`;
  }

  resetCounters() {
    this.counters = { metadata: 0, keys: 0, introspection: 0 };
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async answer(request, response) {
    const path = request.url;
    const kind = kindOf(path);
    if (kind !== undefined) this.counters[kind]++;
    if (this.state === 'down') {
      request.socket.destroy();
    } else if (kind === undefined || this.state === 'failing') {
      response.writeHead(kind === undefined ? 404 : 500).end();
    } else {
      await this.delay(kind);
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(this.document(kind, path)));
    }
  }

  async delay(kind) {
    const delayMs = this[`${kind}DelayMs`];
    if (delayMs > 0) await sleep(delayMs);
  }

  document(kind, path) {
    if (kind === 'keys') {
      this.servedKeys++;
      return { keys: [this.publicJwk, ...this.moreKeys] };
    }
    if (kind === 'introspection') return { active: true, ...this.introspected };
    const base = `${this.issuer}${path.slice(METADATA.length)}`;
    return {
      issuer: base,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      registration_endpoint: `${base}/register`,
      introspection_endpoint: `${this.issuer}/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
      jwks_uri: `${base}/jwks`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
    };
  }
}

function kindOf(path) {
  if (path.startsWith(METADATA)) return 'metadata';
  if (path === '/introspect') return 'introspection';
  return path.endsWith('/jwks') ? 'keys' : undefined;
}
