import process from 'node:process';
import { httpMatrix } from './rows/http-matrix.mjs';
import { httpFailures, httpReport } from './rows/http-report.mjs';
import { httpTargets } from './rows/http-targets.mjs';
import { inProcess } from './rows/in-process.mjs';
import { inProcessTargets } from './rows/in-process-targets.mjs';
import { introspection } from './rows/introspection.mjs';
import { coldOutage, warmOutage } from './rows/outage.mjs';
import { outageTargets } from './rows/outage-targets.mjs';
import { unknownKeys } from './rows/unknown-keys.mjs';
import { makeRequests } from './rows/workloads.mjs';
import { readSettings } from './settings.mjs';
import { BenchAuthorizationServer } from './support/authorization-server.mjs';
import { machineLine, noiseWarning } from './support/machine.mjs';
import { verdictReport } from './verdict.mjs';

const settings = readSettings();
const server = await BenchAuthorizationServer.start();
const requests = await makeRequests(server, settings);
const given = { server, requests, tokens: requests.tokens, settings };

/** Runs a part unless the command line leaves it out; a part that fails is reported and ends no other. */
async function part(name, run) {
  if (settings.parts && !settings.parts.includes(name)) return undefined;
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
  for (const failure of httpFailures(id, figures)) console.log(`${failure}\n`);
  return figures;
}

async function cold() {
  const results = {};
  for (const subject of ['guard', 'mcp-auth', 'naive']) results[subject] = await coldOutage(subject, given);
  return results;
}

const how = `medians of ${settings.rounds} rounds, over HTTP of ${settings.processRounds} in each of ${settings.processes} processes, RS256, 16 connections${settings.isQuick ? ', quick' : ''}`;
console.log(`${machineLine()}\n${how}\n`);

const processResults = await part('process', () => inProcess(given));
const express = await platform('express');
const fastify = await platform('fastify');
const verdicts = [
  ...inProcessTargets(processResults),
  ...httpTargets({ express, fastify }),
  ...outageTargets({
    unknownKeys: await part('keys', () => unknownKeys(given)),
    cold: await part('outage', cold),
    warm: await part('outage', () => warmOutage('guard', given)),
    introspection: await part('introspection', () => introspection(given)),
  }),
];
console.log(verdictReport(verdicts));
const warning = noiseWarning();
if (warning !== undefined) console.log(`\n${warning}`);
server.close();
if (settings.isStrict && verdicts.some(({ isReached }) => isReached === false)) process.exitCode = 1;
