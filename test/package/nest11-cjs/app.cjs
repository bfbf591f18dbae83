'use strict';

require('reflect-metadata');
const common = require('@nestjs/common');
const core = require('@nestjs/core');
const jose = require('jose');
const mcpAuth = require('nestjs-mcp-auth');
const { run } = require('../shared/run.cjs');

run({ jose, common, core, mcpAuth }).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
