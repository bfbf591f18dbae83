import { LoopbackCallback } from '../../client/src/loopback-callback.js';
import { RESOURCE } from '../../quickstart/src/environment.js';
import { LegacyClient } from './legacy-client.js';

const callback = await LoopbackCallback.listen();
const browse = callback.browseWith(({ href }) => {
  console.log(`Open this in your browser:\n  ${href}`);
});
try {
  const client = new LegacyClient(RESOURCE, 'notes:read', callback.redirectUrl, browse);
  await client.connect();
  console.log(`authorization server: ${client.authorizationServer ?? 'none'}`);
  for (const tool of ['whoami', 'list_notes']) {
    console.log(`${tool}: ${(await client.call(tool)) ?? 'no answer'}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  callback.close();
}
