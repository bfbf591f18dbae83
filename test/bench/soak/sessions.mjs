import { setTimeout as sleep } from 'node:timers/promises';
import { RESOURCE, SCOPE, sign } from '../support/tokens.mjs';
import { ANSWER, CALL, CALLER_SCOPES } from '../support/tool-call.mjs';

const PATH = '/notes/sessions';
const VERSION = '2025-11-25';
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'soak', version: '1' } },
};
const CALLS = 5;
const TIMEOUT_MS = 10_000;
const STREAM_SECONDS = 2;
/** How a stream of a session ends: the client goes away, the session is closed, the token expires. */
const ENDINGS = ['left', 'closed', 'expired'];
/** What the package adds to the expiry of a stream's token, and time to see the end. */
const EXPIRY_MS = (STREAM_SECONDS + 5) * 1000 + 5_000;

/**
 * Clients that open a session with a stream, call its tool, try to get in by another's token, none and one of fewer scopes,
 * and close it, again and again.
 */
export class SessionClients {
  opened = 0;
  requests = 0;
  streams = { left: 0, closed: 0, expired: 0 };
  wrong = {};
  lost = 0;

  constructor({ port, server, clock }) {
    this.url = `http://127.0.0.1:${port}${PATH}`;
    this.server = server;
    this.clock = clock;
  }

  /** @param {number} lanes - clients at once */
  async run(lanes, signal) {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => this.lane(lane, signal)));
  }

  async lane(lane, signal) {
    for (let turn = lane; !signal.aborted; turn++) {
      try {
        await this.session(`person-${lane}-${turn}`, ENDINGS[turn % ENDINGS.length]);
      } catch (error) {
        this.lost++;
        this.note(`lost: ${error.cause?.message ?? error.message}`);
        await sleep(100);
      }
    }
  }

  async session(sub, ending) {
    const owner = await this.token({ sub });
    const { headers } = await this.post('initialize', { token: owner, message: INITIALIZE });
    const session = headers.get('mcp-session-id');
    this.opened++;
    await this.post('initialized', {
      token: owner,
      session,
      message: { jsonrpc: '2.0', method: 'notifications/initialized' },
      right: 202,
    });
    const stream = await this.open(sub, session, ending);
    for (let call = 0; call < CALLS; call++) await this.call('call', { token: owner, session });
    await this.call('call of another', { token: await this.token({ sub: 'thief' }), session, right: 404 });
    await this.call('call without a token', { session, right: 401 });
    await this.call('call without the scope', {
      token: await this.token({ sub, scope: SCOPE }),
      session,
      right: 403,
    });
    if (ending !== 'closed') await this.ended(stream, ending);
    await this.send('close', { method: 'DELETE', token: owner, session });
    if (ending === 'closed') await this.ended(stream, ending);
    await this.call('call after the end', { token: owner, session, right: 404 });
  }

  /** The stream of a session. A short-lived token may expire before it comes, where the clock jumps in between. */
  async open(sub, session, ending) {
    const { clock } = this;
    const begun = clock.changes;
    const exp = Math.floor((Date.now() + clock.offsetMs) / 1000) + STREAM_SECONDS;
    const token = await this.token({ sub, ...(ending === 'expired' && { exp, iat: exp - 60 }) });
    const leaving = new globalThis.AbortController();
    const request = { method: 'GET', headers: headersOf({ token, session }), signal: leaving.signal };
    const response = await this.fetch(request);
    const isCalm = clock.changes === begun && begun % 2 === 0;
    this.judge('stream', response.status, isCalm || ending !== 'expired' ? 200 : [200, 401]);
    return { response, leaving, isOpen: response.status === 200 };
  }

  async ended({ response, leaving, isOpen }, ending) {
    if (ending === 'left') leaving.abort();
    const end = response.text().then(
      () => true,
      () => ending === 'left',
    );
    const inTime = new globalThis.AbortController();
    const late = sleep(EXPIRY_MS, false, { signal: inTime.signal }).catch(() => false);
    const hasEnded = await Promise.race([end, late]);
    inTime.abort();
    if (isOpen) this.streams[ending]++;
    if (!hasEnded) {
      this.note(`stream ${ending}, and open`);
      leaving.abort();
    }
  }

  call(name, { right = 200, ...options }) {
    return this.post(name, { ...options, message: CALL, right, proof: right === 200 ? ANSWER : undefined });
  }

  post(name, { message, ...options }) {
    return this.send(name, { method: 'POST', body: JSON.stringify(message), ...options });
  }

  async send(name, { method, body, token, session, right = 200, proof }) {
    const response = await this.fetch({
      method,
      body,
      headers: headersOf({ token, session }),
      signal: globalThis.AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    this.judge(name, response.status, right);
    if (proof !== undefined && !text.includes(proof)) this.note(`${name} unproven`);
    return response;
  }

  fetch(request) {
    this.requests++;
    return fetch(this.url, request);
  }

  judge(name, status, right) {
    if (![right].flat().includes(status)) this.note(`${name} ${status}`);
  }

  note(name) {
    this.wrong[name] = (this.wrong[name] ?? 0) + 1;
  }

  token(overrides) {
    return sign(this.server, { aud: RESOURCE, scope: CALLER_SCOPES, ...overrides });
  }

  get wrongCount() {
    return Object.values(this.wrong).reduce((sum, count) => sum + count, 0);
  }
}

function headersOf({ token, session }) {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(session !== undefined && { 'mcp-session-id': session }),
  };
}
