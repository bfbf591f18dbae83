import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import process from 'node:process';
import { makeMix } from './soak/mix.mjs';
import { weather } from './soak/weather.mjs';
import { readSoakSettings } from './soak-settings.mjs';
import { SERVER_ENTRY } from './subjects/list.mjs';
import { BenchAuthorizationServer } from './support/authorization-server.mjs';
import { Child } from './support/child.mjs';
import { load } from './support/load.mjs';
import { machineLine } from './support/machine.mjs';
import { table } from './support/table.mjs';

const WARM_UP_MS = 8_000;
const SAMPLE_MS = 15_000;
const MB = 2 ** 20;

const settings = readSoakSettings();
const server = await BenchAuthorizationServer.start();
const { issuer, jwksUri } = server;
const { platform } = settings;
const child = await Child.start(
  SERVER_ENTRY,
  { subject: 'guard', platform, issuer, jwksUri },
  { execArgv: ['--expose-gc'] },
);
const { port } = child.ready;
const mix = await makeMix(server, settings);
const { connections } = settings;

console.log(
  `${machineLine()}\n${settings.seconds} s of mixed load on ${platform}, ${connections} connections\n`,
);

const samples = [];
/** Collects garbage first, so that what is left is held. */
async function sample(when) {
  const { heapUsed, rss, external, handles } = await child.call('memory');
  samples.push({ when, heapUsed, rss, external, handles });
}

await load({ port, connections, ...mix, durationMs: WARM_UP_MS });
await sleep(500);
await sample('warm');
server.resetCounters();

const end = new globalThis.AbortController();
const troubles = [];
const changing = weather({
  server,
  child,
  settings,
  signal: end.signal,
  onChange: (state) => troubles.push(state),
});
const sampling = setInterval(() => {
  void sample('loaded');
}, SAMPLE_MS);
const result = await load({ port, connections, ...mix, durationMs: settings.seconds * 1000 });
clearInterval(sampling);
end.abort();
await changing;
await sleep(6_000);
await sample('idle');
await child.stop();
server.close();

const figures = ({ when, heapUsed, rss, external, handles }) => [
  when,
  ...[heapUsed, external, rss].map((bytes) => (bytes / MB).toFixed(1)),
  Object.entries(handles)
    .filter(([kind]) => kind !== 'PipeWrap') // the pipes to this process
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', '),
];
console.log(
  `${table(['memory', 'heap MB', 'external MB', 'rss MB', 'open handles'], samples.map(figures), 1)}\n`,
);
const [warm] = samples;
const idle = samples.at(-1);
const failures = troubles.filter((state) => state !== 'up');
const lines = [
  [
    'requests',
    `${result.requests} (${result.perSecond.toFixed(0)} per second, p99 ${result.p99Ms.toFixed(1)} ms)`,
  ],
  ['statuses', JSON.stringify(result.statuses).replaceAll('"', '')],
  [
    'authorization server',
    `failed ${failures.length} times (${failures.join(', ')}), ${server.counters.keys} key fetches`,
  ],
  ['heap growth', `${((idle.heapUsed - warm.heapUsed) / MB).toFixed(2)} MB from warm to idle`],
  [
    'wrong statuses',
    `${result.wrongCount} ${JSON.stringify(result.wrong).replaceAll('"', '')} (must be none)`,
  ],
  ['lost requests', `${result.lost} (must be none)`],
];
for (const [name, value] of lines) console.log(`${name.padEnd(22)}${value}`);
if (settings.isStrict && result.wrongCount + result.lost > 0) process.exitCode = 1;
