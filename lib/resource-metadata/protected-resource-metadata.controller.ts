import { All, Controller, Req, Res, SetMetadata, VERSION_NEUTRAL } from '@nestjs/common';
import { PROTECTED_RESOURCE_WELL_KNOWN, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import { type WellKnownRequest, type WellKnownResponse, WellKnownResponder } from './well-known.responder.js';

/**
 * Serves the RFC 9728 documents of all resources.
 *
 * The resources may come from an asynchronous factory, after routes are made, so one route covers the whole
 * well-known tree and the path is compared by the responder, to the letter.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3 | RFC 9728 section 3}
 * @internal
 */
@Controller({ path: PROTECTED_RESOURCE_WELL_KNOWN, version: VERSION_NEUTRAL })
@SetMetadata(SKIP_BEARER_AUTH, true)
export class ProtectedResourceMetadataController {
  constructor(private readonly responder: WellKnownResponder) {}

  @All(['', '*path'])
  serve(@Req() request: WellKnownRequest, @Res() response: WellKnownResponse): void {
    this.responder.respond(request, response);
  }
}
