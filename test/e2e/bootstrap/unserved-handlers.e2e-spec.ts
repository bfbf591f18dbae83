import type { INestApplication } from '@nestjs/common';
import { McpController, McpStrategy, StreamableHttpTransport, Tool } from '@rekog/mcp-nest';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { defaultPlatform, RecordingLogger, startCreated } from '../../fixtures/app.js';
import { mcpEndpoint } from '../../fixtures/mcp-endpoint.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

@McpController()
class NotesTools {
  @Tool({ name: 'list', description: 'List', parameters: z.object({}) })
  list(): void {
    return undefined;
  }

  @Tool({ name: 'write', description: 'Write', parameters: z.object({}) })
  write(): void {
    return undefined;
  }
}

@McpController({ server: 'admin' })
class AdminTools {
  @Tool({ name: 'wipe', description: 'Wipe', parameters: z.object({}) })
  wipe(): void {
    return undefined;
  }
}

const UNSERVED =
  'is served by no MCP server; before app.listen(), call app.connectMicroservice({ strategy }) with the McpStrategy of its ' +
  'transport and await app.startAllMicroservices()';

/** Longer than it takes until something is said. */
const SAID_MS = 180;

function strategy(server?: string): McpStrategy {
  const transports = [new StreamableHttpTransport({ mount: false })];
  return new McpStrategy({ name: 'n', version: '1', transports, logging: false, ...(server && { server }) });
}

/** What is said of the handlers of an application, after it listens. */
async function said(
  tools: (typeof NotesTools | typeof AdminTools)[],
  before: (app: INestApplication) => void | Promise<void> = () => undefined,
  after: (app: INestApplication) => void | Promise<void> = () => undefined,
): Promise<readonly string[]> {
  const log = new RecordingLogger();
  const { app } = await startCreated(
    { resources: offlineResource(NOTES) },
    { controllers: [mcpEndpoint().controller, ...tools], prepare: before, factoryOptions: { logger: log } },
  );
  await after(app);
  await delay(SAID_MS);
  return log.warnings.filter((each) => each.includes('MCP server'));
}

describe(`MCP handlers of an application that listens, on ${defaultPlatform}`, () => {
  verifies('WAY-24', 'are named in a warning if no strategy is connected, or none is started', async () => {
    expect(await said([NotesTools])).toEqual([`NotesTools ${UNSERVED}`]);
    const connected = await said(
      [NotesTools],
      (app) => void app.connectMicroservice({ strategy: strategy() }),
    );
    expect(connected).toEqual([`NotesTools ${UNSERVED}`]);
  });

  verifies(
    'WAY-24',
    'are named in a warning if only the strategy of another server is connected',
    async () => {
      const connect = (...servers: (string | undefined)[]) => {
        return async (app: INestApplication) => {
          for (const server of servers) app.connectMicroservice({ strategy: strategy(server) });
          await app.startAllMicroservices();
        };
      };
      const both = [NotesTools, AdminTools];
      expect(await said(both, connect(undefined))).toEqual([`AdminTools ${UNSERVED}`]);
      expect(await said(both, connect('admin'))).toEqual([`NotesTools ${UNSERVED}`]);
      expect(await said(both, connect('admins'))).toEqual([
        `NotesTools ${UNSERVED}`,
        `AdminTools ${UNSERVED}`,
      ]);
      expect(await said(both, connect('admin', undefined))).toEqual([]);
    },
  );

  verifies('WAY-24', 'cause no warning if they are connected, before or after it listens', async () => {
    const connect = async (app: INestApplication) => {
      app.connectMicroservice({ strategy: strategy() });
      await app.startAllMicroservices();
    };
    expect(await said([NotesTools], connect)).toEqual([]);
    expect(await said([NotesTools], undefined, connect)).toEqual([]);
    const initialized = async (app: INestApplication) => {
      await app.init();
      await connect(app);
    };
    expect(await said([NotesTools], initialized)).toEqual([]);
    expect(await said([])).toEqual([]);
  });
});
