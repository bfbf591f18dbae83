import {
  All,
  applyDecorators,
  Controller,
  Inject,
  Req,
  Res,
  SetMetadata,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { PROTECTED_RESOURCE_WELL_KNOWN, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import type { PlatformResponse } from '../platform/node-message.js';
import { type WellKnownRequest, WellKnownResponder } from './well-known.responder.js';

/** The controller classes of a module for its well-known routes. @internal */
export interface WellKnownControllers {
  /** Serves the documents of resources. */
  readonly resources: Type<object>;
  /** Serves the copy of an authorization server's metadata. */
  readonly mirror: Type<object>;
  /** Whether the application gave decorators for them, and so has exempted them from its global guards. */
  readonly areDecorated: boolean;
}

/**
 * Makes the controller that serves the RFC 9728 documents of all resources.
 *
 * The resources may come from an asynchronous factory, after controllers are declared. So one route covers the whole
 * well-known tree, and the responder compares the path exactly. Each module has its own class, which has the application's
 * decorators and routes in the platform's syntax.
 *
 * @param decorators - exempt the controller from guards of the application
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3 | RFC 9728 section 3}
 * @internal
 */
export function metadataController(decorators: readonly ClassDecorator[]): Type<object> {
  @Controller({ path: PROTECTED_RESOURCE_WELL_KNOWN, version: VERSION_NEUTRAL })
  @SetMetadata(SKIP_BEARER_AUTH, true)
  @applyDecorators(...decorators)
  class ProtectedResourceMetadataController {
    @Inject() private readonly responder!: WellKnownResponder;

    @All()
    serve(@Req() request: WellKnownRequest, @Res() response: PlatformResponse): Promise<void> {
      return this.responder.respond(request, response);
    }
  }
  return ProtectedResourceMetadataController;
}

/**
 * Makes the controller that serves the copy of an authorization server's metadata. It has no route until the options
 * enable the copy.
 *
 * @param decorators - exempt the controller from guards of the application
 * @internal
 */
export function mirrorController(decorators: readonly ClassDecorator[]): Type<object> {
  @Controller({ path: [], version: VERSION_NEUTRAL })
  @SetMetadata(SKIP_BEARER_AUTH, true)
  @applyDecorators(...decorators)
  class AuthorizationServerMetadataController {
    @Inject() private readonly responder!: WellKnownResponder;

    @All()
    serve(@Req() request: WellKnownRequest, @Res() response: PlatformResponse): Promise<void> {
      return this.responder.respond(request, response);
    }
  }
  return AuthorizationServerMetadataController;
}
