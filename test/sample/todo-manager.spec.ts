import type { INestApplication } from '@nestjs/common';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import type { TodosStore } from '../../sample/todo-manager/src/todos.store.js';
import { type HttpAnswer, send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

describe('sample/todo-manager', () => {
  let origin: string;
  let resource: string;
  let as: TestAuthorizationServer;
  let app: INestApplication;
  let store: TodosStore;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    const port = await freePort();
    origin = `http://127.0.0.1:${String(port)}`;
    resource = `${origin}/todos`;
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: as.issuer });
    const { startTodoManager } = await import('../../sample/todo-manager/src/start.js');
    const { TodosStore } = await import('../../sample/todo-manager/src/todos.store.js');
    app = await startTodoManager(port);
    store = app.get(TodosStore);
  });

  beforeEach(() => {
    for (const { id } of store.all()) store.delete(id);
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  /** Somebody with a token of these scopes. */
  const caller = async (sub: string | undefined, scopes = ['create:todos'], clientId = 'client-1') => {
    const claims = { sub };
    const token = await as.issueToken({ audience: resource, scopes, clientId, claims });
    return (name: string, args: object = {}): Promise<HttpAnswer> =>
      send(origin, '/todos', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
      });
  };

  /** What a tool said, out of an answer in JSON or in an event stream. */
  const told = ({ text }: HttpAnswer): string => {
    const message = JSON.parse(text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '{}')) as {
      result?: { content: { text: string }[] };
    };
    return message.result?.content[0]?.text ?? text;
  };

  function expectLacking({ status, headers, json }: HttpAnswer, scopes: string): void {
    const description = 'The access token does not grant what this operation needs';
    const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/todos"`;
    expect([status, headers['www-authenticate'], json]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="${scopes}", ${metadata}, error_description="${description}"`,
      { error: 'insufficient_scope', error_description: description },
    ]);
  }

  verifies('F126', 'create_todo: with create:todos, for oneself', async () => {
    const ada = await caller('ada');
    const id = told(await ada('create_todo', { text: 'a' }));
    expect(store.find(id)).toEqual({ id, text: 'a', owner: JSON.stringify([as.issuer, 'ada']) });
    expectLacking(
      await (
        await caller('ada', ['read:todos', 'delete:todos'])
      )('create_todo', { text: 'b' }),
      // With those that it has, as it says of no protocol version that it keeps them.
      'read:todos delete:todos create:todos',
    );
    expect(store.all()).toHaveLength(1);
  });

  verifies('F126', 'get_todos: one’s own, whatever the client; everybody’s with read:todos', async () => {
    const ada = await caller('ada');
    const bob = await caller('bob');
    const first = `${told(await ada('create_todo', { text: 'first' }))} first`;
    const second = `${told(await bob('create_todo', { text: 'second' }))} second`;
    expect(told(await ada('get_todos'))).toBe(first);
    expect(told(await ada('get_todos', { everybody: false }))).toBe(first);
    expect(told(await (await caller('ada', ['create:todos'], 'client-2'))('get_todos'))).toBe(first);
    expect(told(await bob('get_todos'))).toBe(second);
    // Neither a client that is named like a person, nor another spelling of the name.
    expect(told(await (await caller(undefined, ['create:todos'], 'ada'))('get_todos'))).not.toContain(
      'first',
    );
    expect(told(await (await caller('Ada'))('get_todos'))).toBe('no todos');
    for (const everybody of [true, 'true', 1, null, 'false', {}, []]) {
      expectLacking(await ada('get_todos', { everybody }), 'create:todos read:todos');
    }
    const reader = await caller('eve', ['create:todos', 'read:todos']);
    expect(told(await reader('get_todos', { everybody: true }))).toBe(`${first}\n${second}`);
    expect(told(await reader('get_todos'))).toBe('no todos');
    const remover = await caller('eve', ['create:todos', 'delete:todos']);
    const all = 'create:todos delete:todos read:todos';
    expectLacking(await remover('get_todos', { everybody: true }), all);
  });

  verifies('F126', 'delete_todo: one’s own; anybody’s with delete:todos, and no hint without', async () => {
    const ada = await caller('ada');
    const bob = await caller('bob', ['create:todos', 'read:todos']);
    const id = told(await ada('create_todo', { text: 'a' }));
    const all = 'create:todos read:todos delete:todos';
    expectLacking(await bob('delete_todo', { id }), all);
    expectLacking(await bob('delete_todo', { id: 'unknown' }), all);
    expect(store.find(id)).toBeDefined();
    expect(told(await ada('delete_todo', { id }))).toBe('deleted');
    const other = told(await ada('create_todo', { text: 'b' }));
    const admin = await caller('eve', ['create:todos', 'delete:todos']);
    expect(told(await admin('delete_todo', { id: 'unknown' }))).toBe('no such todo');
    expect(told(await admin('delete_todo', { id: other }))).toBe('deleted');
    expect(store.all()).toEqual([]);
  });
});
