import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { expect, it } from 'vitest';
import { TokenVerifier } from 'nestjs-mcp-auth';

@Injectable()
class Injected {
  constructor(readonly verifier: TokenVerifier) {}
}

it('emits decorator metadata; without it every injection fails, quietly', () => {
  expect(Reflect.getMetadata('design:paramtypes', Injected)).toEqual([TokenVerifier]);
});
