import { inspect } from 'node:util';
import { describe, expect } from 'vitest';
import {
  MCP_AUTH_OPTIONS,
  McpAuthDiagnostics,
  type McpAuthModuleOptions,
  type ResolvedMcpAuthOptions,
} from 'nestjs-mcp-auth';
import { RecordingLogger, start } from '../../fixtures/app.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const [ONE, TWO, THREE] = ['one', 'two', 'three'].map((name) => name.padEnd(43, '-secret')) as [
  string,
  string,
  string,
];

const withSecrets = (secrets: unknown): McpAuthModuleOptions =>
  ({ resources: offlineResource(NOTES), sessionBinding: { secrets } }) as McpAuthModuleOptions;

const SHORT = 'must be text of at least 43 characters, such as 32 random bytes in base64url';

describe('the secrets of sealed session ids', () => {
  verifies('SES-35', 'fail startup if they are no list of one or two different long texts', async () => {
    for (const [secrets, problem] of [
      [[], 'must have one secret, or two while one replaces the other; got a list of 0'],
      [[ONE, TWO, THREE], 'must have one secret, or two while one replaces the other; got a list of 3'],
      [[ONE.slice(1)], `member 0 ${SHORT}; got a list of 1`],
      [[ONE, TWO.slice(1)], `member 1 ${SHORT}; got a list of 2`],
      [[undefined], `member 0 ${SHORT}; got a list of 1`],
      [[ONE, ''], `member 1 ${SHORT}; got a list of 2`],
      [[Buffer.alloc(64)], `member 0 ${SHORT}; got a list of 1`],
      [[ONE, ONE], 'has the same secret twice; leave the second one out; got a list of 2'],
      [ONE, 'must be a list of secrets; got a value of type string'],
      [null, 'must be a list of secrets; got null'],
      [{ current: ONE }, 'must be a list of secrets; got a value of type object'],
    ] as const) {
      expect(await problems(withSecrets(secrets))).toBe(listing(`sessionBinding.secrets: ${problem}`));
    }
  });

  verifies('SES-35', 'are neither logged nor shown by the resolved options and the report', async () => {
    for (const secrets of [[ONE], [ONE, TWO], [`x${ONE}`]]) {
      const log = new RecordingLogger();
      const { app } = await start(withSecrets(secrets), { log });
      const options = app.get<ResolvedMcpAuthOptions>(MCP_AUTH_OPTIONS, { strict: false });
      expect(options.sessionBinding?.secrets).toEqual(secrets);
      expect(Object.isFrozen(options.sessionBinding?.secrets)).toBe(true);
      const report = app.get(McpAuthDiagnostics, { strict: false }).report();
      expect(report.options.sessionBinding).toMatchObject({ hasSecrets: true });
      expect(report.sessions).toEqual({ entries: 0, maxEntries: 0 });
      const shown = [
        inspect(options, { depth: 9 }),
        JSON.stringify(options),
        inspect(report, { depth: 9, showHidden: true }),
        inspect(log, { depth: 9 }),
      ];
      expect(shown.join()).not.toContain('-secret');
    }
  });
});
