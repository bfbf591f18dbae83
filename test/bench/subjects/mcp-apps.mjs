import 'reflect-metadata';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { All, Controller, Module, Req, Res } from '@nestjs/common';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
} from '@rekog/mcp-nest';
import { McpHandlerSource, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { ANSWER, TOOL, TOOL_SCOPE } from '../support/tool-call.mjs';
import { asMiddleware } from './as-middleware.mjs';
import { decorate } from './decorate.mjs';
import { controllerDecorators, partsOf } from './parts.mjs';

const NAMED = { name: 'notes', version: '1.0.0' };
const DESCRIPTION = 'Add a note';
const parameters = z.object({ text: z.string() });
const answer = () => ({ content: [{ type: 'text', text: ANSWER }] });

/**
 * The same tool on each transport, at `POST /notes` behind the parts of a subject. A `scoped` tool needs a scope of its own.
 * `connect` is what main.ts does before it listens.
 */
const TRANSPORTS = {
  nest: (parts, scoped) => {
    const transport = new StreamableHttpTransport();
    class NotesEndpoint extends McpHttpControllerFor(transport) {}
    decorate(NotesEndpoint, [Controller('notes'), ...controllerDecorators(parts)]);
    return {
      controllers: [NotesEndpoint, nestTools(scoped, parts.toolDecorators)],
      connect: connecting(transport),
    };
  },
  mounted: (_, scoped) => ({
    controllers: [nestTools(scoped)],
    connect: connecting(new StreamableHttpTransport({ mount: true, endpoint: 'notes' })),
  }),
  'sdk-v2': (parts, scoped) => {
    const handle = toNodeHandler(createMcpHandler(() => registered(new McpServer(NAMED), parameters)));
    return sdkModule(handle, parts, scoped);
  },
  'sdk-v1': (parts, scoped) => {
    // A server and a transport for each request, as its documentation has it.
    const handle = async (request, response, body) => {
      const server = registered(new McpServerV1(NAMED), parameters.shape);
      const transport = new StreamableHTTPServerTransport();
      response.on('close', () => void server.close());
      await server.connect(transport);
      await transport.handleRequest(request, response, body);
    };
    return sdkModule(handle, parts, scoped);
  },
};

/** A module with an MCP server behind a subject, and what else main.ts does with it. */
export async function mcpModule({ transport, scoped = false, ...settings }) {
  const parts = await partsOf(settings);
  const { controllers, providers = [], connect } = TRANSPORTS[transport](parts, scoped);
  function BenchModule() {}
  decorate(BenchModule, [Module({ imports: parts.imports, controllers, providers })]);
  // Nest runs no guard before a route that a transport mounts by itself.
  const isGuardLost = transport === 'mounted' && parts.guard && parts.imports.length === 0;
  return {
    module: BenchModule,
    middleware: isGuardLost ? asMiddleware(parts.guard) : parts.middleware,
    connect,
  };
}

/** A tool of Nest. */
export function nestTools(scoped, decorators = []) {
  class NotesTools {
    add() {
      return answer();
    }
  }
  const tool = Tool({ name: TOOL, description: DESCRIPTION, parameters });
  return decorate(NotesTools, [McpController()], {
    add: [tool, ...decorators, ...(scoped ? [RequireScopes(TOOL_SCOPE)] : [])],
  });
}

/** Serves the tools of the application by these transports. */
export function connecting(...transports) {
  return async (app) => {
    const strategy = new McpStrategy({ ...NAMED, transports, logging: false });
    strategy.setHttpAdapter(app.getHttpAdapter());
    app.connectMicroservice({ strategy });
    await app.startAllMicroservices();
  };
}

function registered(server, inputSchema) {
  server.registerTool(TOOL, { description: DESCRIPTION, inputSchema }, answer);
  return server;
}

function sdkModule(handle, parts, scoped) {
  class SdkController {
    serve(request, response) {
      return handle(request, response, request.body);
    }
  }
  Req()(SdkController.prototype, 'serve', 0);
  Res()(SdkController.prototype, 'serve', 1);
  decorate(SdkController, [Controller('notes'), ...controllerDecorators(parts)], { serve: [All()] });
  class Declared extends McpHandlerSource {
    declarations() {
      return [{ kind: 'tool', name: TOOL, requirements: [TOOL_SCOPE] }];
    }
  }
  return { controllers: [SdkController], providers: scoped ? [Declared] : [] };
}
