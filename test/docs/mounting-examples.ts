import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Post,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  AuthInfo,
  BearerAuthGuard,
  BearerAuthMiddleware,
  McpAuthModule,
  SkipBearerAuth,
} from 'nestjs-mcp-auth';

const ISSUER = process.env['MCP_ISSUER'] ?? '';

/** What an application has already. */
const Public = (): ClassDecorator & MethodDecorator => SetMetadata('public', true);

@Injectable()
class SessionGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return this.reflector.getAllAndOverride('public', [context.getHandler(), context.getClass()]) === true;
  }
}

@Controller('account')
class AccountController {
  @Get()
  read() {
    return 'for sessions';
  }
}

//#region existing
@Controller('notes')
@Public() // to your own global guard
@UseGuards(BearerAuthGuard)
export class NotesController {
  @Post()
  handle(@AuthInfo('subject') subject: string) {
    return { subject };
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { resource: 'https://api.example.com/api/notes', authorizationServers: [ISSUER] },
      decorators: [Public()], // the metadata documents are for everybody
    }),
  ],
  controllers: [AccountController, NotesController],
  providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
})
export class ExistingModule {}

export async function createExisting(): Promise<INestApplication> {
  const app = await NestFactory.create(ExistingModule, new FastifyAdapter());
  return app.setGlobalPrefix('api');
}
//#endregion existing

@Controller('reports')
class ReportsController {
  @Get()
  list() {
    return 'reports';
  }
}

const resources = { resource: 'https://api.example.com/reports', authorizationServers: [ISSUER] };

//#region global
@Controller('health')
@SkipBearerAuth()
export class HealthController {
  @Get()
  read() {
    return 'up';
  }
}

@Module({
  imports: [McpAuthModule.forRoot({ resources })],
  controllers: [HealthController, ReportsController],
  providers: [{ provide: APP_GUARD, useClass: BearerAuthGuard }],
})
export class GlobalModule {}
//#endregion global

/** Such as an Express handler of a library. */
function reports(_: IncomingMessage, response: ServerResponse): void {
  response.end('reports');
}

@Module({ imports: [McpAuthModule.forRoot({ resources })] })
class LibraryModule {}

//#region middleware
export async function createWithMiddleware(): Promise<INestApplication> {
  const app = await NestFactory.create(LibraryModule);
  const bearerAuth = app.get(BearerAuthMiddleware);
  app.use('/reports', bearerAuth.use.bind(bearerAuth), reports);
  return app;
}
//#endregion middleware

//#region early
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: { ...resources, allowedOrigins: ['https://app.example.com'] }, // pages that may send requests
      earlyAuthentication: true,
    }),
  ],
})
export class EarlyModule {}

export async function createEarly(): Promise<INestApplication> {
  const app = await NestFactory.create(EarlyModule);
  app.use('/reports', reports);
  return app;
}
//#endregion early
