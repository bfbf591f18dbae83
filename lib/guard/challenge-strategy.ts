import { isMcpBody } from '../mcp/operations.js';
import { mcpStrategy } from '../mcp/protocol-version.js';
import type { ChallengeStrategy } from '../policy/scopes.js';
import type { ParsedRequest } from './request-authorizer.js';

/** Returns which scopes a challenge names, by the protocol version of an MCP message. @internal */
export function strategyFor({ body, headers }: ParsedRequest): ChallengeStrategy {
  return isMcpBody(body) ? mcpStrategy(headers['mcp-protocol-version']) : 'complete';
}
