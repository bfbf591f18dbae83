import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import {
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
  ToolScopes,
} from '@rekog/mcp-nest';
import type { Request, Response } from 'express';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { ISSUER, RESOURCE } from './environment.js';
import type { RawRequestContext, Version } from './version.js';

const transport = new StreamableHttpTransport();
const mcp = new McpStrategy({ name: 'notes', version: '1.0.0', transports: [transport] });

//#region wiring
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`));
const { origin, pathname } = new URL(RESOURCE);
const METADATA = `/.well-known/oauth-protected-resource${pathname}`;

@Injectable()
class JwtGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request & { user?: JWTPayload }>();
    const [scheme, token] = request.headers.authorization?.split(' ') ?? [];
    try {
      if (scheme !== 'Bearer' || token === undefined) throw new Error('no token');
      const { payload } = await jwtVerify(token, keys, { issuer: ISSUER });
      request.user = payload;
      return true;
    } catch {
      const challenge = `Bearer resource_metadata="${origin}${METADATA}"`;
      http.getResponse<Response>().setHeader('WWW-Authenticate', challenge);
      throw new UnauthorizedException();
    }
  }
}

@Controller()
class MetadataController {
  @Get(METADATA)
  metadata() {
    return {
      resource: RESOURCE,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
      scopes_supported: ['notes:read', 'notes:write'],
    };
  }
}

@Controller('notes')
@UseGuards(JwtGuard)
class NotesEndpoint extends McpHttpControllerFor(transport) {}
//#endregion wiring

//#region tools
@McpController()
class NotesTools {
  @Tool({ name: 'whoami', description: 'Tell who you are', parameters: z.object({}) })
  whoami(@Ctx() context: RawRequestContext<{ user: JWTPayload }>) {
    return text(context.getRawRequest()?.user.sub ?? 'nobody');
  }

  @Tool({ name: 'purge_notes', description: 'Delete all your notes', parameters: z.object({}) })
  @ToolScopes(['notes:write'])
  purge() {
    return text('deleted');
  }
}
//#endregion tools

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

@Module({ controllers: [MetadataController, NotesEndpoint, NotesTools] })
class NotesModule {}

export const version: Version = { module: NotesModule, mcp };
