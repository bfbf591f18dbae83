import { RESOURCE } from './environment.js';
import { startVersion, VERSIONS } from './start.js';

const [name = ''] = process.argv.slice(2);
const load = Object.entries(VERSIONS).find(([each]) => each === name)?.[1];

try {
  if (!load) throw new Error(`Write which one: main.js ${Object.keys(VERSIONS).join('|')}`);
  const app = await startVersion(load, Number(process.env['PORT'] ?? 3000));
  console.log(`${name}: ${await app.getUrl()}${new URL(RESOURCE).pathname}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
