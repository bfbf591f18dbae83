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
 * An authorization server for tests: real HTTP on 127.0.0.1 and a free port, with metadata, keys, introspection
 * and revocation, and with faults of your choice.
 *
 * It issues whatever token a test asks for, to the test alone: the endpoints where people log in and clients get
 * tokens are named in its metadata, but nothing is there. Not for production: it starts only with `NODE_ENV` `test` or
 * `development`, unless `allowAnyEnvironment` is set.
 *
 * @publicApi
 */
export class TestAuthorizationServer {
  /** The issuer identifier: the origin and the `issuerPath`, to the letter. */
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
   * @throws Error if `NODE_ENV` is neither `test` nor `development` and `allowAnyEnvironment` is not set, and for an
   * `issuerPath` that is no path
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

  /** Where the JWK Set is. */
  get jwksUri(): string {
    return this.origin + PATHS.jwks;
  }

  /** Where tokens are introspected. */
  get introspectionEndpoint(): string {
    return this.origin + PATHS.introspection;
  }

  /** The metadata as it is served, with these members changed; `undefined` takes one away. */
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

  /** Changes members of all metadata served from now on, to lie or to lack something; `undefined` takes one away. */
  changeMetadata(changes: Readonly<Record<string, unknown>>): void {
    this.changes = { ...this.changes, ...changes };
  }

  /** Puts the metadata at a further path, with members that differ there. Fails and counts as `metadata`. */
  serveMetadata(path: string, changes: Readonly<Record<string, unknown>> = {}): void {
    this.router.put(path, { answer: () => jsonAnswer(this.metadata(changes)) }, 'metadata');
  }

  /**
   * Puts a JSON document, or a listener that answers by hand, at a path, in place of what is there. Where that is
   * an endpoint, its requests are still counted, and a document can still fail; a listener cannot.
   */
  serve(path: string, what: TestListener | object): void {
    this.router.put(
      path,
      typeof what === 'function' ? { listener: what as TestListener } : { answer: () => jsonAnswer(what) },
    );
  }

  /** Takes away what is at a path: it answers 404. */
  remove(path: string): void {
    this.router.remove(path);
  }

  /**
   * Publishes a further key. It signs by default only when no other key has its algorithm.
   *
   * @param alg - its JWS algorithm; that of the first key where none is given
   */
  addKey(alg: string = this.keys.defaultAlg): Promise<TestKey> {
    return this.keys.add(alg);
  }

  /**
   * Makes a new key that signs from now on. The old one stays published until {@link TestAuthorizationServer.retireKeys}.
   *
   * @param alg - its JWS algorithm; that of the first key where none is given
   */
  rotateKey(alg: string = this.keys.defaultAlg): Promise<TestKey> {
    return this.keys.rotate(alg);
  }

  /** Takes all keys that do not sign out of the JWK Set. */
  retireKeys(): Promise<void> {
    return this.keys.retire();
  }

  /** Adds members to the JWK Set as they are, whatever they are: weak, symmetric or private keys, or no keys. */
  publishRawJwks(...members: unknown[]): void {
    this.keys.publishRaw(members);
  }

  /** Takes the members of {@link TestAuthorizationServer.publishRawJwks} out of the JWK Set. */
  withdrawRawJwks(): void {
    this.keys.withdrawRaw();
  }

  /**
   * Issues an access token as a signed JWT, which introspection knows too.
   *
   * @throws Error when there is no key for the algorithm
   * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2 | RFC 9068 section 2}
   */
  async issueToken(options: TestTokenOptions = {}): Promise<string> {
    const claims = testClaims(this.issuer, this.now(), options);
    const token = await signClaims(claims, this.keys, options);
    this.ledger.enter(token, claims);
    return token;
  }

  /** Issues an access token that says nothing to anyone but introspection. */
  issueOpaqueToken(options: TestClaimsOptions = {}): string {
    const token = randomBytes(32).toString('base64url');
    this.ledger.enter(token, testClaims(this.issuer, this.now(), options));
    return token;
  }

  /** Makes a token inactive for introspection. Signatures and what is cached elsewhere stay as they are. */
  revoke(token: string): void {
    this.ledger.revoke(token);
  }

  /**
   * Has an endpoint fail, until {@link TestAuthorizationServer.recover}, or for a number of requests.
   *
   * @param times - how many requests it fails for; all where none is given
   */
  fail(endpoint: TestEndpoint, fault: TestFault, { times = Infinity }: { times?: number } = {}): void {
    this.router.fail(endpoint, fault, times);
  }

  /** Has an endpoint, or all of them, answer rightly again. */
  recover(endpoint?: TestEndpoint): void {
    this.router.recover(endpoint);
  }

  /** Stops to listen: connections are rejected. Tokens can still be issued. */
  goDown(): Promise<void> {
    return this.listener.close();
  }

  /** Listens again at the same port. @throws Error when the port has been taken meanwhile */
  comeBack(): Promise<void> {
    return this.listener.listen();
  }

  /** What it has received so far, in order. */
  get requests(): readonly TestRequest[] {
    return this.router.requests;
  }

  /** How many requests an endpoint, or the whole server, has received. */
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
