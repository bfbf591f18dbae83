import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { enableRegistrationCors } from '../../authorization-server/src/start.js';

/** Starts both servers on one port of loopback, once the environment is what it should be. */
export async function startOneProcess(
  port: number,
  logger: ('log' | 'warn' | 'error')[] = ['warn', 'error'],
): Promise<INestApplication> {
  const { AppModule } = await import('./app.module.js');
  const { mcp } = await import('../../quickstart/src/notes.mcp.js');
  const app = await NestFactory.create(AppModule, { logger, abortOnError: false, bodyParser: false });
  enableRegistrationCors(app);
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return app;
}
