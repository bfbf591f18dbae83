import type { ChallengeStrategy } from '../policy/scopes.js';
import { isMcpBody } from './operations.js';
import { mcpStrategy } from './protocol-version.js';

/** The part of a request that says how its client asks for scopes. */
interface VersionedRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** Returns which scopes a challenge names, by the protocol version of an MCP message. @internal */
export function strategyFor({ body, headers }: VersionedRequest): ChallengeStrategy {
  return isMcpBody(body) ? mcpStrategy(headers['mcp-protocol-version']) : 'complete';
}
