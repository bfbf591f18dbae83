import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('./sync-events.mjs', import.meta.url));
const PAGE = 'docs/reference/events.md';
const SOURCE = 'lib/events/mcp-auth-event.interface.ts';

const EVENTS = `
export interface EventPrincipal {
  /** Who issued the token. */
  readonly issuer: string | undefined;
}

export interface RequestEvent extends EventPrincipal {
  /** Random. */
  readonly id: string;
}

/** A request was rejected. @publicApi */
export interface RejectedEvent extends RequestEvent {
  /** The name of the event. */
  readonly type: 'rejected';
  /** The status. */
  readonly status: number;
}

/** A document was fetched. */
export interface FetchedEvent {
  /** The name of the event. */
  readonly type: 'fetched';
  /** Which one. */
  readonly what: Document;
}

export type Document = 'metadata' | 'keys';

export type McpAuthEvent = RejectedEvent | FetchedEvent;
`;

const LIST = `
## Events of requests

Each of these has the following fields, and those of its own section.

- \`id\`, \`string\`: Random.
- \`issuer\`, \`string | undefined\`: Who issued the token.

### rejected

A request was rejected.

- \`status\`, \`number\`: The status.

## Events of authorization servers

### fetched

A document was fetched.

- \`what\`, \`'metadata' | 'keys'\`: Which one.

`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sync-events-spec-'));
  put(SOURCE, EVENTS);
  put(PAGE, '# Events\n\n<!-- events -->\n<!-- /events -->\n\nAfter\n');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const get = (): string => readFileSync(join(root, PAGE), 'utf8');

function run(...args: string[]): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...args, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

// Each run is a process that loads the compiler and prettier.
describe('sync-events', { timeout: 120_000 }, () => {
  it('lists each event with its fields, and those of all requests once', () => {
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(get()).toBe(`# Events\n\n<!-- events -->\n${LIST}<!-- /events -->\n\nAfter\n`);
    expect(run('--check')).toEqual({ status: 0, problems: [] });
  });

  it('says with --check that the list differs, and leaves it', () => {
    run();
    const before = get();
    put(SOURCE, EVENTS.replace('The status.', 'The HTTP status.'));
    expect(run('--check')).toEqual({ status: 1, problems: [`${PAGE}: run node test/tools/sync-events.mjs`] });
    expect(get()).toBe(before);
  });

  it('names an event and a field without a comment, and writes nothing', () => {
    const before = get();
    put(SOURCE, EVENTS.replace('/** A document was fetched. */', '').replace('/** Random. */', ''));
    expect(run()).toEqual({
      status: 1,
      problems: ['RequestEvent.id has no doc comment', 'FetchedEvent has no doc comment'],
    });
    expect(get()).toBe(before);
  });

  it('says that the page has no place for the list', () => {
    put(PAGE, '# Events\n');
    expect(run()).toEqual({ status: 1, problems: [`${PAGE} has no place for the events`] });
  });
});
