import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const libEntry = fileURLToPath(new URL('./lib/index.ts', import.meta.url));
const testingEntry = fileURLToPath(new URL('./lib/testing/index.ts', import.meta.url));

/** Folders whose specs share processes, because to load Nest and the library takes as long as the tests of a file. */
const SHARING = ['test/e2e', 'test/property', 'test/interop', 'test/docs'];

const wholeApp = SHARING.flatMap((folder) =>
  readdirSync(new URL(`./${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('spec.ts'))
    .map((name) => `${folder}/${name}`),
);

const contains = (path: string, pattern: RegExp): boolean =>
  pattern.test(readFileSync(new URL(path, import.meta.url), 'utf8'));

/** Specs that replace functions or timers, or measure the process, need one of their own. */
const alone = wholeApp.filter((path) => contains(path, /\b(vi|process)\./));
const together = wholeApp.filter((path) => !alone.includes(path));

/** Specs that run on both platforms by themselves: those that name `PLATFORMS` of test/fixtures/app.ts. */
const ofBothPlatforms = wholeApp.filter((path) => contains(path, /\bPLATFORMS\b/));

/**
 * The whole-app specs that run a second time on Fastify: all whose apps `startApp` makes, except those that are
 * about something else than the way in.
 */
const onFastify = {
  env: { TEST_PLATFORM: 'fastify' },
  include: ['test/e2e/**/*.e2e-spec.ts', 'test/interop/legacy-clients.spec.ts', 'test/property/http.spec.ts'],
  exclude: [
    ...ofBothPlatforms,
    // They set up Express itself: the middleware of the SDK, and a throttle behind its "trust proxy".
    'test/e2e/*/resource-token-verifier.e2e-spec.ts',
    'test/e2e/*/throttle.e2e-spec.ts',
    // It has no HTTP.
    'test/e2e/*/stdio.e2e-spec.ts',
    // What goes on between the package and authorization servers knows no platform.
    'test/e2e/*/discovery*.e2e-spec.ts',
    'test/e2e/*/introspection.e2e-spec.ts',
    'test/e2e/*/keys.e2e-spec.ts',
    'test/e2e/*/outages.e2e-spec.ts',
    // Nor does what a token is worth.
    'test/e2e/*/hostile.e2e-spec.ts',
    'test/e2e/*/token-cache.e2e-spec.ts',
    'test/e2e/*/token-profile.e2e-spec.ts',
    'test/e2e/*/verifiers.e2e-spec.ts',
  ],
};

export default defineConfig({
  resolve: { alias: { 'nestjs-mcp-auth/testing': testingEntry, 'nestjs-mcp-auth': libEntry } },
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
      { extends: true, test: { name: 'e2e', include: together, isolate: false } },
      { extends: true, test: { name: 'e2e-alone', include: ['test/**/*spec.ts'], exclude: together } },
      {
        extends: true,
        test: { name: 'fastify', ...onFastify, exclude: [...onFastify.exclude, ...alone], isolate: false },
      },
      {
        extends: true,
        test: { name: 'fastify-alone', ...onFastify, exclude: [...onFastify.exclude, ...together] },
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
