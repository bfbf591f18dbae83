import 'reflect-metadata';
import { Controller, Get, type INestApplication, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthInfo, BearerAuthGuard, McpAuthModule, type ProtectedResourceOptions } from 'nestjs-mcp-auth';

/** Tells what a token that is let in says; the guard tells what is wrong with the others. */
@Controller('check')
@UseGuards(BearerAuthGuard)
export class CheckController {
  @Get()
  check(@AuthInfo() { issuer, subject, clientId, scopes, audience }: AuthInfo) {
    return { issuer, subject, clientId, scopes, audience };
  }
}

/** A server on loopback for trying tokens of a provider by hand: refusals say which rule it was. */
export async function startCheck(
  resource: ProtectedResourceOptions,
  port: number,
): Promise<INestApplication> {
  @Module({
    imports: [McpAuthModule.forRoot({ resources: resource, showErrorDetails: true })],
    controllers: [CheckController],
  })
  class CheckModule {}
  const app = await NestFactory.create(CheckModule, { logger: ['warn', 'error'], abortOnError: false });
  await app.listen(port, '127.0.0.1');
  return app;
}
