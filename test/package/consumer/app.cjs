'use strict';

require('reflect-metadata');
const common = require('@nestjs/common');
const core = require('@nestjs/core');
const mcpAuth = require('nestjs-mcp-auth');
const testing = require('nestjs-mcp-auth/testing');
const { run } = require('./run.cjs');

run({ common, core, mcpAuth, testing }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
