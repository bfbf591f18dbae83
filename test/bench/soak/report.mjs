import { table } from '../support/table.mjs';

const MB = 2 ** 20;
const plain = (object) => JSON.stringify(object).replaceAll('"', '');

/** What a soak has found, and whether all of it is as it must be. */
export function soakReport({ samples, result, visitors, sessions, troubles, keys, maxGrowthBytes }) {
  const [warm] = samples;
  const idle = samples.at(-1);
  const failures = troubles.filter((state) => state !== 'up');
  const growth = idle.heapUsed - warm.heapUsed;
  const wrong = result.wrongCount + visitors.wrongCount;
  const lost = result.lost + visitors.lost;
  const sockets = idle.handles.TCPSocketWrap ?? 0;
  const lines = [
    [
      'requests',
      `${result.requests} (${result.perSecond.toFixed(0)} per second, p99 ${result.p99Ms.toFixed(1)} ms)`,
    ],
    ['statuses', plain(result.statuses)],
    ['sessions', `${visitors.opened}, ${visitors.requests} requests; streams ${plain(visitors.streams)}`],
    [
      'authorization server',
      `failed ${failures.length} times (${failures.join(', ')}), ${keys.fetched} key fetches, ${keys.rotations} new keys`,
    ],
    ['heap growth', `${(growth / MB).toFixed(2)} MB from warm to idle (at most ${maxGrowthBytes / MB})`],
    ['wrong answers', `${wrong} ${plain({ ...result.wrong, ...visitors.wrong })} (must be none)`],
    ['lost requests', `${lost} (must be none)`],
    ['leaked', `${sessions} sessions, ${sockets} sockets (must be none)`],
  ];
  const text = [
    `${table(['memory', 'heap MB', 'external MB', 'rss MB', 'open handles'], samples.map(figures), 1)}\n`,
    ...lines.map(([name, value]) => `${name.padEnd(22)}${value}`),
  ].join('\n');
  return { text, isGood: wrong + lost + sessions + sockets === 0 && growth <= maxGrowthBytes };
}

function figures({ when, heapUsed, rss, external, handles }) {
  return [
    when,
    ...[heapUsed, external, rss].map((bytes) => (bytes / MB).toFixed(1)),
    Object.entries(handles)
      .filter(([kind]) => kind !== 'PipeWrap') // the pipes to this process
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', '),
  ];
}
