import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect } from 'vitest';
import { PLATFORMS } from '../../fixtures/app.js';
import { verifies } from '../../verifies.js';

/** Runs on what the build made. */
const SCRIPT = fileURLToPath(new URL('../../fixtures/shutdown-app.mjs', import.meta.url));

/** How long a process may take to end, in milliseconds. */
const SOON = 1000;

describe.each(PLATFORMS)('a process with an app on %s', (platform) => {
  let child: ChildProcess | undefined;
  let said = '';
  /** Exit code and signal, once it has ended. */
  let ended: unknown[] | undefined;

  afterEach(() => {
    child?.kill('SIGKILL');
  });

  /** Starts the script, and waits until it says this. */
  async function started(end: 'close' | 'signal', says: string): Promise<ChildProcess> {
    said = '';
    ended = undefined;
    const script = spawn(process.execPath, [SCRIPT, platform, end], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = script;
    script.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    script.on('close', (...how) => (ended = how));
    await expect.poll(() => said, { timeout: 20_000 }).toBe(says);
    return script;
  }

  verifies('OPS-10', 'ends once the app is closed', async () => {
    await started('close', 'shut down by close()\n');
    await expect.poll(() => ended, { timeout: SOON }).toEqual([0, null]);
  });

  verifies('OPS-10', 'ends on a signal, by the shutdown hooks', async () => {
    const script = await started('signal', 'ready\n');
    script.kill('SIGTERM');
    await expect.poll(() => ended, { timeout: SOON }).toEqual([null, 'SIGTERM']);
    expect(said).toBe('ready\nshut down by SIGTERM\n');
  });
});
