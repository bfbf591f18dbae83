import process from 'node:process';
import { httpMatrix } from './rows/http-matrix.mjs';
import { failures, httpReport } from './rows/http-report.mjs';
import { httpTargets } from './rows/http-targets.mjs';
import { inProcess } from './rows/in-process.mjs';
import { inProcessTargets } from './rows/in-process-targets.mjs';
import { introspection } from './rows/introspection.mjs';
import { mcpMatrix } from './rows/mcp-matrix.mjs';
import { mcpReport } from './rows/mcp-report.mjs';
import { mcpTargets } from './rows/mcp-targets.mjs';
import { coldOutage, warmOutage } from './rows/outage.mjs';
import { outageTargets } from './rows/outage-targets.mjs';
import { unknownKeys } from './rows/unknown-keys.mjs';
import { makeRequests } from './rows/workloads.mjs';
import { readSettings } from './settings.mjs';
import { MCP_TRANSPORTS } from './subjects/list.mjs';
import { BenchAuthorizationServer } from './support/authorization-server.mjs';
import { canPin } from './support/cores.mjs';
import { machineLine, noiseWarning } from './support/machine.mjs';
import { verdictReport } from './verdict.mjs';

/** The parts that send tokens to a REST route. */
const REST_PARTS = ['express', 'fastify', 'process', 'keys', 'outage', 'introspection'];

const settings = readSettings();
const server = await BenchAuthorizationServer.start();
const given = { server, settings };
if (REST_PARTS.some(settings.isAsked)) {
  given.requests = await makeRequests(server, settings);
  given.tokens = given.requests.tokens;
}

/** Runs a part unless the command line leaves it out; a part that fails is reported and ends no other. */
async function part(name, run) {
  if (!settings.isAsked(name)) return undefined;
  process.stderr.write(`measuring: ${name}\n`);
  try {
    return await run();
  } catch (error) {
    console.log(`${name} cannot be measured: ${error.message}\n`);
    return undefined;
  }
}

async function platform(id) {
  const figures = await part(id, () => httpMatrix(id, given));
  if (!figures) return undefined;
  console.log(`${httpReport(id, figures)}\n`);
  for (const failure of failures(id, figures)) console.log(`${failure}\n`);
  return figures;
}

async function mcp(id) {
  const figures = await part(`mcp-${id}`, () => mcpMatrix(id, given));
  if (!figures) return undefined;
  console.log(`${mcpReport(id, figures)}\n`);
  for (const failure of failures(MCP_TRANSPORTS[id].title, figures)) console.log(`${failure}\n`);
  return figures;
}

async function cold() {
  const results = {};
  for (const subject of ['guard', 'mcp-auth', 'naive']) results[subject] = await coldOutage(subject, given);
  return results;
}

const how = `medians of ${settings.rounds} rounds, over HTTP of ${settings.processRounds} in each of ${settings.processes} processes, RS256, 16 connections${settings.isQuick ? ', quick' : ''}`;
const { processes, connections, good } = settings.mcp;
const howMcp = `tools/call: of ${good.rounds} in each of ${processes} processes, ${connections} connections, ${canPin ? 'servers and load on a core each' : 'on any core'}`;
console.log(`${machineLine()}\n${how}\n${howMcp}\n`);

const processResults = await part('process', () => inProcess(given));
const express = await platform('express');
const fastify = await platform('fastify');
const transports = {};
for (const id of Object.keys(MCP_TRANSPORTS)) transports[id] = await mcp(id);
const verdicts = [
  ...inProcessTargets(processResults),
  ...httpTargets({ express, fastify }),
  ...mcpTargets(transports),
  ...outageTargets({
    unknownKeys: await part('keys', () => unknownKeys(given)),
    cold: await part('outage', cold),
    warm: await part('outage', () => warmOutage('guard', given)),
    introspection: await part('introspection', () => introspection(given)),
  }),
];
console.log(
  verdictReport(verdicts.filter(({ isReached }) => !settings.isPartial || isReached !== undefined)),
);
const warning = noiseWarning();
if (warning !== undefined) console.log(`\n${warning}`);
server.close();
if (settings.isStrict && verdicts.some(({ isReached }) => isReached === false)) process.exitCode = 1;
