import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthInfo, BearerAuthGuard, McpAuthModule, type ProtectedResourceOptions } from 'nestjs-mcp-auth';

/**
 * A server on loopback for trying tokens of a provider by hand, at the path of the resource: it tells what a token that
 * is authenticated says, and of a rejected one which rule it was.
 */
export async function startCheck(
  resource: ProtectedResourceOptions,
  port: number,
  logger: ('log' | 'warn' | 'error')[] = ['warn', 'error'],
): Promise<INestApplication> {
  @Controller(new URL(resource.resource).pathname)
  @UseGuards(BearerAuthGuard)
  class CheckController {
    @Get()
    check(@AuthInfo() { issuer, subject, clientId, scopes, audience }: AuthInfo) {
      return { issuer, subject, clientId, scopes, audience };
    }
  }

  @Module({
    imports: [McpAuthModule.forRoot({ resources: resource, showErrorDetails: true })],
    controllers: [CheckController],
  })
  class CheckModule {}

  const app = await NestFactory.create(CheckModule, { logger, abortOnError: false });
  await app.listen(port, '127.0.0.1');
  return app;
}
