import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { moveClock } from '../support/clock.mjs';
import { serveParent, settingsFromParent } from '../support/serve-parent.mjs';
import { subjectModule } from './apps.mjs';
import { onNodeResponse } from './express-shim.mjs';
import { mcpModule } from './mcp-apps.mjs';
import { soakModule } from './soak-app.mjs';
import { addHook } from './unseeing.hooks.mjs';

const settings = settingsFromParent();
const MODULES = { rest: subjectModule, mcp: mcpModule, soak: soakModule };

/** One subject behind a port of its own, until the parent goes away. */
async function listen() {
  const make = MODULES[settings.kind ?? 'rest'];
  const { module, middleware, hook, connect, held } = await make(settings);
  const isFastify = settings.platform === 'fastify';
  const adapter = isFastify ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(module, adapter, { logger: false, abortOnError: false });
  if (hook) addHook(adapter, hook);
  if (middleware) app.use('/notes', isFastify ? onNodeResponse(middleware) : middleware);
  await connect?.(app);
  await app.listen(0, '127.0.0.1');
  return { port: app.getHttpServer().address().port, held };
}

const listening = listen();
listening.catch(() => undefined);
serveParent({
  ready: async () => ({ port: (await listening).port }),
  held: async () => (await listening).held(),
  moveClock,
});
