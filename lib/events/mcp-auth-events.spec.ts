import { Logger } from '@nestjs/common';
import { config, map } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import type { McpAuthEvent } from './mcp-auth-event.interface.js';
import { McpAuthEvents } from './mcp-auth-events.js';

const ISSUER = 'https://as.example';

describe('McpAuthEvents', () => {
  let errors: unknown[];
  let events: McpAuthEvents;
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => {
    uncaught.push(error);
  };

  beforeEach(() => {
    errors = [];
    uncaught.length = 0;
    process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught);
    Logger.overrideLogger({
      log: () => undefined,
      warn: () => undefined,
      error: (line: unknown) => errors.push(line),
    });
    events = new McpAuthEvents({ now: () => new Date(0) });
  });

  afterEach(() => {
    process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught);
    Logger.overrideLogger(false);
  });

  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

  verifies('F112', 'tells each listener the events it asked for, frozen', () => {
    const seen: McpAuthEvent[] = [];
    const all: McpAuthEvent[] = [];
    events.on('keys_refreshed', (event) => seen.push(event));
    const subscription = events.events$.subscribe((event) => all.push(event));
    events.keysRefreshed(ISSUER);
    events.metadataRefreshed(ISSUER);
    events.discoveryFailed(ISSUER, 'metadata', new DiscoveryError('timeout', undefined, 'too\nslow'));
    events.staleUsed(ISSUER, 'keys', 601);
    subscription.unsubscribe();
    events.keysRefreshed(ISSUER);
    expect(all).toEqual([
      { type: 'keys_refreshed', issuer: ISSUER },
      { type: 'metadata_refreshed', issuer: ISSUER },
      {
        type: 'discovery_failed',
        issuer: ISSUER,
        what: 'metadata',
        reason: 'DiscoveryError: too\u{FFFD}slow',
      },
      { type: 'stale_used', issuer: ISSUER, what: 'keys', ageSeconds: 601 },
    ]);
    expect(seen).toHaveLength(2);
    expect(all.every((event) => Object.isFrozen(event))).toBe(true);
  });

  it('ends a listener, each for itself', () => {
    let calls = 0;
    const listener = (): number => calls++;
    const [end] = [events.on('keys_refreshed', listener), events.on('keys_refreshed', listener)];
    events.keysRefreshed(ISSUER);
    end();
    end();
    events.keysRefreshed(ISSUER);
    expect(calls).toBe(3);
  });

  it('knows whether there are listeners, and makes no event without one', () => {
    const emitted: unknown[] = [];
    events.emit = (event) => emitted.push(event);
    const tellAll = (): void => {
      events.keysRefreshed(ISSUER);
      events.metadataRefreshed(ISSUER);
      events.discoveryFailed(ISSUER, 'keys', new Error('x'));
      events.staleUsed(ISSUER, 'keys', 1);
    };
    tellAll();
    expect(emitted).toEqual([]);
    const end = events.on('access_granted', () => undefined);
    expect([events.isObserved('access_granted'), events.isObserved('access_denied')]).toEqual([true, false]);
    tellAll();
    expect(emitted).toEqual([]);
    end();
    expect(events.isObserved('access_granted')).toBe(false);
    const subscription = events.events$.subscribe();
    expect(events.isObserved('access_denied')).toBe(true);
    subscription.unsubscribe();
    expect(events.isObserved('access_denied')).toBe(false);
  });

  verifies(['F112', 'OPS-06'], 'keeps what listeners throw from everybody else', async () => {
    let heard = 0;
    events.on('keys_refreshed', () => {
      throw new Error('first\nline');
    });
    events.on('keys_refreshed', () => Promise.reject(new Error('second')));
    events.on('keys_refreshed', () => heard++);
    events.keysRefreshed(ISSUER);
    events.keysRefreshed(ISSUER);
    await settled();
    expect(heard).toBe(2);
    expect(uncaught).toEqual([]);
    const told = ['first\\u000aline', 'second'].map(
      (message) => `A listener of McpAuthEvents threw Error: ${message}`,
    );
    expect(new Set(errors)).toEqual(new Set(told));
  });

  verifies('F112', 'lets no observer harm another, and leaves what it throws to rxjs', async () => {
    const thrown: unknown[] = [];
    config.onUnhandledError = (error) => thrown.push(error);
    let heard = 0;
    events.events$.subscribe(() => {
      throw new Error('first');
    });
    events.events$
      .pipe(
        map(() => {
          throw new Error('second');
        }),
      )
      .subscribe(() => undefined);
    events.events$.subscribe(() => heard++);
    events.on('keys_refreshed', () => heard++);
    events.keysRefreshed(ISSUER);
    events.keysRefreshed(ISSUER);
    await settled();
    config.onUnhandledError = null;
    expect(heard).toBe(4);
    // An operator that throws ends its own subscription.
    expect(thrown).toEqual([new Error('first'), new Error('second'), new Error('first')]);
    expect([errors, uncaught]).toEqual([[], []]);
  });

  it('tells an observer of events that happen while it is told of one', () => {
    const seen: string[] = [];
    events.events$.subscribe(({ type }) => {
      seen.push(type);
      if (type === 'keys_refreshed') events.metadataRefreshed(ISSUER);
    });
    events.events$.subscribe(({ type }) => seen.push(`${type}, second`));
    events.keysRefreshed(ISSUER);
    expect(seen).toEqual([
      'keys_refreshed',
      'metadata_refreshed',
      'metadata_refreshed, second',
      'keys_refreshed, second',
    ]);
  });

  it('completes on shutdown, and for who comes later', () => {
    const ends: string[] = [];
    events.events$.subscribe({ complete: () => ends.push('early') });
    events.onApplicationShutdown();
    events.events$.subscribe({ complete: () => ends.push('late') });
    events.keysRefreshed(ISSUER);
    expect(ends).toEqual(['early', 'late']);
    expect(events.isObserved('keys_refreshed')).toBe(false);
  });

  verifies('F111', 'tells of a listener that always throws ten times a minute', () => {
    events.on('keys_refreshed', () => {
      throw new Error('x');
    });
    for (let i = 0; i < 100; i++) events.keysRefreshed(ISSUER);
    expect(errors).toHaveLength(10);
  });
});
