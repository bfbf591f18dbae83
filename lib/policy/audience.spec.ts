import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { namesAudience } from './audience.js';

const R0 = 'https://api.example.com';
const R1 = 'https://api.example.com/notes';

describe('namesAudience', () => {
  verifies(['AUD-01', 'F65'], 'wants the token to name the resource', () => {
    expect(namesAudience(R1, [R1])).toBe(true);
    for (const aud of [
      undefined,
      null,
      R0,
      'https://other.example/notes',
      'c1',
      '',
      [],
      {},
      [[R1]],
      7,
      true,
      [null],
      { 0: R1, length: 1 },
    ]) {
      expect(namesAudience(aud, [R1])).toBe(false);
    }
  });

  verifies(
    ['AUD-02', 'F34', 'F63'],
    'leaves scheme and host case, default port and one slash out of account',
    () => {
      for (const aud of [
        R0,
        `${R0}/`,
        'HTTPS://API.example.com',
        `${R0}:443`,
        'Https://api.Example.com:443/',
      ]) {
        expect(namesAudience(aud, [R0])).toBe(true);
        expect(namesAudience(aud, [`${R0}/`])).toBe(true);
      }
      expect(namesAudience(`${R1}/`, [R1])).toBe(true);
      expect(namesAudience(R1, [`${R1}/`])).toBe(true);
    },
  );

  verifies(['AUD-02', 'F63'], 'takes account of everything else', () => {
    for (const aud of [
      ...[
        `${R1}//`,
        'https://api.example.com/Notes',
        `${R1}2`,
        `${R1}/../admin`,
        `${R1}?x`,
        `${R1}?`,
        `${R1}#`,
        `${R1}/sub`,
      ],
      ...[
        'https://api.example.com.evil.com/notes',
        'https://evil@api.example.com/notes',
        'https://api.example.com:444/notes',
      ],
      ...[
        'http://api.example.com/notes',
        'http://api.example.com:443/notes',
        'https://api.example.com:80/notes',
        'api.example.com/notes',
      ],
      ...[
        ` ${R1}`,
        `${R1} `,
        `${R1}\n`,
        `${R1}%2f`,
        'https://api.example.com/%6eotes',
        'https:\\\\api.example.com/notes',
        R0,
        '*',
      ],
      ...[
        'https://api.example.com./notes',
        'https://ap\u0131.example.com/notes',
        'https://api.example.com:0443/notes',
      ],
    ]) {
      expect(namesAudience(aud, [R1])).toBe(false);
    }
    expect(namesAudience('https://\u212Aapi.example.com', ['https://kapi.example.com'])).toBe(false);
  });

  verifies(['AUD-03', 'F62'], 'is content with one member of a list', () => {
    expect(namesAudience(['x', R1], [R1])).toBe(true);
    expect(namesAudience([7, null, {}, R1], [R1])).toBe(true);
    expect(namesAudience(['x', `${R1}2`], [R1])).toBe(false);
    expect(namesAudience(`x ${R1}`, [R1])).toBe(false);
  });

  verifies(['AUD-04', 'F64'], 'takes a URL above the resource only when told to', () => {
    const deep = `${R1}/archive/2024`;
    for (const aud of [
      R0,
      `${R0}/`,
      'HTTPS://API.example.com:443/',
      R1,
      `${R1}/`,
      `${R1}/archive`,
      ['x', R0],
    ]) {
      expect(namesAudience(aud, [deep], 'hierarchical')).toBe(true);
      expect(namesAudience(aud, [deep])).toBe(false);
    }
    for (const aud of [deep, `${deep}/`]) {
      expect(namesAudience(aud, [deep], 'hierarchical')).toBe(true);
      expect(namesAudience(aud, [`${deep}/`], 'hierarchical')).toBe(true);
      expect(namesAudience(aud, [deep])).toBe(true);
    }
  });

  verifies(
    ['AUD-04', 'F64'],
    'takes whole segments of the same origin, and nothing below the resource',
    () => {
      for (const aud of [
        ...[`${R0}/not`, `${R0}/note`, `${R0}/n`, `${R0}/Notes`, `${R1}/sub`, `${R1}2`, `${R0}//`, `${R1}//`],
        ...[
          `${R0}/notes?`,
          `${R0}?`,
          `${R0}#`,
          `${R0}/.`,
          `${R0}/notes/..`,
          `${R0}/%6eotes`,
          `${R0}/not%65s`,
        ],
        ...[
          'https:',
          'https:/',
          'https://',
          'https:///',
          'https://api',
          'https://api.example',
          'https://example.com',
        ],
        ...[
          'http://api.example.com',
          'https://api.example.com:444',
          'https://api.example.com.evil.com',
          'api.example.com',
        ],
        ...['', '/', '*', undefined, null, [], [[R0]], {}, 7],
      ]) {
        expect(namesAudience(aud, [R1], 'hierarchical')).toBe(false);
      }
      expect(namesAudience(R0, [R1], 'hierarchical')).toBe(true);
    },
  );

  verifies('AUD-04', 'compares what is no plain URL exactly in any case', () => {
    const accepted = ['api://guid/notes', 'urn:a/b', `${R1}?tenant=/a`, 'a/b'];
    for (const aud of accepted) expect(namesAudience(aud, accepted, 'hierarchical')).toBe(true);
    for (const aud of ['api://guid', 'urn:a', R1, `${R1}?tenant=`, R0, 'a', 'api:']) {
      expect(namesAudience(aud, accepted, 'hierarchical')).toBe(false);
    }
  });

  verifies(['AUD-05', 'F61'], 'takes configured audiences in place of the resource', () => {
    const accepted = ['api://guid', 'Default API'];
    expect(namesAudience('api://guid', accepted)).toBe(true);
    expect(namesAudience(['Default API'], accepted)).toBe(true);
    for (const aud of ['api://GUID', 'api://guid/', 'default api', R1])
      expect(namesAudience(aud, accepted)).toBe(false);
    expect(namesAudience(R1, [])).toBe(false);
  });
});
