import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { quantile } from './statistics.mjs';

/** How long answers may be out once no more requests are sent. */
const DRAIN_MS = 5_000;
const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '\r\n0\r\n\r\n';

/** A GET with a token, as bytes on the wire; without one, a GET without credentials. */
export function get(path, token) {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: api.example.com\r\n${authorization}${HEAD_END.slice(2)}`;
}

/** A POST of a JSON message with more header lines, and a token or none, with a proof or none, as bytes on the wire. */
export function post(path, { message, lines = [], token, proof }) {
  const body = JSON.stringify(message);
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: api.example.com',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...lines,
    ...credentials(token, proof),
  ];
  return `${head.join('\r\n')}${HEAD_END}${body}`;
}

function credentials(token, proof) {
  if (token === undefined) return [];
  return proof === undefined
    ? [`Authorization: Bearer ${token}`]
    : [`Authorization: DPoP ${token}`, `DPoP: ${proof}`];
}

/**
 * @typedef {object} LoadPlan
 * @property {number} port
 * @property {(index: number) => string} request - bytes of the request with this index
 * @property {(index: number) => number | readonly number[]} expected - status or statuses that are right for it
 * @property {(index: number) => string | undefined} [proof] - what an answer of status 200 to it holds; one without is wrong
 * @property {(index: number) => string} [nameOf] - what a wrong answer to it is counted under
 * @property {number} [connections]
 * @property {number} [count] - ends after so many requests
 * @property {number} [durationMs] - ends after this time
 * @property {number} [intervalMs] - pause of each connection between an answer and its next request
 * @property {boolean} [isAwake] - keeps this process from sleeping: to wake a client costs the server that answers it as
 *   much as some of what is measured, and the more often, the slower the server is
 */

/**
 * Sends requests over keep-alive connections, the next on each when the last is answered. Ends by count or
 * time, whichever is first, and waits for what is out for {@link DRAIN_MS} at most.
 *
 * @param {LoadPlan} plan
 */
export async function load(plan) {
  const run = new Run(plan);
  if (plan.isAwake) stayAwake(run);
  await run.finished;
  return run.result();
}

function stayAwake(run) {
  if (run.open > 0) setImmediate(stayAwake, run);
}

class Run {
  constructor({ connections = 16, count = Infinity, durationMs = Infinity, ...plan }) {
    Object.assign(this, { plan, count, latencies: [], statuses: new Map(), wrong: new Map() });
    this.sent = 0;
    this.lost = 0;
    this.open = connections;
    this.begin = performance.now();
    this.deadline = this.begin + durationMs;
    this.last = this.begin;
    this.lanes = [];
    this.finished = new Promise((resolve) => {
      this.resolve = resolve;
    });
    for (let index = 0; index < connections; index++) this.lanes.push(new Lane(this));
    if (Number.isFinite(durationMs)) {
      this.guard = setTimeout(() => {
        for (const lane of this.lanes) lane.giveUp();
      }, durationMs + DRAIN_MS);
    }
  }

  /** The index of the next request, or undefined when the run is over. */
  next() {
    return this.sent < this.count && performance.now() < this.deadline ? this.sent++ : undefined;
  }

  record(index, answer, begun) {
    const status = Number(answer.slice(9, 12));
    this.last = performance.now();
    this.latencies.push(this.last - begun);
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    const trouble = this.troubleOf(index, status, answer);
    if (trouble === undefined) return;
    const name = [this.plan.nameOf?.(index), trouble].filter((part) => part !== undefined).join(' ');
    this.wrong.set(name, (this.wrong.get(name) ?? 0) + 1);
  }

  /** What is wrong with an answer, or undefined. */
  troubleOf(index, status, answer) {
    const { expected, proof } = this.plan;
    if (![expected(index)].flat().includes(status)) return String(status);
    const isProven = status !== 200 || answer.includes(proof?.(index) ?? '');
    return isProven ? undefined : `${status}, another answer`;
  }

  close() {
    if (--this.open > 0) return;
    clearTimeout(this.guard);
    this.resolve();
  }

  result() {
    const seconds = (this.last - this.begin) / 1000;
    const requests = this.latencies.length;
    return {
      requests,
      seconds,
      perSecond: requests / seconds,
      p50Ms: quantile(this.latencies, 0.5),
      p99Ms: quantile(this.latencies, 0.99),
      statuses: Object.fromEntries(this.statuses),
      wrong: Object.fromEntries(this.wrong),
      wrongCount: [...this.wrong.values()].reduce((sum, count) => sum + count, 0),
      lost: this.lost,
    };
  }
}

/** One connection. Opens another when the server closes it; a request out at that time is lost. */
class Lane {
  constructor(run) {
    this.run = run;
    this.current = undefined;
    this.received = '';
    this.connect();
  }

  connect() {
    this.socket = connect({ port: this.run.plan.port, host: '127.0.0.1', noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('connect', () => {
      this.send();
    });
    this.socket.on('data', (chunk) => {
      this.receive(chunk);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.onClose();
    });
  }

  send() {
    const index = this.run.next();
    if (index === undefined) {
      this.isDone = true;
      this.socket.destroy();
      return;
    }
    this.current = index;
    this.begun = performance.now();
    this.socket.write(this.run.plan.request(index), 'latin1');
  }

  receive(chunk) {
    this.received = this.received === '' ? chunk : this.received + chunk;
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    if (!isWhole(this.received, headEnd)) return;
    this.run.record(this.current, this.received, this.begun);
    this.received = '';
    this.current = undefined;
    if (this.run.plan.intervalMs === undefined) this.send();
    else
      setTimeout(() => {
        if (!this.socket.destroyed) this.send();
      }, this.run.plan.intervalMs);
  }

  onClose() {
    if (this.current !== undefined) {
      this.run.lost++;
      this.current = undefined;
      this.received = '';
    }
    if (this.isDone || performance.now() >= this.run.deadline || this.run.lost > 10_000) this.run.close();
    else this.connect();
  }

  giveUp() {
    this.isDone = true;
    this.socket.destroy();
  }
}

/** @throws when an answer has neither a length, nor chunks, nor a status without a body, which no subject sends */
function isWhole(answer, headEnd) {
  const head = answer.slice(0, headEnd);
  const [, digits] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (digits !== undefined) return answer.length >= headEnd + HEAD_END.length + Number(digits);
  if (/^HTTP\/1\.1 (204|304)/.test(answer)) return true;
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return answer.endsWith(LAST_CHUNK);
  throw new Error(`An answer without content-length:\n${head}`);
}
