#!/usr/bin/env node
import { runDoctor } from './command.js';

process.exitCode = await runDoctor(process.argv.slice(2), process);
