import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Version } from './version.js';

/** The same server, by what protects it. */
export const VERSIONS: Readonly<Record<string, () => Promise<{ version: Version }>>> = {
  'hand-written': () => import('./hand-written.js'),
  'mcp-auth': () => import('./mcp-auth.js'),
  after: () => import('./after.js'),
};

/** Starts one version on loopback. Each can be started once in a process. */
export async function startVersion(
  load: () => Promise<{ version: Version }>,
  port: number,
): Promise<INestApplication> {
  const { version } = await load();
  const app = await NestFactory.create(version.module, { logger: ['warn', 'error'], abortOnError: false });
  version.prepare?.(app);
  app.connectMicroservice({ strategy: version.mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return app;
}
