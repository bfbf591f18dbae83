import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import { NoApiKey } from './api-key.guard.js';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'orders', version: '1.0.0', transports: [transport] });

//#region endpoint
/** New: tokens in place of API keys. The prefix of the application holds here too. */
@Controller('mcp')
@NoApiKey()
@UseGuards(BearerAuthGuard)
export class McpEndpoint extends McpHttpControllerFor(transport) {}
//#endregion endpoint
