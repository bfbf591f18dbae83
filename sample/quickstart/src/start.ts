import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** Starts the notes server on loopback, once MCP_RESOURCE and MCP_ISSUER are what they should be. */
export async function startNotesServer(
  port: number,
  logger: ('log' | 'warn' | 'error')[] = ['warn', 'error'],
): Promise<INestApplication> {
  const { AppModule } = await import('./app.module.js');
  const { mcp } = await import('./notes.mcp.js');
  const app = await NestFactory.create(AppModule, { logger, abortOnError: false });
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return app;
}
