import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { mcp } from './mcp.endpoint.js';

/** Starts the application on loopback. */
export async function startShop(port: number): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
    logger: ['warn', 'error'],
    abortOnError: false,
  });
  app.setGlobalPrefix('api');
  // New. Without `inheritAppConfig` the global guard is asked about routes only, and not about tools.
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return app;
}
