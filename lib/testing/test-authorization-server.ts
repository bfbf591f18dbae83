import { randomBytes } from 'node:crypto';
import { jsonAnswer } from './answers.js';
import { authMethods } from './client-authentication.js';
import type { TestFault } from './faults.js';
import { introspect, revoke, type TokenEndpointContext } from './introspection-endpoint.js';
import { LoopbackListener } from './loopback-listener.js';
import { metadataDocument, PATHS } from './metadata-document.js';
import { metadataPaths } from './metadata-paths.js';
import { Router } from './routes.js';
import type {
  TestAuthorizationServerOptions,
  TestClient,
  TestEndpoint,
  TestListener,
  TestRequest,
} from './test-authorization-server.interface.js';
import { type TestKey, TestKeyRing } from './test-keys.js';
import { environmentProblem } from './test-environment.js';
import { signClaims, testClaims, type TestClaimsOptions, type TestTokenOptions } from './test-token.js';
import { TokenLedger } from './token-ledger.js';

const DEFAULT_CLIENT: TestClient = {
  clientId: 'resource-server',
  clientSecret: 'resource-server-secret',
};

/**
 * An authorization server for tests, over real HTTP on 127.0.0.1 and a free port.
 *
 * It serves metadata, keys, introspection and revocation, with faults of your choice. A test can issue any token, by a
 * method call only: the metadata names endpoints to log in and get tokens, but they respond with 404. Not for production:
 * it starts only with `NODE_ENV` `test` or `development`, unless `allowAnyEnvironment` is set.
 *
 * @publicApi
 */
export class TestAuthorizationServer {
  /** The issuer identifier: the origin followed by exactly the `issuerPath`. */
  readonly issuer: string;
  /** Scheme, host and port, without a slash. */
  readonly origin: string;
  /** The client that may introspect and revoke, with its secret. */
  readonly introspectionClient: TestClient;
  private readonly router = new Router();
  private readonly ledger = new TokenLedger();
  private readonly keys: TestKeyRing;
  private readonly now: () => Date;
  private changes: Readonly<Record<string, unknown>> = {};

  private constructor(
    private readonly listener: LoopbackListener,
    options: TestAuthorizationServerOptions,
  ) {
    const { issuerPath = '', layout = 'all', keys, introspectionClient, now } = options;
    this.origin = listener.origin;
    this.issuer = this.origin + issuerPath;
    this.keys = new TestKeyRing(keys);
    this.introspectionClient = introspectionClient ?? DEFAULT_CLIENT;
    this.now = now ?? (() => new Date());
    for (const path of metadataPaths(issuerPath, layout)) this.serveMetadata(path);
    this.serveEndpoints(options);
    listener.onRequest((request, response) => {
      this.router.handle(request, response);
    });
  }

