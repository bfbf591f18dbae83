import 'reflect-metadata';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as jose from 'jose';
import * as mcpAuth from 'nestjs-mcp-auth';
import { run } from '../shared/run.cjs';

await run({ jose, common, core, mcpAuth });
