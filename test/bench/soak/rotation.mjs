import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import { get } from '../support/load.mjs';
import { signMany, withUnknownKey } from '../support/tokens.mjs';

const PATH = '/notes';
const TOKENS = 200;
const POLL_MS = 200;
/** Requests that were sent before a change have their answers by then. */
const SETTLED_MS = 3_000;

/**
 * An authorization server that changes its keys as it should: it publishes a key, signs with it once the application has
 * fetched it, and takes back the one before. `current` and `retired` are requests with tokens of these two.
 */
export class KeyRotation {
  count = 0;
  key = undefined;
  /** A token whose key was taken back is 200 until the application has fetched the keys again. */
  retiredRight = [401, 503];

  constructor(server) {
    this.server = server;
    this.retired = [get(PATH, withUnknownKey(server))];
  }

  /** The first tokens of all are signed by the key that stays. */
  async prepare() {
    this.current = await this.requests(this.server);
    return this;
  }

  async run(pauseMs, signal) {
    try {
      while (!signal.aborted) {
        await this.rotate(signal);
        await sleep(pauseMs, undefined, { signal });
      }
    } catch (error) {
      if (error.name !== 'AbortError') throw error;
    }
  }

  async rotate(signal) {
    const { server } = this;
    const kid = `rotated-${++this.count}`;
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
    const current = await this.requests({ privateKey, kid, issuer: server.issuer });
    server.moreKeys.push(jwk);
    await this.fetched(signal);
    const before = this.current;
    this.current = current;
    await sleep(SETTLED_MS, undefined, { signal });
    if (server.moreKeys.length === 1) return;
    this.retiredRight = [200, 401, 503];
    this.retired = before;
    server.moreKeys.shift();
    await this.fetched(signal);
    this.retiredRight = [401, 503];
  }

  /** Waits until the application has fetched the keys, and has had the time to read them. */
  async fetched(signal) {
    const before = this.server.servedKeys;
    while (this.server.servedKeys === before) await sleep(POLL_MS, undefined, { signal });
    await sleep(SETTLED_MS, undefined, { signal });
  }

  async requests(key) {
    return (await signMany(key, TOKENS)).map((token) => get(PATH, token));
  }
}
