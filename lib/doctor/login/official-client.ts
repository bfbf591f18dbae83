import type { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The parts of the official client that the doctor uses. @internal */
export interface OfficialClient {
  readonly Client: typeof Client;
  readonly StreamableHTTPClientTransport: typeof StreamableHTTPClientTransport;
  readonly UnauthorizedError: typeof UnauthorizedError;
}

/**
 * Loads the official client: of the user's project, else of where this package is installed. Undefined if there is none.
 *
 * @param folder - where the project is looked for
 * @internal
 */
export async function loadOfficialClient(folder: string): Promise<OfficialClient | undefined> {
  for (const from of [join(folder, 'package.json'), import.meta.url]) {
    const path = pathFrom(from);
    if (path !== undefined) return (await import(pathToFileURL(path).href)) as OfficialClient;
  }
  return undefined;
}

function pathFrom(place: string): string | undefined {
  try {
    return createRequire(place).resolve('@modelcontextprotocol/client');
  } catch {
    return undefined;
  }
}
