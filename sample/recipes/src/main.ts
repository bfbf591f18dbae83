import { startCheck } from './check.js';
import { recipeOf } from './providers.js';

try {
  const recipe = recipeOf(process.env);
  const app = await startCheck(recipe, Number(process.env['PORT'] ?? 3000));
  console.log(`
Try a token:
  curl -i -H "Authorization: Bearer $TOKEN" ${await app.getUrl()}${new URL(recipe.resource).pathname}
Stop with Ctrl-C.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
