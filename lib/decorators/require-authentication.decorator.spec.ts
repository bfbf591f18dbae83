import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { BearerAuthGuard } from '../guard/bearer-auth.guard.js';
import type { AuthenticationRequirement } from '../mcp/authentication-requirement.js';
import { HandlerPlans } from '../mcp/handler-plan.js';
import type { Class } from '../platform/nest-metadata.js';
import { RequireAuthentication } from './require-authentication.decorator.js';

const problemsOf = (requirement: unknown): readonly object[] => {
  try {
    RequireAuthentication(requirement as AuthenticationRequirement);
    return [];
  } catch (error) {
    return (error as McpAuthConfigError).problems;
  }
};

const NO_VALUE = 'must be one acr value: printable ASCII without space, quote and backslash';
const NO_AGE = 'must be a whole number of seconds from 0 to 315360000';

describe('RequireAuthentication', () => {
  verifies(
    ['STP-02', 'STP-06'],
    'rejects what a challenge could not say, when the class is decorated',
    () => {
      const acr = (message: string) => [{ path: '@RequireAuthentication().acr', message }];
      const age = [{ path: '@RequireAuthentication().maxAgeSeconds', message: NO_AGE }];
      const none = [
        { path: '@RequireAuthentication()', message: 'must have "acr", "maxAgeSeconds" or both' },
      ];
      expect(problemsOf({})).toEqual(none);
      expect(problemsOf({ acr: undefined })).toEqual(none);
      for (const given of [undefined, null, 'urn:a', ['urn:a']])
        expect(problemsOf(given)).toEqual([
          { path: '@RequireAuthentication()', message: 'must be an object' },
        ]);
      for (const value of ['a b', '', 'a"b', 'a\\b', 'ä', 'a\nb']) {
        expect(problemsOf({ acr: value })).toEqual(acr(NO_VALUE));
        expect(problemsOf({ acr: ['urn:a', value] })).toEqual(acr(`member 1 ${NO_VALUE}`));
      }
      expect(problemsOf({ acr: [] })).toEqual(acr('must not be empty'));
      expect(problemsOf({ acr: 2 })).toEqual(acr('must be a list'));
      expect(problemsOf({ acr: 'max_age=9' })).toEqual(
        acr('has "max_age=", which clients take for a parameter of the challenge; write it otherwise'),
      );
      for (const value of [-1, 1.5, NaN, Infinity, '300', null, 315_360_001])
        expect(problemsOf({ maxAgeSeconds: value })).toEqual(age);
      expect(problemsOf({ acr: 'urn:a', maxAge: 300 })).toEqual([
        { path: '@RequireAuthentication().maxAge', message: 'is no member; write "acr" or "maxAgeSeconds"' },
      ]);
      for (const good of [{ acr: 'urn:a' }, { acr: ['urn:a', "!#[]^~'"] }, { maxAgeSeconds: 0 }])
        expect(problemsOf(good)).toEqual([]);
    },
  );

  it('adds up for a method, its class and the classes that this one extends', () => {
    @RequireAuthentication({ maxAgeSeconds: 600 })
    class Base {
      @RequireAuthentication({ acr: ['b', 'a'] })
      pay(): void {}
    }
    @RequireAuthentication({ acr: ['a', 'b', 'c'], maxAgeSeconds: 900 })
    class Leaf extends Base {
      @RequireAuthentication({ acr: 'c' })
      @RequireAuthentication({ acr: ['b', 'a', 'b'] })
      override pay(): void {}

      plain(): void {}
    }
    const planOf = (controller: Class, name: string) =>
      new HandlerPlans().of(controller, (controller.prototype as Record<string, () => void>)[name]!);
    expect(planOf(Base, 'pay').authentication).toEqual({ acr: [['b', 'a']], maxAgeSeconds: 600 });
    expect(planOf(Leaf, 'pay').authentication).toEqual({
      acr: [['b', 'a'], ['c'], ['b', 'a'], ['a', 'b', 'c']],
      maxAgeSeconds: 600,
    });
    expect(planOf(Leaf, 'plain').authentication).toEqual({ acr: [['a', 'b', 'c']], maxAgeSeconds: 600 });
    expect(planOf(Leaf, 'pay').guards).toContain(BearerAuthGuard);
    class Other {
      plain(): void {}
    }
    expect(planOf(Other, 'plain').authentication).toBeUndefined();
  });
});
