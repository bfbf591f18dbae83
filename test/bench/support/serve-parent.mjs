import { setImmediate as nextTurn } from 'node:timers/promises';
import process from 'node:process';

/** What the parent gave. */
export function settingsFromParent() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Functions that every child has. */
const COMMON = {
  cpu: () => process.cpuUsage(),
  memory: async () => {
    for (let pass = 0; pass < 3; pass++) {
      globalThis.gc?.();
      await nextTurn();
    }
    const { heapUsed, rss, external } = process.memoryUsage();
    return { heapUsed, rss, external, handles: handles() };
  },
};

/** Answers the parent's calls until it goes away. @param {Record<string, (argument: any) => unknown>} functions */
export function serveParent(functions) {
  const all = { ...COMMON, ...functions };
  process.on('message', async ({ id, name, argument }) => {
    try {
      process.send({ id, value: (await all[name](argument)) ?? null });
    } catch (error) {
      process.send({ id, error: describe(error) });
    }
  });
  process.on('disconnect', () => {
    process.exit(0);
  });
}

function describe(error) {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What keeps the process open, by kind. */
function handles() {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
