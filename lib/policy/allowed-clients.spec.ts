import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { AccessDeniedError } from '../errors/rejection.errors.js';
import { assertClientAllowed } from './allowed-clients.js';

const ALLOWED = {
  clientIds: ['reporter', 'https://tools.example/oauth/client.json'],
  origins: ['https://good.example/', 'http://127.0.0.1:8080/'],
};

const isAllowed = (
  clientId: string,
  allowed: Parameters<typeof assertClientAllowed>[1] = ALLOWED,
): boolean => {
  try {
    assertClientAllowed({ clientId }, allowed);
    return true;
  } catch (error) {
    expect(error).toEqual(new AccessDeniedError('client'));
    return false;
  }
};

describe('assertClientAllowed', () => {
  verifies('CRL-01', 'allows exactly the ids of the list', () => {
    for (const clientId of ALLOWED.clientIds) expect(isAllowed(clientId)).toBe(true);
    const near = [
      ...['Reporter', 'reporter ', 'reporte', 'reporters', '', 'rep\u03bfrter', 'reporter\u0000'],
      ...['https://tools.example/oauth/client.json/', 'https://tools.example/oauth/client.jso'],
      ...['https://tools.example/oauth/Client.json', 'https://tools.example/oauth/client%2Ejson'],
      ...['https://tools.example:443/oauth/client.json', 'https://TOOLS.example/oauth/client.json'],
      ...[
        'http://tools.example/oauth/client.json',
        'https://tools.example/oauth/client.json?x',
        'https://tools.example',
      ],
    ];
    for (const clientId of near) expect([clientId, isAllowed(clientId)]).toEqual([clientId, false]);
  });

  verifies('CRL-02', 'allows URLs of an origin, and no others that begin or end alike', () => {
    for (const path of ['client.json', 'a/b?c', '', '@evil.example', '../x'])
      for (const origin of ALLOWED.origins) expect(isAllowed(`${origin}${path}`)).toBe(true);
    const others = [
      ...['https://good.example', 'https://good.example.evil.com/c', 'https://good.example@evil.com/c'],
      ...['https://good.example:443/c', 'https://good.example:8443/c', 'https://user@good.example/c'],
      ...['https://user:https://good.example/@evil.com/c', 'https://evil.com/https://good.example/c'],
      ...['HTTPS://good.example/c', 'https://GOOD.example/c', 'http://good.example/c', '//good.example/c'],
      ...[
        'https://good.example./c',
        'https://good.example\\c',
        'https:/good.example/c',
        ' https://good.example/c',
      ],
      ...['https://goo\u0433.example/c', 'https://g\u043eod.example/c', 'https://xn--god-hxd.example/c'],
      ...[
        'https://sub.good.example/c',
        'https://good.example%2fc',
        'https://good.example?/c',
        'https://good.example#/c',
      ],
      ...[
        'http://127.0.0.1/c',
        'http://127.0.0.1:80801/c',
        'http://localhost:8080/c',
        'https://127.0.0.1:8080/c',
      ],
    ];
    for (const clientId of others) expect([clientId, isAllowed(clientId)]).toEqual([clientId, false]);
  });

  verifies('CRL-04', 'refuses a caller without a client', () => {
    expect(isAllowed('')).toBe(false);
    for (const wrong of [['reporter'], null, undefined, {}, 7])
      expect(isAllowed(wrong as string)).toBe(false);
    expect(() => {
      assertClientAllowed({ clientId: '' }, undefined);
    }).not.toThrow();
    expect(isAllowed('', { clientIds: [], origins: ['https://good.example/'] })).toBe(false);
  });
});
