import { randomUUID } from 'node:crypto';
import { All, Controller, NotFoundException, Req, Res, UseGuards } from '@nestjs/common';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Request, Response } from 'express';
import { BearerAuthGuard, ProtectedResource } from 'nestjs-mcp-auth';
import { NotesStore } from './notes.store.js';
import { makeNotesServerV1 } from './notes-v1.server.js';

/** With sessions: the guard asks for a token with every request of one, and handlers get the caller of that request. */
@Controller('notes-v1')
@UseGuards(BearerAuthGuard)
@ProtectedResource('notes-v1')
export class NotesV1Controller {
  /** A server of your own also ends sessions that are not used. */
  private readonly sessions = new Map<string, StreamableHTTPServerTransport>();

  constructor(private readonly store: NotesStore) {}

  @All()
  async handle(@Req() request: Request, @Res() response: Response): Promise<void> {
    const id = request.get('mcp-session-id');
    const transport = id === undefined ? await this.open() : this.sessions.get(id);
    if (!transport) throw new NotFoundException();
    await transport.handleRequest(request, response, request.body);
  }

  private async open(): Promise<StreamableHTTPServerTransport> {
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void this.sessions.set(id, transport),
      onsessionclosed: (id) => void this.sessions.delete(id),
    });
    await makeNotesServerV1(this.store).connect(transport);
    return transport;
  }
}
