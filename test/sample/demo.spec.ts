import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../sample/dist/demo/src/main.js', import.meta.url));
const recorded = fileURLToPath(new URL('../fixtures/demo-output.txt', import.meta.url));

/** The demo takes free ports; the recorded output has those of `npm start`. */
function withFixedPorts(output: string): string {
  const ports = ['Notes MCP server', 'Authorization server'].map(
    (label) => new RegExp(`${label} +http://127\\.0\\.0\\.1:(\\d+)`).exec(output)?.[1] ?? 'no port',
  );
  const [notes = '', issuer = ''] = ports;
  return output
    .replaceAll(`127.0.0.1:${notes}`, '127.0.0.1:3000')
    .replaceAll(`127.0.0.1:${issuer}`, '127.0.0.1:4000');
}

describe('npm run demo', () => {
  let output = '';

  beforeAll(async () => {
    // Exits with 0 only if every step was as it must be; otherwise this throws with what it printed.
    ({ stdout: output } = await run(process.execPath, [main], { timeout: 25_000 }));
  }, 30_000);

  it('ends well', () => {
    expect(output).toMatch(/\nEvery step was as it must be\.\n$/);
    expect(output).not.toContain('NOT OK');
  });

  it('prints what its README shows', () => {
    expect(withFixedPorts(output)).toBe(readFileSync(recorded, 'utf8'));
  });

  it('shows no token and no code', () => {
    expect(output).not.toMatch(/eyJ|[?&]code=|code_verifier/);
  });
});
