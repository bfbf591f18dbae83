import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesEndpoint extends McpHttpControllerFor(transport) {}
