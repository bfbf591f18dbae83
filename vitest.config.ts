import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const libEntry = fileURLToPath(new URL('./lib/index.ts', import.meta.url));
const testingEntry = fileURLToPath(new URL('./lib/testing/index.ts', import.meta.url));

export default defineConfig({
  resolve: { alias: { 'nestjs-mcp-auth/testing': testingEntry, 'nestjs-mcp-auth': libEntry } },
  test: {
    setupFiles: ['reflect-metadata'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['lib/**/*.spec.ts'] } },
      { extends: true, test: { name: 'e2e', include: ['test/**/*.spec.ts', 'test/**/*.e2e-spec.ts'] } },
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
        'lib/{token,verifier,gate,challenge}/**': { branches: 100 },
      },
    },
  },
});
