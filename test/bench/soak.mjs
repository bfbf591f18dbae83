import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import process from 'node:process';
import { makeMix } from './soak/mix.mjs';
import { soakReport } from './soak/report.mjs';
import { KeyRotation } from './soak/rotation.mjs';
import { SessionClients } from './soak/sessions.mjs';
import { weather } from './soak/weather.mjs';
import { readSoakSettings } from './soak-settings.mjs';
import { SERVER_ENTRY } from './subjects/list.mjs';
import { BenchAuthorizationServer } from './support/authorization-server.mjs';
import { Child } from './support/child.mjs';
import { load } from './support/load.mjs';
import { machineLine } from './support/machine.mjs';

const WARM_UP_MS = 12_000;
const SAMPLE_MS = 15_000;
const IDLE_MS = 6_000;

const settings = readSoakSettings();
const { platform, connections, sessionClients, seconds } = settings;
const server = await BenchAuthorizationServer.start();
const { issuer, jwksUri } = server;
const child = await Child.start(
  SERVER_ENTRY,
  { kind: 'soak', subject: 'guard', platform, issuer, jwksUri },
  { execArgv: ['--expose-gc'] },
);
const { port } = child.ready;
const rotation = await new KeyRotation(server).prepare();
const mix = await makeMix(server, rotation, settings);
const clock = { offsetMs: 0, changes: 0 };
const clients = () => new SessionClients({ port, server, clock });

console.log(
  `${machineLine()}\n${seconds} s of mixed load on ${platform}: ${connections} connections, ${sessionClients} clients with sessions\n`,
);

const samples = [];
/** Collects garbage first, so that what is left is held. */
async function sample(when) {
  const { heapUsed, rss, external, handles } = await child.call('memory');
  samples.push({ when, heapUsed, rss, external, handles });
}

/** The load of requests, and of clients with sessions beside it, which finish what they have begun. */
async function soak(durationMs) {
  const end = new globalThis.AbortController();
  const visitors = clients();
  const visiting = visitors.run(sessionClients, end.signal);
  const result = await load({ port, connections, ...mix, durationMs });
  end.abort();
  await visiting;
  return { result, visitors };
}

await soak(WARM_UP_MS);
await sleep(IDLE_MS);
await sample('warm');
server.resetCounters();

const end = new globalThis.AbortController();
const { signal } = end;
const troubles = [];
const onChange = (state) => troubles.push(state);
const changing = Promise.all([
  weather({ server, child, clock, settings, signal, onChange }),
  rotation.run(settings.rotationMs, signal),
]);
const sampling = setInterval(() => {
  void sample('loaded');
}, SAMPLE_MS);
const { result, visitors } = await soak(seconds * 1000);
clearInterval(sampling);
end.abort();
await changing;
await sleep(IDLE_MS);
await sample('idle');
const sessions = await child.call('held');
await child.stop();
server.close();

const { text, isGood } = soakReport({
  samples,
  result,
  visitors,
  sessions,
  troubles,
  keys: { fetched: server.counters.keys, rotations: rotation.count },
  maxGrowthBytes: settings.maxGrowthBytes,
});
console.log(text);
if (settings.isStrict && !isGood) process.exitCode = 1;
