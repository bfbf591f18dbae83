import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CustomersModule, mcp } from './app.js';

/** Starts the server on loopback. */
export async function startCustomers(port: number): Promise<INestApplication> {
  const app = await NestFactory.create(CustomersModule, { logger: ['warn', 'error'], abortOnError: false });
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return app;
}
