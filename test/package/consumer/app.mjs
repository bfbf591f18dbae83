import 'reflect-metadata';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as mcpAuth from 'nestjs-mcp-auth';
import * as testing from 'nestjs-mcp-auth/testing';
import { run } from './run.cjs';

await run({ common, core, mcpAuth, testing });
