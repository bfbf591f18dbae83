import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { expressJsonParser } from './express.js';

interface Application {
  use(...args: unknown[]): void;
  readonly router: { readonly stack: readonly { handle: unknown; slash: boolean }[] };
}

/** That a request gets another prototype is in platform.spec.ts. */
describe('the internals of Express that this package uses', () => {
  it('keep the middleware of an application in "router.stack", in order, and tell those before all paths', () => {
    const application = express() as unknown as Application;
    const [first, second] = [(): void => undefined, (): void => undefined];
    application.use(first);
    application.use('/below', second);
    expect(application.router.stack.map(({ handle, slash }) => [handle, slash])).toEqual([
      [first, true],
      [second, false],
    ]);
  });

  it('call the parser that express.json() returns "jsonParser"', () => {
    expect(express.json()).toHaveProperty('name', 'jsonParser');
  });

  it('let the JSON parser of all paths be found, also one that the application added', () => {
    const parser = express.json();
    const own = express() as unknown as Application;
    own.use('/below', express.json());
    own.use(express.urlencoded());
    own.use(parser);
    expect(expressJsonParser(new ExpressAdapter(own))).toBe(parser);

    const ofNest = new ExpressAdapter();
    expect(expressJsonParser(ofNest)).toBeUndefined();
    ofNest.registerParserMiddleware();
    expect(expressJsonParser(ofNest)).toHaveProperty('name', 'jsonParser');
  });
});
