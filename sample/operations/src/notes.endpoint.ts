import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import { CallerThrottlerGuard } from './throttling.js';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });

//#region endpoint
@Controller('notes')
@UseGuards(BearerAuthGuard, CallerThrottlerGuard) // first who calls, then how often
export class NotesEndpoint extends McpHttpControllerFor(transport) {}
//#endregion endpoint
