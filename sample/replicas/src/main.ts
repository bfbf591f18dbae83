import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { ISSUER, RESOURCE } from './environment.js';
import { mcp } from './notes.endpoint.js';

try {
  const port = Number(process.env['PORT'] ?? 3001);
  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'], abortOnError: false });
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
  console.log(
    `A replica of ${RESOURCE} on port ${String(port)}, with tokens of ${ISSUER}\nStop with Ctrl-C.`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
