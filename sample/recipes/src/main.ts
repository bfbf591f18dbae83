import { startCheck } from './check.js';
import { recipeOf } from './providers.js';

try {
  const app = await startCheck(recipeOf(process.env), Number(process.env['PORT'] ?? 3000));
  console.log(`
Try a token:
  curl -i -H "Authorization: Bearer $TOKEN" ${await app.getUrl()}/check
Stop with Ctrl-C.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
