import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const libEntry = fileURLToPath(new URL('./lib/index.ts', import.meta.url));
const redisEntry = fileURLToPath(new URL('./lib/redis/index.ts', import.meta.url));
const testingEntry = fileURLToPath(new URL('./lib/testing/index.ts', import.meta.url));

/**
 * The specs of whole applications. Their names say how they run (test/e2e/README.md): each runs on Express and again on
 * Fastify, except `*.once.*`, and shares a process with others, except `*.alone.*`.
 */
const SHARED = 'test/{e2e,interop,property,docs}/**/!(*.alone).{spec,e2e-spec}.ts';

/** Runs specs on Fastify that have run on Express. */
const onFastify = {
  env: { TEST_PLATFORM: 'fastify' },
  include: ['test/{e2e,interop,property}/**/*spec.ts'],
};

export default defineConfig({
  resolve: {
    alias: {
      'nestjs-mcp-auth/redis': redisEntry,
      'nestjs-mcp-auth/testing': testingEntry,
      'nestjs-mcp-auth': libEntry,
    },
  },
  test: {
    setupFiles: ['reflect-metadata'],
    // More than cores: the tests wait for sockets and timers as long as they compute.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    // Above the second that vitest waits by default, which a busy machine may take for one request.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 30_000,
    projects: [
      // Units keep no state between their specs, so one process may load the library once for all of them.
      { extends: true, test: { name: 'unit', include: ['lib/**/*.spec.ts'], isolate: false } },
      // To load Nest and the library takes as long as the tests of a file, so files share processes.
      { extends: true, test: { name: 'e2e', include: [SHARED], isolate: false } },
      { extends: true, test: { name: 'e2e-alone', include: ['test/**/*spec.ts'], exclude: [SHARED] } },
      {
        extends: true,
        test: { name: 'fastify', ...onFastify, exclude: ['**/*.once.*', '**/*.alone.*'], isolate: false },
      },
      {
        extends: true,
        test: { name: 'fastify-alone', ...onFastify, exclude: ['**/*.once.*', SHARED] },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      exclude: ['lib/**/*.spec.ts', 'lib/**/*.interface.ts', 'lib/index.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: {
        branches: 95,
        lines: 95,
        functions: 95,
        statements: 95,
        'lib/{token,policy,rejection}/**': { branches: 100 },
        'lib/request/{access-token.authenticator,authorization,revocation.check,verified-token.cache}.ts': {
          branches: 100,
        },
      },
    },
  },
});
