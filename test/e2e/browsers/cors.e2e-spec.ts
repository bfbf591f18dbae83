import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from 'vitest';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { adapterOf, defaultPlatform } from '../../fixtures/app.js';
import { type HttpAnswer, send } from '../../fixtures/http.js';
import { offlineResource, NOTES, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const DOCUMENT = `${PRM}/notes`;
const OWN = 'https://app.example';
const OTHER = 'https://other.example';

type Cors = Exclude<NestApplicationOptions['cors'], undefined>;

/** The CORS settings that an application may have; each would answer a preflight of its own. */
const SETTINGS: [name: string, set: (app: INestApplication) => void, cors?: Cors][] = [
  [
    'one origin',
    (app) => {
      app.enableCors({ origin: OWN, credentials: true, maxAge: 5 });
    },
  ],
  [
    'no origin',
    (app) => {
      app.enableCors({ origin: false });
    },
  ],
  [
    'preflights that are passed on',
    (app) => {
      app.enableCors({ origin: OWN, credentials: true, preflightContinue: true });
    },
  ],
  ['a setting given at creation', () => undefined, { origin: OWN, credentials: true, methods: ['POST'] }],
  ['every origin reflected', () => undefined, { origin: true, credentials: true, exposedHeaders: ['x-own'] }],
];

describe('the metadata document in an app whose own CORS setting is', () => {
  let app: INestApplication | undefined;

  afterEach(() => app?.close());

  async function open([, set, cors]: (typeof SETTINGS)[number]): Promise<string> {
    const module = McpAuthModule.forRoot({ resources: offlineResource(NOTES) });
    app = await NestFactory.create(module, adapterOf(defaultPlatform), {
      logger: false,
      ...(cors !== undefined && { cors }),
    });
    set(app);
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  const preflight = (origin: string, path: string, from = OTHER): Promise<HttpAnswer> =>
    send(origin, path, {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });

  /** All headers that CORS knows, and those that caches look at. */
  function corsOf({ headers }: HttpAnswer): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(headers).filter(([name]) => name.startsWith('access-control-') || name === 'vary'),
    );
  }

  const ANSWER = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers': 'mcp-protocol-version',
    'access-control-max-age': '86400',
    vary: 'Access-Control-Request-Headers',
  };

  for (const setting of SETTINGS) {
    verifies(['PRM-41', 'PRM-42', 'F36'], `${setting[0]}: is for any origin`, async () => {
      const origin = await open(setting);
      for (const from of [OWN, OTHER, 'null']) {
        const answer = await preflight(origin, DOCUMENT, from);
        expect([answer.status, answer.text]).toEqual([204, '']);
        expect(corsOf(answer)).toEqual(ANSWER);
        const document = await send(origin, DOCUMENT, { headers: { origin: from } });
        expect(document).toMatchObject({ status: 200, json: { resource: NOTES } });
        expect(corsOf(document)).toEqual({ 'access-control-allow-origin': '*' });
        const rejected = await send(origin, DOCUMENT, { method: 'POST', headers: { origin: from } });
        expect([rejected.status, rejected.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
        expect(corsOf(rejected)).toEqual({ 'access-control-allow-origin': '*' });
      }
      const plain = await send(origin, DOCUMENT, { method: 'OPTIONS' });
      expect([plain.status, plain.text, plain.headers.allow]).toEqual([204, '', 'GET, HEAD, OPTIONS']);
    });
  }

  it('one origin: leaves the preflights of all other paths to that setting', async () => {
    const origin = await open(SETTINGS[0]!);
    for (const path of ['/', `${DOCUMENT}x`, `${PRM}/NOTES`, '/other']) {
      const { headers } = await preflight(origin, path);
      expect([path, headers['access-control-allow-origin'], headers['access-control-max-age']]).toEqual([
        path,
        OWN,
        '5',
      ]);
    }
  });
});
