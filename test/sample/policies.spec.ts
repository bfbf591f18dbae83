import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { AuthorizationServerUnavailableError, type AuthInfo } from 'nestjs-mcp-auth';
import { freePort } from '../../sample/demo/src/free-port.js';
import { DecisionPointPolicy } from '../../sample/policies/src/decision-point.policy.js';
import { startDecisionPoint } from '../../sample/policies/src/decision-point.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';
import { MCP_HEADERS, toolCall } from '../fixtures/mcp-endpoint.js';
import { DENIED, rejectedAs } from '../fixtures/notes-rejections.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

describe('sample/policies, as a process', () => {
  let as: LoopbackAuthorizationServer;
  let origin: string;
  let sample: SampleProcess;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const port = String(await freePort());
    origin = `http://127.0.0.1:${port}`;
    const settings = { MCP_RESOURCE: `${origin}/documents`, MCP_ISSUER: as.issuer, PORT: port };
    sample = await startSample('policies', 'Stop with Ctrl-C.', settings);
  });

  afterAll(async () => {
    await stopSample(sample);
    await as.close();
  });

  const call = async (sub: string, roles: unknown, tool: string, document: string) => {
    const token = await as.token({ aud: `${origin}/documents`, scope: 'documents', sub, roles });
    return send(origin, '/documents', {
      method: 'POST',
      headers: { ...MCP_HEADERS, authorization: `Bearer ${token}` },
      body: toolCall(tool, 1, { document }),
    });
  };
  const said = (text: string) => ({ result: { content: [{ type: 'text', text }] } });

  verifies('PCY-23', 'lets editors write, and others read', async () => {
    for (const roles of [undefined, [], ['reader'], 'editor', ['Editor']])
      expect(rejectedAs(await call('ada', roles, 'publish', 'plan'))).toEqual(DENIED);
    expect((await call('ada', ['reader', 'editor'], 'publish', 'plan')).json).toMatchObject(
      said('plan is published'),
    );
    expect((await call('eve', undefined, 'read', 'plan')).json).toMatchObject(said('plan'));
  });

  verifies(
    ['PCY-24', 'PCY-03'],
    'lets the decision point decide whose documents may be published',
    async () => {
      for (const [sub, document] of [
        ['ada', 'budget'],
        ['bob', 'plan'],
        ['ada', 'unknown'],
        ['ada', 'toString'],
      ] as const)
        expect(rejectedAs(await call(sub, ['editor'], 'publish', document))).toEqual(DENIED);
      expect((await call('bob', ['editor'], 'publish', 'budget')).status).toBe(200);
    },
  );
});

describe('the policy that asks a decision point', () => {
  const signal = (): AbortSignal => new AbortController().signal;
  const ask = (url: string, given: AbortSignal = signal()) =>
    new DecisionPointPolicy(url).decide(
      {
        ...{ kind: 'tool', name: 'publish', method: 'tools/call' },
        arguments: { document: 'plan' },
        annotations: undefined,
      },
      { subject: 'ada', issuer: 'https://as.example', clientId: 'c1' } as AuthInfo,
      { resource: 'https://api.example/documents', signal: given },
    );

  async function answering(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closeAfterTest({
      close: () => {
        server.closeAllConnections();
        server.close();
        return Promise.resolve();
      },
    });
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  verifies('PCY-24', 'sends subject, action and resource, and takes only true', async () => {
    const bodies: unknown[] = [];
    const answers = [
      '{"decision":true}',
      '{"decision":"true"}',
      '{"decision":1}',
      '{}',
      '{"decision":false}',
    ];
    const url = await answering((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push([request.method, request.url, JSON.parse(body)]);
        response.end(answers.shift());
      });
    });
    const decided: boolean[] = [];
    for (let count = answers.length; count > 0; count--) decided.push(await ask(url));
    expect(decided).toEqual([true, false, false, false, false]);
    expect(bodies[0]).toEqual([
      'POST',
      '/access/v1/evaluation',
      {
        subject: { type: 'user', id: 'ada', properties: { issuer: 'https://as.example' } },
        action: { name: 'tools/call' },
        resource: { type: 'tool', id: 'publish', properties: { document: 'plan' } },
        context: { resource: 'https://api.example/documents' },
      },
    ]);
  });

  verifies('PCY-24', 'fails closed', async () => {
    for (const answer of [
      (status: number) => ({ status, body: '{"decision":true}' }),
      () => ({ status: 200, body: 'true' }),
      () => ({ status: 200, body: 'null' }),
      () => ({ status: 200, body: '<html>' }),
    ]) {
      const { status, body } = answer(403);
      const url = await answering((request, response) => {
        request.resume();
        response.writeHead(status).end(body);
      });
      expect(await ask(url).catch((error: unknown) => error)).not.toBe(true);
    }
    const moved = await answering((_request, response) => {
      response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end();
    });
    const point = await startDecisionPoint();
    await point.close();
    for (const url of [moved, point.url])
      await expect(ask(url)).rejects.toThrow(AuthorizationServerUnavailableError);
    const silent = await answering(() => undefined);
    const limit = new AbortController();
    const asking = ask(silent, limit.signal);
    limit.abort();
    await expect(asking).rejects.toThrow(AuthorizationServerUnavailableError);
  });

  verifies('PCY-24', 'is answered 400 and 404 by the decision point for anything else', async () => {
    const point = closeAfterTest(await startDecisionPoint());
    const post = { method: 'POST', body: 'no JSON' };
    expect((await send(point.url, '/access/v1/evaluation', post)).status).toBe(400);
    expect((await send(point.url, '/access/v1/evaluation', { ...post, body: '{}' })).status).toBe(400);
    expect((await send(point.url, '/other', post)).status).toBe(404);
  });
});
