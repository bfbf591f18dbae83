import { SetMetadata } from '@nestjs/common';
import { PROTECTED_RESOURCE } from '../mcp-auth.constants.js';

/**
 * Names the protected resource of a route, or of all routes of a class. Needed if several resources are configured.
 *
 * On a tool, prompt or resource of an MCP server: a call with a token for another resource is rejected with 403, and the
 * handler does not run. Handlers without the decorator run at every resource whose endpoint serves them.
 *
 * The decorator of a method takes precedence over that of its class. A method that overrides another one keeps the resource of
 * that one, unless it names its own; so does a class that extends another one.
 *
 * @param name - the resource's `name`, or its identifier; with an unknown one the application does not start
 * @publicApi
 */
export const ProtectedResource = (name: string): ClassDecorator & MethodDecorator =>
  SetMetadata(PROTECTED_RESOURCE, name);
