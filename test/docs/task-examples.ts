import type { Request, Response } from 'express';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Controller, Injectable, Post, Req, Res, UseGuards } from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, McpHandlerSource, principalKey } from 'nestjs-mcp-auth';

function createServer(taskStore: InMemoryTaskStore): McpServer {
  const capabilities = { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };
  const server = new McpServer({ name: 'notes', version: '1.0.0' }, { capabilities, taskStore });
  server.experimental.tasks.registerToolTask(
    'export',
    { description: 'Export the notes', execution: { taskSupport: 'required' } },
    {
      createTask: async (extra) => {
        const task = await extra.taskStore.createTask({ ttl: 60_000 });
        const content = [{ type: 'text' as const, text: 'all notes' }];
        await extra.taskStore.storeTaskResult(task.taskId, 'completed', { content });
        return { task };
      },
      getTask: (extra) => extra.taskStore.getTask(extra.taskId),
      getTaskResult: async (extra) => {
        const { content } = await extra.taskStore.getTaskResult(extra.taskId);
        return { content } as { content: [] };
      },
    },
  );
  return server;
}

@Injectable()
export class ExportHandlers extends McpHandlerSource {
  declarations() {
    return [{ kind: 'tool', name: 'export', requirements: ['notes:export'] }] as const;
  }
}

//#region tasks
@Controller('notes')
@UseGuards(BearerAuthGuard)
export class TaskEndpoint {
  private readonly stores = new Map<string, InMemoryTaskStore>();

  @Post()
  async handle(@Req() request: Request, @Res() response: Response, @AuthInfo() auth: AuthInfo) {
    const server = createServer(this.tasksOf(principalKey(auth)));
    const transport = new StreamableHTTPServerTransport();
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  }

  private tasksOf(caller: string): InMemoryTaskStore {
    const store = this.stores.get(caller) ?? new InMemoryTaskStore();
    this.stores.set(caller, store);
    return store;
  }
}
//#endregion tasks
