import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import { SharedSessions } from './shared-sessions.guard.js';

//#region endpoint
/** It keeps no sessions, so each replica can answer each request. Calls are answered with streams. */
const transport = new StreamableHttpTransport({ enableJsonResponse: false });

export const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });

@Controller('notes')
@UseGuards(BearerAuthGuard, SharedSessions)
export class NotesEndpoint extends McpHttpControllerFor(transport) {}
//#endregion endpoint
