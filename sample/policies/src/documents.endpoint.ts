import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';

const transport = new StreamableHttpTransport({ statefulMode: false });

export const mcp = new McpStrategy({ name: 'documents', version: '1.0.0', transports: [transport] });

@Controller('documents')
@UseGuards(BearerAuthGuard)
export class DocumentsEndpoint extends McpHttpControllerFor(transport) {}
