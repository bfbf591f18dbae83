import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type AuthInfo as AuthInfoShape } from '../auth-info/auth-info.interface.js';
import { admissionOf, requestOf } from '../auth-info/request-auth.js';

/** The caller as a handler gets it; see the decorator of the same name. @publicApi */
export type AuthInfo = AuthInfoShape;

/**
 * The caller of this request, or one property of it: `@AuthInfo() auth: AuthInfo`, `@AuthInfo('subject')`.
 *
 * Works in HTTP routes and in the MCP handlers of @rekog/mcp-nest. Undefined where {@link BearerAuthGuard} has
 * not admitted the request.
 *
 * @publicApi
 */
export const AuthInfo: (property?: keyof AuthInfoShape) => ParameterDecorator = createParamDecorator(
  (property: keyof AuthInfoShape | undefined, context: ExecutionContext) => {
    const auth = admissionOf(requestOf(context))?.auth;
    return property === undefined ? auth : auth?.[property];
  },
);
