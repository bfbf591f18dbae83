import { All, Controller, Req, Res, UseGuards } from '@nestjs/common';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { BearerAuthGuard, ProtectedResource } from 'nestjs-mcp-auth';
import { makeNotesServer } from './notes.server.js';
import { NotesStore } from './notes.store.js';

//#region controller
@Controller('notes')
@UseGuards(BearerAuthGuard)
@ProtectedResource('notes')
export class NotesController {
  private readonly handler = toNodeHandler(createMcpHandler(() => makeNotesServer(this.store)));

  constructor(private readonly store: NotesStore) {}

  @All()
  handle(@Req() request: Request, @Res() response: Response): Promise<void> {
    // Nest has read the body already.
    return this.handler(request as NodeIncomingMessageLike, response, request.body);
  }
}
//#endregion controller
