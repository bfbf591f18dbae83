import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { notesConfig } from './notes.config.js';
import { mcp } from './notes.endpoint.js';

export interface RunningServer {
  readonly app: INestApplication;
  /** The URL that people type into their MCP client. */
  readonly resource: string;
}

/** Starts the server on loopback, as its environment says. */
export async function startConfiguredServer(): Promise<RunningServer> {
  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'], abortOnError: false });
  const { port, resource } = app.get<ConfigType<typeof notesConfig>>(notesConfig.KEY);
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return { app, resource };
}
