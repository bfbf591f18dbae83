import { createRequire } from 'node:module';

/** What the doctor needs of package.json. */
const { homepage, version } = createRequire(import.meta.url)('../../package.json') as {
  readonly homepage: string;
  readonly version: string;
};

/** The version of this package. @internal */
export const VERSION = version;

/** Returns the address of a page of the documentation, below `docs/` of the repository. @internal */
export function docs(page: string): string {
  return `${homepage.replace(/#.*$/, '')}/blob/main/docs/${page}`;
}

/** Returns the address of a section of an RFC. @internal */
export function rfc(number: number, section: string): string {
  return `https://www.rfc-editor.org/rfc/rfc${String(number)}#section-${section}`;
}

/** The authorization part of the MCP specification. @internal */
export const MCP_AUTHORIZATION =
  'https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization';

/** The HTTP transport of the MCP specification. @internal */
export const MCP_HTTP =
  'https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http';
