import { startConfiguredServer } from './start.js';

try {
  const { app, resource } = await startConfiguredServer();
  console.log(`Notes MCP server at ${resource}. Stop with Ctrl-C.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
