import { SetMetadata } from '@nestjs/common';
import { PROTECTED_RESOURCE } from '../mcp-auth.constants.js';

/**
 * Says to which protected resource a route, or all routes of a class, belong. Needed where several are
 * configured; with one it is understood.
 *
 * On tools, prompts and resources of an MCP server it says the same: with a token for another resource they are answered
 * with 403 and do not run. Those without it run at every resource whose endpoint serves them.
 *
 * @param name - the resource's `name`, or its identifier; an unknown one stops the application's start
 * @publicApi
 */
export const ProtectedResource = (name: string): ClassDecorator & MethodDecorator =>
  SetMetadata(PROTECTED_RESOURCE, name);
