import { runClient } from './run.js';

const print = (line: string): void => {
  console.log(line);
};

try {
  await runClient({
    resource: process.env['MCP_RESOURCE'] ?? 'http://127.0.0.1:3000/notes',
    open: ({ href }) => {
      print(`Open this in your browser:\n  ${href}`);
    },
    print,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
