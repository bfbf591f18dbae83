import { parseUrl } from '../options/url-rules.js';

/** A wrong use of the command: the message says what is wrong, and what to write. @internal */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Returns the URL of an MCP server as a person writes it, if it can be examined.
 *
 * @throws {@link UsageError}
 * @internal
 */
export function parseTarget(text: string): URL {
  const url = parseUrl(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new UsageError('The URL must begin with https:// or http://, such as https://api.example.com/mcp');
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    throw new UsageError('The URL must not have a user name or password. Send headers by --header.');
  }
  if (text.includes('#'))
    throw new UsageError('The URL must not have a fragment. Leave out "#" and what follows.');
  return url;
}
