import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'folders', version: '1.0.0', transports: [transport] });

@Controller('folders')
@UseGuards(BearerAuthGuard)
export class FoldersEndpoint extends McpHttpControllerFor(transport) {}
