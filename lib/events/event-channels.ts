import { type Channel, channel } from 'node:diagnostics_channel';
import type { McpAuthEventType } from './mcp-auth-event.interface.js';

/** The channel of `node:diagnostics_channel` for each type of event: `nestjs-mcp-auth:access_denied` and so on. @internal */
export const EVENT_CHANNELS: Readonly<Record<McpAuthEventType, Channel>> = {
  access_granted: channel('nestjs-mcp-auth:access_granted'),
  access_denied: channel('nestjs-mcp-auth:access_denied'),
  request_completed: channel('nestjs-mcp-auth:request_completed'),
  keys_refreshed: channel('nestjs-mcp-auth:keys_refreshed'),
  metadata_refreshed: channel('nestjs-mcp-auth:metadata_refreshed'),
  discovery_failed: channel('nestjs-mcp-auth:discovery_failed'),
  stale_used: channel('nestjs-mcp-auth:stale_used'),
};
