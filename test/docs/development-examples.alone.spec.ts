import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { McpAuthConfigError, McpAuthModule } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterEach, describe, expect, vi } from 'vitest';
import { closeAfterTest } from '../fixtures/opened.js';
import { verifies } from '../verifies.js';
import { developmentOptions } from './testing-examples.js';

describe('fixed tokens in development', () => {
  const warnings: unknown[] = [];

  afterEach(() => {
    Logger.overrideLogger(false);
    vi.unstubAllEnvs();
  });

  verifies(
    'F122',
    'are warned of at each start, and fail startup outside of test and development',
    async () => {
      Logger.overrideLogger({
        log: () => undefined,
        error: () => undefined,
        warn: (message: unknown) => warnings.push(message),
      });

      @Module({ imports: [McpAuthModule.forRoot(developmentOptions())] })
      class Development {}
      const app = closeAfterTest(await NestFactory.create(Development, { logger: false }));
      await app.init();
      expect(warnings).toContain(
        'StaticTokenVerifier is in use: 1 fixed tokens are accepted. NOT FOR PRODUCTION',
      );

      vi.stubEnv('NODE_ENV', 'production');
      expect(developmentOptions).toThrow(McpAuthConfigError);
      expect(developmentOptions).toThrow(/accepts tokens that never change, .* NODE_ENV is "production"/);
      await expect(TestAuthorizationServer.start()).rejects.toThrow();
    },
  );
});