  /**
   * Starts a server. Close it when the tests are done.
   *
   * @throws Error if `NODE_ENV` is neither `test` nor `development` and `allowAnyEnvironment` is not set, or if
   * `issuerPath` is not a path
   */
  static async start(options: TestAuthorizationServerOptions = {}): Promise<TestAuthorizationServer> {
    const { issuerPath = '', allowAnyEnvironment = false } = options;
    const problem = allowAnyEnvironment ? undefined : environmentProblem('allowAnyEnvironment');
    if (problem !== undefined) {
      throw new Error(`TestAuthorizationServer signs any claims, so it ${problem}`);
    }
    if (!/^(\/[^?#]*)?$/.test(issuerPath)) {
      throw new Error(`issuerPath is "${issuerPath}"; write a path such as "/tenant1", or leave it out`);
    }
    const listener = new LoopbackListener();
    await listener.listen();
    return new TestAuthorizationServer(listener, options);
  }

  /** The URL of the JWK Set. */
  get jwksUri(): string {
    return this.origin + PATHS.jwks;
  }

  /** The URL of the introspection endpoint. */
  get introspectionEndpoint(): string {
    return this.origin + PATHS.introspection;
  }

  /** Returns the metadata as served, with these members changed; `undefined` removes a member. */
  metadata(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const document = metadataDocument({
      issuer: this.issuer,
      origin: this.origin,
      alg: this.keys.defaultAlg,
      authMethods: authMethods(this.introspectionClient),
    });
    const members = Object.entries({ ...document, ...this.changes, ...changes });
    return Object.fromEntries(members.filter(([, value]) => value !== undefined));
  }

  /** Changes members of all metadata served from now on; `undefined` removes a member. */
  changeMetadata(changes: Readonly<Record<string, unknown>>): void {
    this.changes = { ...this.changes, ...changes };
  }

  /** Serves the metadata at a further path, with other members there. Fails and counts as `metadata`. */
  serveMetadata(path: string, changes: Readonly<Record<string, unknown>> = {}): void {
    this.router.put(path, { answer: () => jsonAnswer(this.metadata(changes)) }, 'metadata');
  }

  /**
   * Serves a JSON document, or runs a listener, at a path, and replaces its content. If the path is an endpoint, its
   * requests are still counted. Faults of the endpoint still apply to a document, but not to a listener.
   */
  serve(path: string, what: TestListener | object): void {
    this.router.put(
      path,
      typeof what === 'function' ? { listener: what as TestListener } : { answer: () => jsonAnswer(what) },
    );
  }

  /** Removes the content of a path, so that it responds with 404. */
  remove(path: string): void {
    this.router.remove(path);
  }

  /**
   * Publishes a further key. It signs by default only if no other key has its algorithm.
   *
   * @param alg - its JWS algorithm; that of the first key if omitted
   */
  addKey(alg: string = this.keys.defaultAlg): Promise<TestKey> {
    return this.keys.add(alg);
  }

  /**
   * Makes a new key that signs from now on. The old one stays published until {@link TestAuthorizationServer.retireKeys}.
   *
   * @param alg - its JWS algorithm; that of the first key if omitted
   */
  rotateKey(alg: string = this.keys.defaultAlg): Promise<TestKey> {
    return this.keys.rotate(alg);
  }

  /** Removes all keys that do not sign from the JWK Set. */
  retireKeys(): Promise<void> {
    return this.keys.retire();
  }

  /** Adds members to the JWK Set unchanged: weak, symmetric or private keys, or values that are not keys. */
  publishRawJwks(...members: unknown[]): void {
    this.keys.publishRaw(members);
  }

  /** Removes the members of {@link TestAuthorizationServer.publishRawJwks} from the JWK Set. */
  withdrawRawJwks(): void {
    this.keys.withdrawRaw();
  }

  /**
   * Issues an access token as a signed JWT. Introspection knows it too.
   *
   * @throws Error if there is no key for the algorithm
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2 | RFC 9068 section 2}
   */
  async issueToken(options: TestTokenOptions = {}): Promise<string> {
    const claims = testClaims(this.issuer, this.now(), options);
    const token = await signClaims(claims, this.keys, options);
    this.ledger.enter(token, claims);
    return token;
  }

  /** Issues an opaque access token: only introspection returns its claims. */
  issueOpaqueToken(options: TestClaimsOptions = {}): string {
    const token = randomBytes(32).toString('base64url');
    this.ledger.enter(token, testClaims(this.issuer, this.now(), options));
    return token;
  }

  /** Makes a token inactive for introspection. Its signature stays valid, and caches elsewhere do not change. */
  revoke(token: string): void {
    this.ledger.revoke(token);
  }

  /**
   * Makes an endpoint fail, until {@link TestAuthorizationServer.recover}, or for a number of requests.
   *
   * @param times - how many requests fail; all if omitted
   */
  fail(endpoint: TestEndpoint, fault: TestFault, { times = Infinity }: { times?: number } = {}): void {
    this.router.fail(endpoint, fault, times);
  }

  /** Removes the fault of an endpoint, or of all endpoints if omitted. */
  recover(endpoint?: TestEndpoint): void {
    this.router.recover(endpoint);
  }

  /** Stops listening: connections are refused. Tokens can still be issued. */
  goDown(): Promise<void> {
    return this.listener.close();
  }

  /** Listens again at the same port. @throws Error if another process has taken the port */
  comeBack(): Promise<void> {
    return this.listener.listen();
  }

  /** The requests received so far, in order. */
  get requests(): readonly TestRequest[] {
    return this.router.requests;
  }

  /** Returns how many requests an endpoint, or the whole server, has received. */
  requestCount(endpoint?: TestEndpoint): number {
    return this.requests.filter((request) => endpoint === undefined || request.endpoint === endpoint).length;
  }

  /** Forgets the requests received so far. */
  resetRequests(): void {
    this.router.requests.length = 0;
  }

  /** Ends every connection and frees the port. */
  close(): Promise<void> {
    return this.listener.close();
  }

  /** The same as {@link TestAuthorizationServer.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private serveEndpoints({ introspectionResponse = 'accept' }: TestAuthorizationServerOptions): void {
    const context: TokenEndpointContext = {
      issuer: this.issuer,
      client: this.introspectionClient,
      audiences: [this.issuer, this.introspectionEndpoint, this.origin + PATHS.revocation],
      usedAssertions: new Set(),
      now: this.now,
      ledger: this.ledger,
      form: introspectionResponse,
      sign: (claims, typ) => signClaims(claims, this.keys, { typ }),
    };
    this.router.put(PATHS.jwks, { answer: async () => jsonAnswer(await this.keys.jwks()) }, 'jwks');
    this.router.put(
      PATHS.introspection,
      { answer: (request) => introspect(request, context) },
      'introspection',
    );
    this.router.put(PATHS.revocation, { answer: (request) => revoke(request, context) }, 'revocation');
  }
}
