import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Client, DpopSession, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { DemoProvider } from '../../sample/demo/src/demo-provider.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { ProvingClient } from '../fixtures/dpop.js';
import { PROOF_ALGORITHMS } from '../fixtures/dpop-rejections.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../fixtures/mcp-endpoint.js';
import { rejectedAs, UNAVAILABLE } from '../fixtures/notes-rejections.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { RedisServer } from '../fixtures/redis-server.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { openStream, settlesWithin } from '../fixtures/streams.js';
import { verifies } from '../verifies.js';

const RESOURCE = 'https://notes.example.com/notes';
const METADATA = 'https://notes.example.com/.well-known/oauth-protected-resource/notes';

const REPLAYED = {
  status: 401,
  challenge:
    `Bearer scope="notes:read", resource_metadata="${METADATA}", DPoP error="invalid_dpop_proof", ` +
    `error_description="The DPoP proof is missing or invalid", algs="${PROOF_ALGORITHMS}"`,
  json: { error: 'invalid_dpop_proof', error_description: 'The DPoP proof is missing or invalid' },
};

const REVOKED = {
  status: 401,
  challenge:
    `Bearer error="invalid_token", scope="notes:read", resource_metadata="${METADATA}", ` +
    `error_description="The access token is invalid or expired", DPoP error="invalid_token", algs="${PROOF_ALGORITHMS}"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};

const UNKNOWN_SESSION = {
  status: 404,
  challenge: undefined,
  json: { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } },
};

/** Where a replica listens, and its process. */
interface Replica extends SampleProcess {
  readonly origin: string;
}

interface Sent {
  readonly headers: Record<string, string>;
  readonly body: object;
}

/** A person with a token that is bound to the key of their client. */
interface Caller {
  /** The headers of a POST, with a fresh proof. */
  headers(session?: string, path?: string): Promise<Record<string, string>>;
}

describe('sample/replicas', () => {
  let as: LoopbackAuthorizationServer;
  let redis: RedisServer;
  let one: Replica;
  let other: Replica;
  const started: SampleProcess[] = [];

  beforeAll(async () => {
    [as, redis] = await Promise.all([LoopbackAuthorizationServer.start(), RedisServer.start()]);
    const secret = randomBytes(32).toString('base64');
    const replica = async (): Promise<Replica> => {
      const port = String(await freePort());
      const sample = await startSample('replicas', 'Stop with Ctrl-C.', {
        NODE_ENV: 'production',
        MCP_RESOURCE: RESOURCE,
        MCP_ISSUER: as.issuer,
        REDIS_URL: redis.url,
        SESSION_SECRET: secret,
        PORT: port,
      });
      started.push(sample);
      return { ...sample, origin: `http://127.0.0.1:${port}` };
    };
    [one, other] = await Promise.all([replica(), replica()]);
  }, 90_000);

  afterAll(async () => {
    try {
      await stopSample(other);
    } finally {
      for (const { child } of started) child.kill('SIGKILL');
      await Promise.all([as.close(), redis.close()]);
    }
  });

  const tokenOf = (sub: string, jkt: string, claims: Record<string, unknown> = {}): Promise<string> =>
    as.token({ aud: RESOURCE, scope: 'notes:read notes:write', sub, cnf: { jkt }, ...claims });

  async function callerOf(sub: string, claims?: Record<string, unknown>): Promise<Caller> {
    const client = await ProvingClient.make(RESOURCE);
    const token = await tokenOf(sub, client.jkt, claims);
    return {
      headers: async (session, path = '') => ({
        ...(await client.headers({ token, claims: { htm: 'POST', htu: RESOURCE + path } })),
        ...MCP_HEADERS,
        ...(session !== undefined && { 'mcp-session-id': session }),
      }),
    };
  }

  const post = (replica: Replica, headers: Record<string, string>, body: object): Promise<HttpAnswer> =>
    send(replica.origin, '/notes', { method: 'POST', headers, body });

  /** Calls a tool with a fresh proof. */
  const call = async (
    replica: Replica,
    caller: Caller,
    session: string,
    tool = 'whoami',
    args: object = {},
  ): Promise<HttpAnswer> => post(replica, await caller.headers(session), toolCall(tool, 1, args));

  async function open(replica: Replica, caller: Caller): Promise<string> {
    const { status, headers } = await post(replica, await caller.headers(), INITIALIZE);
    expect(status).toBe(200);
    return String(headers['mcp-session-id']);
  }

  verifies('OPS-67', 'a proof that one replica accepted is rejected by the other', async () => {
    const ada = await callerOf('ada');
    const session = await open(one, ada);
    const headers = await ada.headers(session);
    expect(textOf(await post(one, headers, toolCall('whoami')))).toBe('ada with test');
    for (const each of [other, one]) {
      expect(rejectedAs(await post(each, headers, toolCall('whoami')))).toEqual(REPLAYED);
    }
    expect(textOf(await call(other, ada, session))).toBe('ada with test');
    const concurrent = await ada.headers(session);
    const answers = await Promise.all(
      [one, other, one, other].map((each) => post(each, concurrent, toolCall('whoami'))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
  });

  verifies('OPS-68', 'a session goes on at the other replica, for its caller alone', async () => {
    const [ada, bob] = [await callerOf('ada'), await callerOf('bob')];
    const session = await open(one, ada);
    expect(textOf(await call(other, ada, session, 'add_note', { text: 'milk' }))).toBe('1 notes');
    expect(textOf(await call(one, ada, session, 'list_notes'))).toBe('milk');
    for (const each of [one, other]) {
      expect(textOf(await call(each, ada, session))).toBe('ada with test');
      expect(rejectedAs(await call(each, bob, session))).toEqual(UNKNOWN_SESSION);
      for (const altered of alteredOnce(session)) {
        expect(rejectedAs(await call(each, ada, altered))).toEqual(UNKNOWN_SESSION);
      }
    }
    expect(textOf(await call(other, ada, session))).toBe('ada with test');
  });

  verifies('OPS-68', 'the official client goes on at the other replica', async () => {
    const session = await DpopSession.create();
    class ProvingProvider extends DemoProvider {
      dpop(): Promise<DpopSession> {
        return Promise.resolve(session);
      }
    }
    const authProvider = new ProvingProvider(new Person(CREDENTIALS));
    authProvider.saveTokens({ access_token: await tokenOf('eve', session.thumbprint), token_type: 'DPoP' });
    const statuses: number[] = [];
    /** As a load balancer that takes turns. */
    const balanced: typeof fetch = async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const { origin } = statuses.length % 2 === 0 ? one : other;
      const answer = await fetch(`${origin}${pathname}`, init);
      statuses.push(answer.status);
      return answer;
    };
    const client = new Client({ name: 'official', version: '1.0.0' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(RESOURCE), { authProvider, fetch: balanced }),
    );
    for (let count = 0; count < 4; count++) {
      const result = await client.callTool({ name: 'whoami', arguments: {} });
      expect(result.content).toEqual([{ type: 'text', text: 'eve with official' }]);
    }
    await client.close();
    expect(statuses.filter((status) => status === 401 || status === 404)).toEqual([]);
  });

  verifies('OPS-69', 'a sign-out at one replica ends the streams of this person at the other', async () => {
    const aMinuteAgo = Math.floor(Date.now() / 1000) - 60;
    const [ada, bob] = [await callerOf('ada', { iat: aMinuteAgo }), await callerOf('bob')];
    const [session, bobs] = [await open(one, ada), await open(one, bob)];
    const wait = async (caller: Caller, id: string) =>
      openStream(other.origin, '/notes', {
        method: 'POST',
        headers: await caller.headers(id),
        body: toolCall('await_note'),
      });
    const [adasStream, bobsStream] = [await wait(ada, session), await wait(bob, bobs)];
    expect([adasStream.status, bobsStream.status]).toEqual([200, 200]);
    const headers = await ada.headers(undefined, '/sign-out');
    const signedOut = await send(one.origin, '/notes/sign-out', { method: 'POST', headers });
    expect([signedOut.status, signedOut.text]).toEqual([201, 'signed out']);
    expect(await settlesWithin(10_000, adasStream.ended)).toBe(true);
    expect(textOf({ status: 200, text: adasStream.text() })).toEqual({
      code: 401,
      message: REVOKED.json.error_description,
      data: REVOKED.json,
    });
    for (const each of [other, one]) {
      expect(rejectedAs(await call(each, ada, session))).toEqual(REVOKED);
      expect(textOf(await call(each, await callerOf('ada'), session))).toBe('ada with test');
    }
    expect(await settlesWithin(0, bobsStream.ended)).toBe(false);
    expect(textOf(await call(one, bob, bobs, 'add_note', { text: 'bread' }))).toBe('1 notes');
    expect(await bobsStream.ended).toBe(true);
    expect(textOf({ status: 200, text: bobsStream.text() })).toBe('1 notes');
  });

  verifies(
    'OPS-71',
    'while Redis hangs or is away no proof is accepted, and calls work again after it',
    async () => {
      const ada = await callerOf('ada');
      const session = await open(one, ada);
      const askBoth = async (): Promise<unknown[]> =>
        (await Promise.all([one, other].map((each) => call(each, ada, session)))).map(rejectedAs);
      redis.hang();
      onTestFinished(() => {
        redis.goOn();
      });
      expect(await askBoth()).toEqual([UNAVAILABLE, UNAVAILABLE]);
      redis.goOn();
      await expect.poll(async () => textOf(await call(other, ada, session))).toBe('ada with test');
      await redis.kill();
      for (let count = 0; count < 5; count++) expect(await askBoth()).toEqual([UNAVAILABLE, UNAVAILABLE]);
      await redis.restart();
      for (const each of [one, other]) {
        // This Redis keeps nothing on disk, so it has lost the sessions. A client opens a new one.
        await expect.poll(async () => rejectedAs(await call(each, ada, session))).toEqual(UNKNOWN_SESSION);
        expect(textOf(await call(each, ada, await open(one, ada)))).toBe('ada with test');
      }
    },
  );

  verifies('OPS-70', 'a replica that dies under load loses no session, and no answer is wrong', async () => {
    const people = Array.from({ length: 8 }, (_, at) => `person ${String(at)}`);
    const texts = Array.from({ length: 30 }, (_, at) => `note ${String(at).padStart(2, '0')}`);
    const died = once(one.child, 'exit');
    const count = { right: 0, repeated: 0, wrong: [] as unknown[] };

    /** As a load balancer: takes turns, and sends a request again if a replica does not answer or is unavailable. */
    const balanced = async (at: number, request: () => Promise<Sent>): Promise<HttpAnswer> => {
      for (let replica = at % 2; replica < 100; replica++) {
        const { headers, body } = await request();
        const answer = await post(replica % 2 === 0 ? one : other, headers, body).catch(() => undefined);
        if (answer && answer.status !== 503) return answer;
        count.repeated += 1;
      }
      throw new Error('no replica answers');
    };

    const opened = await Promise.all(
      people.map(async (person) => {
        const caller = await callerOf(person);
        return { person, caller, session: await open(one, caller) };
      }),
    );

    const load = async ({ person, caller, session }: (typeof opened)[number]): Promise<void> => {
      const ask = (at: number, tool: string, args: object = {}): Promise<HttpAnswer> =>
        balanced(at, async () => ({ headers: await caller.headers(session), body: toolCall(tool, 1, args) }));
      for (const [at, text] of texts.entries()) {
        const answer = await ask(at, 'add_note', { text });
        if (textOf(answer) === `${String(at + 1)} notes`) count.right += 1;
        else count.wrong.push(answer);
        if (count.right === 80) one.child.kill('SIGKILL');
      }
      const list = await ask(1, 'list_notes');
      if (textOf(list) !== texts.join('\n')) count.wrong.push(list);
      const who = await ask(1, 'whoami');
      if (textOf(who) !== `${person} with test`) count.wrong.push(who);
    };

    await Promise.all(opened.map(load));
    expect(await died).toEqual([null, 'SIGKILL']);
    expect(count.wrong).toEqual([]);
    expect(count.right).toBe(240);
    expect(count.repeated).toBeGreaterThan(0);
  });
});

/** Each with one other character: in the id, in its seal, and in the last character that has all of its bits. */
function alteredOnce(session: string): string[] {
  const dot = session.lastIndexOf('.');
  return [0, dot - 1, dot + 1, session.length - 2].map((at) => {
    const other = session[at] === 'a' ? 'b' : 'a';
    return session.slice(0, at) + other + session.slice(at + 1);
  });
}

/** The text of a tool's answer, which is the only event of a stream, or its error. */
function textOf({ status, text }: Pick<HttpAnswer, 'status' | 'text'>): unknown {
  const data = /^data: (.*)$/m.exec(text)?.[1];
  if (status !== 200 || data === undefined) return { status, text };
  const { result, error } = JSON.parse(data) as {
    result?: { content: { text: string }[] };
    error?: unknown;
  };
  return error ?? result?.content[0]?.text;
}
