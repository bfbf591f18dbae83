import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor, McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';

const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'shop', version: '1.0.0', transports: [transport] });

@Controller('shop')
@UseGuards(BearerAuthGuard)
export class ShopEndpoint extends McpHttpControllerFor(transport) {}
