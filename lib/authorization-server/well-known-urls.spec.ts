import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { issuersOf, metadataUrls } from './well-known-urls.js';

const HOST = 'https://as.example';
const OAUTH = '/.well-known/oauth-authorization-server';
const OIDC = '/.well-known/openid-configuration';

describe('metadataUrls', () => {
  verifies('ASM-01', 'gives three locations for auto, in order', () => {
    expect(metadataUrls(`${HOST}/t`, 'auto')).toEqual([
      `${HOST}${OAUTH}/t`,
      `${HOST}${OIDC}/t`,
      `${HOST}/t${OIDC}`,
    ]);
  });

  verifies('F04', 'gives two locations for an issuer without path', () => {
    expect(metadataUrls(HOST, 'auto')).toEqual([`${HOST}${OAUTH}`, `${HOST}${OIDC}`]);
  });

  verifies('ASM-02', 'inserts for oauth and appends for oidc, one location each', () => {
    expect(metadataUrls(`${HOST}/a/b`, 'oauth')).toEqual([`${HOST}${OAUTH}/a/b`]);
    expect(metadataUrls(`${HOST}/a/b`, 'oidc')).toEqual([`${HOST}/a/b${OIDC}`]);
  });

  verifies('ASM-03', 'leaves one slash at the end out of the locations', () => {
    expect(metadataUrls(`${HOST}/`, 'auto')).toEqual(metadataUrls(HOST, 'auto'));
    expect(metadataUrls(`${HOST}/t/`, 'auto')).toEqual(metadataUrls(`${HOST}/t`, 'auto'));
    expect(metadataUrls(`${HOST}/t//`, 'oidc')).toEqual([`${HOST}/t/${OIDC}`]);
  });

  it('keeps host, port and escapes as they are written', () => {
    expect(metadataUrls('https://AS.example:443/%74', 'oauth')).toEqual([
      `https://AS.example:443${OAUTH}/%74`,
    ]);
  });
});

describe('issuersOf', () => {
  const both = (issuer: string): string[] => [issuer, `${issuer}/`];

  it.each<[string, 'auto' | 'oauth' | 'oidc', string[]]>([
    [`${HOST}${OAUTH}`, 'auto', both(HOST)],
    [`${HOST}${OAUTH}/t`, 'auto', both(`${HOST}/t`)],
    [`${HOST}${OIDC}`, 'auto', both(HOST)],
    [`${HOST}${OIDC}/t`, 'auto', both(`${HOST}/t`)],
    [`${HOST}/t${OIDC}`, 'auto', both(`${HOST}/t`)],
    [`${HOST}/t${OIDC}?v=1`, 'auto', both(`${HOST}/t`)],
    [`${HOST}${OAUTH}/t`, 'oauth', both(`${HOST}/t`)],
    [`${HOST}/t${OIDC}`, 'oidc', both(`${HOST}/t`)],
    [`${HOST}/t${OIDC}`, 'oauth', []],
    [`${HOST}${OAUTH}/t`, 'oidc', []],
    [`${HOST}${OIDC}/t`, 'oidc', []],
    [`${HOST}/t${OAUTH}`, 'auto', []],
    [`${HOST}${OAUTH}x/t`, 'auto', []],
    [`${HOST}/metadata.json`, 'auto', []],
    [HOST, 'auto', []],
  ])('of %s with type %s: %j', (url, type, issuers) => {
    expect(issuersOf(url, type)).toEqual(issuers);
  });
});
