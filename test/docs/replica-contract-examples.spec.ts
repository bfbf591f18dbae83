//#region contract
import { replayStoreContract } from 'nestjs-mcp-auth/testing';
import { describe, it } from 'vitest';
import { DatabaseReplayStore } from './replica-contract-examples.js';

describe('DatabaseReplayStore', () => {
  const tests = replayStoreContract(() => ({
    store: new DatabaseReplayStore(),
    replica: new DatabaseReplayStore(), // with a connection of its own
  }));
  for (const { name, run } of tests) it(name, run);
});
//#endregion contract
