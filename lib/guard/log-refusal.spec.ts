import { Logger } from '@nestjs/common';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DiscoveryError } from '../errors/discovery.error.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  TokenRefusedError,
} from '../errors/refusal.errors.js';
import { logRefusal } from './log-refusal.js';

const RESOURCE = 'https://api.example.com/notes';

describe('logRefusal', () => {
  let lines: unknown[][];

  beforeEach(() => {
    lines = [];
    const at =
      (level: string) =>
      (message: unknown, ...more: unknown[]) => {
        lines.push([level, message, ...more]);
      };
    Logger.overrideLogger({ log: at('log'), debug: at('debug'), warn: at('warn'), error: at('error') });
  });

  afterAll(() => {
    Logger.overrideLogger(false);
  });

  const logged = (failure: unknown): unknown[][] => {
    logRefusal(new Logger('McpAuth'), failure, RESOURCE);
    return lines.map((line) => line.slice(0, -1));
  };

  it.each([
    [new CredentialsRefusedError('missing_token'), 'missing_token'],
    [new TokenRefusedError('audience', { cause: new Error('secret') }), 'audience'],
    [new InsufficientScopeError(['notes:write']), 'insufficient_scope'],
  ])('tells at debug level what a client did: %s', (failure, reason) => {
    expect(logged(failure)).toEqual([['debug', `Refused a request for ${RESOURCE}: ${reason}`]]);
  });

  it('warns of an outage, with its cause', () => {
    const cause = new DiscoveryError('server_error', 'https://as.example/jwks', 'answered 500');
    expect(logged(new AuthorizationServerUnavailableError('https://as.example', { cause }))).toEqual([
      [
        'warn',
        `Answered 503 for ${RESOURCE}: The keys of https://as.example cannot be had (https://as.example/jwks: answered 500)`,
      ],
    ]);
  });

  it('warns of an outage without a cause', () => {
    expect(logged(new AuthorizationServerUnavailableError('https://as.example'))).toEqual([
      ['warn', `Answered 503 for ${RESOURCE}: The keys of https://as.example cannot be had (unknown cause)`],
    ]);
  });

  it('reports a fault of the application as an error, with its stack', () => {
    const fault = new Error('ours');
    expect(logged(fault)).toEqual([['error', `Answered 500 for ${RESOURCE}`, fault.stack]]);
  });

  it.each([['a text'], [Object.create(null)], [undefined]])(
    'reports what is no error too, without what it holds: %s',
    (thrown) => {
      const detail = `thrown: a value of type ${typeof thrown}`;
      expect(logged(thrown)).toEqual([['error', `Answered 500 for ${RESOURCE}`, detail]]);
    },
  );
});
