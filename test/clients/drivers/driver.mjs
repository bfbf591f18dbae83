/**
 * Runs a client library as a program, for programs.ts:
 *
 *     node test/clients/drivers/NAME.mjs URL
 *
 * A line `TOOL` on standard input calls a tool; a JSON line on standard output has its `text`, or the `error` of the library.
 * The line `tools/list` lists the tools; the `text` is the list as JSON.
 * Standard error names the address to open in a browser. `CLIENT_ID` and `CLIENT_METADATA_URL` replace registration,
 * `CALLBACK_PORT` is the port that the browser comes back to. `sample/dist` must be built.
 */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { ClientProvider } from '../../../sample/dist/client/src/client-provider.js';

const LIST = 'tools/list';

export const endpoint = process.argv[2];
export const { CLIENT_ID: clientId, CLIENT_METADATA_URL: clientMetadataUrl } = process.env;
export const redirectUrl = `http://127.0.0.1:${process.env['CALLBACK_PORT']}/callback`;

/** Shows an address to the person. */
export function showUrl(url) {
  process.stderr.write(`Open ${url}\n`);
}

/** The person's browser comes back here, once. */
async function callback() {
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  const server = createServer((request, response) => {
    response.setHeader('connection', 'close').end('You can close this window.');
    resolve(new URL(request.url, redirectUrl).searchParams);
  });
  await new Promise((listening) => server.listen(new URL(redirectUrl).port, '127.0.0.1', listening));
  return { answer: promise.finally(() => server.close()) };
}

/** `Promise.withResolvers()` of Node 22. */
function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** The provider of sample/client, with the person at the other end of standard error. */
export function createProvider() {
  const provider = new ClientProvider('Client under test', redirectUrl, async (url) => {
    const { answer } = await callback();
    showUrl(url.href);
    return answer;
  });
  if (clientId !== undefined) provider.saveClientInformation({ client_id: clientId });
  if (clientMetadataUrl !== undefined) provider.clientMetadataUrl = clientMetadataUrl;
  return provider;
}

/**
 * Repeats an action after the person has answered, which is what the libraries leave to their users.
 *
 * @param isUnauthorized - whether the library says that the person has to answer
 * @param finish - gives the answer to the library
 */
export async function afterSignIn(action, isUnauthorized, finish) {
  try {
    return await action();
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    await finish();
    return action();
  }
}

/**
 * @param call - connects if need be, calls a tool and returns its result
 * @param list - lists the tools, once connected
 */
export async function drive(call, list) {
  for await (const tool of createInterface({ input: process.stdin })) {
    try {
      if (tool === LIST) {
        print({ text: JSON.stringify(await list()) });
        continue;
      }
      const { content, isError } = await call(tool);
      const { text } = content[0];
      print(isError ? { error: text } : { text });
    } catch (error) {
      print({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  process.exit(0);
}

function print(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
