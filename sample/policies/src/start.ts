import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { startDecisionPoint } from './decision-point.js';
import { mcp } from './documents.endpoint.js';
import { DECISION_POINT } from './environment.js';

/** Starts the server on loopback, and the decision point of the sample unless there is another one. */
export async function startDocumentsServer(port: number): Promise<{ close(): Promise<void> }> {
  const own = DECISION_POINT === undefined ? await startDecisionPoint() : undefined;
  const decisionPoint = own?.url ?? DECISION_POINT ?? '';
  const options = { logger: ['warn', 'error'] as ('warn' | 'error')[], abortOnError: false };
  const app = await NestFactory.create(AppModule.with(decisionPoint), options);
  app.connectMicroservice({ strategy: mcp });
  await app.startAllMicroservices();
  await app.listen(port, '127.0.0.1');
  return {
    close: async () => {
      await app.close();
      await own?.close();
    },
  };
}
