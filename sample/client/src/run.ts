import { ClientProvider } from './client-provider.js';
import { LoopbackCallback } from './loopback-callback.js';
import { SampleClient } from './sample-client.js';

export interface ClientRun {
  /** The URL of the notes server. */
  readonly resource: string;
  /** Shows a URL to the person. */
  readonly open: (url: URL) => unknown;
  readonly print: (line: string) => void;
  readonly fetchFn?: typeof fetch;
}

/** Goes through all that the notes server of the quick start asks of a client. */
export async function runClient({ resource, open, print, fetchFn }: ClientRun): Promise<void> {
  const callback = await LoopbackCallback.listen();
  const provider = new ClientProvider('Sample client', callback.redirectUrl, callback.browseWith(open));
  const client = new SampleClient(new URL(resource), provider, fetchFn);
  const tell = async (tool: string, args?: Record<string, unknown>): Promise<void> => {
    print(`${tool}: ${await client.call(tool, args)}`);
  };
  try {
    await client.connect();
    await tell('list_notes');
    await tell('add_note', { text: 'Buy milk' });
    await client.refresh();
    await tell('whoami');
  } finally {
    await client.close();
    callback.close();
  }
}
