import { Body } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AuthInfo } from './auth-info.decorator.js';

const TYPES = 'design:paramtypes';

describe('AuthInfo', () => {
  /** What a compiler writes down, which depends on the compiler: the interface's namesake, or Object. */
  it.each([[AuthInfo], [Object], [URL], [undefined]])(
    'hides the type %s from pipes, and no other',
    (type) => {
      class Handlers {
        handle(): void {
          return undefined;
        }
      }
      Reflect.defineMetadata(TYPES, [String, type, URL], Handlers.prototype, 'handle');
      Body()(Handlers.prototype, 'handle', 2);
      AuthInfo()(Handlers.prototype, 'handle', 1);
      expect(Reflect.getMetadata(TYPES, Handlers.prototype, 'handle')).toEqual([String, Object, URL]);
    },
  );

  it('needs no types', () => {
    class Handlers {
      handle(@AuthInfo('subject') subject?: string): string | undefined {
        return subject;
      }
    }
    Reflect.deleteMetadata(TYPES, Handlers.prototype, 'handle');
    AuthInfo('scopes')(Handlers.prototype, 'handle', 0);
    expect(Reflect.hasMetadata(TYPES, Handlers.prototype, 'handle')).toBe(false);
  });
});
