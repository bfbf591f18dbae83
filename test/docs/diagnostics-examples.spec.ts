import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { REJECTION_REFERENCE } from '../tools/error-reference.js';
import { start } from '../fixtures/app.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { ADMIN, NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import { Support } from './diagnostics-examples.js';

const page = (name: string): Promise<string> =>
  readFile(new URL(`../../docs/operations/${name}.md`, import.meta.url), 'utf8');

describe('the page on explain()', () => {
  verifies('OPS-62', 'shows what its example returns', async () => {
    const [, shown = ''] = /^```text\n(.*?)^```$/ms.exec(await page('explain')) ?? [];
    // Times of tokens are whole seconds, and so are those of the page.
    const time = new Date(Math.floor(Date.now() / 1000) * 1000);
    const now = (): Date => time;
    const as = closeAfterTest(await TestAuthorizationServer.start({ now }));
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const { app } = await start({ resources, now }, { providers: [Support] });
    const support = app.get(Support);
    const issuedAt = new Date(time.getTime() - 360_000);
    const token = await as.issueToken({ audience: ADMIN, issuedAt });
    expect(await support.why(token)).toEqual(shown.trimEnd().split('\n'));
    const good = await as.issueToken({ audience: NOTES });
    expect(await support.why(good)).toEqual(['accepted: no reason']);
  });
});

describe('the runbook', () => {
  verifies(
    'OPS-65',
    'names each reason once at the symptom it causes, with a link to its section',
    async () => {
      const named = [
        ...(await page('runbook')).matchAll(/^- \[`(\w+)`\]\(\.\.\/reference\/errors\.md#(\w+)\): ./gm),
      ];
      for (const [, reason, section] of named) expect(section).toBe(reason);
      const reasons = named.map(([, reason]) => reason);
      expect([...reasons].sort()).toEqual(Object.keys(REJECTION_REFERENCE).sort());
    },
  );
});
