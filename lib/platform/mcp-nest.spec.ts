import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { type INestApplication, Module } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { Ctx } from '@nestjs/microservices';
import {
  McpContext,
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  Prompt,
  Resource,
  ResourceTemplate,
  StreamableHttpController,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  beforeMounts,
  beforeOperations,
  filterRequests,
  handsToTransport,
  isMcpContext,
  isOfMessage,
  onStarted,
  onStrategy,
  rawRequestOf,
  sdkHttpOf,
  servedCapability,
  transportKindOf,
} from './mcp-nest.js';
import { patternTransport } from './nest-microservices.js';

let context: unknown;

@McpController()
class Handlers {
  @Tool({ name: 'list', description: 'List', parameters: z.object({}) })
  list(@Ctx() given: McpContext): string {
    context = given;
    return 'listed';
  }

  @Prompt({ name: 'greet', description: 'Greet' })
  greet(): string {
    return '';
  }

  @Resource({ name: 'note', uri: 'note://one', mimeType: 'text/plain' })
  note(): string {
    return '';
  }

  @ResourceTemplate({ name: 'notes', uriTemplate: 'note://{id}' })
  notes(): string {
    return '';
  }

  helper(): void {
    return undefined;
  }
}

@Module({})
class Root {}

/** The methods, as objects that bear metadata. */
const handlers = Handlers.prototype as unknown as Readonly<Record<keyof Handlers, object>>;

let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

const strategyOf = (transport: StreamableHttpTransport): McpStrategy =>
  new McpStrategy({ name: 'n', version: '1', transports: [transport], logging: false });

/** Connects a strategy to an application, and starts it. */
async function start(strategy: McpStrategy, prepare: (modules: ModulesContainer) => void): Promise<void> {
  app = await NestFactory.create({ module: Root, controllers: [Handlers] }, { logger: false });
  prepare(app.get(ModulesContainer));
  strategy.setHttpAdapter(app.getHttpAdapter());
  app.connectMicroservice({ strategy });
  await app.startAllMicroservices();
}

describe('the internals of @rekog/mcp-nest that this package uses', () => {
  it('mark handlers with what they serve, and with the server', () => {
    const { transportId } = strategyOf(new StreamableHttpTransport());
    const served = (['list', 'greet', 'note', 'notes', 'helper'] as const).map((name) =>
      servedCapability(handlers[name]),
    );
    expect(served).toEqual([
      { kind: 'tool', name: 'list' },
      { kind: 'prompt', name: 'greet' },
      { kind: 'resource', name: 'note://one' },
      { kind: 'resource', name: 'note://{id}' },
      undefined,
    ]);
    expect(patternTransport(handlers.list)).toBe(transportId);
    expect(transportId).toBeTypeOf('symbol');
  });

  it('let a strategy be found with its transports, and its start be seen', async () => {
    const transport = new StreamableHttpTransport({ mount: false });
    const strategy = strategyOf(transport);
    const seen: unknown[] = [];
    await start(strategy, (modules) => {
      onStrategy(modules, (told) => seen.push(told, ...told.options.transports));
      onStarted(modules, (server) => seen.push(server));
    });
    expect(seen).toEqual([strategy, transport, strategy.transportId]);
  });

  it('start a transport with the adapter on which it mounts its routes', async () => {
    const transport = new StreamableHttpTransport({ endpoint: '/own' });
    const mounted: unknown[] = [];
    beforeMounts(transport, (path, adapter) => mounted.push([path, adapter]));
    await start(strategyOf(transport), () => undefined);
    expect(mounted).toEqual(new Array(3).fill(['/own', app?.getHttpAdapter()]));
  });

  it('serve each method of HTTP by a method of the transport that can be replaced', async () => {
    const transport = new StreamableHttpTransport();
    const served = transport.httpHandlers;
    const reached: unknown[] = [];
    filterRequests(transport, (request, response) => {
      reached.push([request, response]);
      return false;
    });
    const [request, response] = [{}, {}];
    await served.handlePost(request, response);
    await served.handleGet(request, response);
    await served.handleDelete(request, response);
    expect(reached).toEqual(new Array(3).fill([request, response]));
  });

  it('make a context for each operation, which a handler gets', async () => {
    const strategy = strategyOf(new StreamableHttpTransport({ mount: false }));
    await start(strategy, () => undefined);
    const looked: unknown[] = [];
    expect(beforeOperations(strategy, (...args) => looked.push(args))).toBe(true);
    const [client, auth, rawRequest] = [new Client({ name: 'c', version: '1' }), { token: 't' }, {}];
    const [mine, ofClient] = InMemoryTransport.createLinkedPair();
    const sendOfClient = ofClient.send.bind(ofClient);
    ofClient.send = (message, options) => sendOfClient(message, { ...options, authInfo: auth as never });
    await strategy.createBoundServer({ transport: 'stdio', stateless: false }, rawRequest).connect(mine);
    await client.connect(ofClient);
    await client.callTool({ name: 'list', arguments: {} });
    await client.close();

    const message = { method: 'tools/call', params: { name: 'list', arguments: {} } };
    expect(looked).toEqual([['stdio', rawRequest, expect.objectContaining(message)]]);
    expect(context).toBeInstanceOf(McpContext);
    expect(isMcpContext(context)).toBe(true);
    expect(transportKindOf(context as object)).toBe('stdio');
    expect(rawRequestOf(context)).toBe(rawRequest);
    expect(sdkHttpOf(context as object)?.authInfo).toEqual(auth);
    expect(isOfMessage(context, { method: 'tools/call', name: 'list' })).toBe(true);
    expect(isOfMessage(context, { method: 'tools/call', name: 'other' })).toBe(false);
  });

  it('hand requests over in the code of controllers', () => {
    class Endpoint extends McpHttpControllerFor(new StreamableHttpTransport()) {}
    class Injected extends StreamableHttpController {}
    for (const controller of [Endpoint, Injected])
      expect(['post', 'get', 'delete', 'helper'].map((name) => handsToTransport(controller, name))).toEqual([
        true,
        true,
        true,
        false,
      ]);
  });
});
