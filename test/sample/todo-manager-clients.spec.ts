import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { connectV1, connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { verifies } from '../verifies.js';

const SCOPES = ['create:todos', 'read:todos', 'delete:todos'];

describe('sample/todo-manager with official clients', () => {
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/todos`;
    server = await startAuthorizationServer({ port: 0, resources: { [resource]: SCOPES }, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    const { startTodoManager } = await import('../../sample/todo-manager/src/start.js');
    app = await startTodoManager(port);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  for (const [name, connect] of [['v1', connectV1] as const, ['v2', connectV2] as const]) {
    verifies(
      'F126',
      `the client ${name} is asked for more scopes only for what is not its person's`,
      async () => {
        const { TodosStore } = await import('../../sample/todo-manager/src/todos.store.js');
        const { id: foreign } = app.get(TodosStore).create('somebody else', 'buy tea');
        const client = await connect(resource);
        const own = await client.call('create_todo', { text: 'write tests' });
        expect(await client.call('get_todos')).toBe(`${String(own)} write tests`);
        expect(await client.call('delete_todo', { id: own })).toBe('deleted');
        expect(await client.call('get_todos')).toBe('no todos');
        expect(client.scopes()).toEqual(['create:todos']);
        expect(client.challenged).toHaveLength(0);
        expect(await client.call('get_todos', { everybody: true })).toBe(`${foreign} buy tea`);
        expect(client.scopes()).toEqual(['create:todos', 'read:todos']);
        expect(await client.call('delete_todo', { id: foreign })).toBe('deleted');
        expect(client.scopes()).toContain('delete:todos');
        expect(client.challenged).toHaveLength(2);
        await client.close();
      },
    );
  }
});
