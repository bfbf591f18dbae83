import { McpStrategy, StreamableHttpTransport } from '@rekog/mcp-nest';

export const transport = new StreamableHttpTransport();

export const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });
