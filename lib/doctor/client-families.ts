/** How a client gets known to an authorization server without being registered by hand. @internal */
export type RegistrationWay = 'documents' | 'dynamic';

/** What a client family does and needs, as docs/clients.md says; a test compares the names. @internal */
export interface ClientFamily {
  readonly name: string;
  /** The section of docs/clients.md. */
  readonly anchor: string;
  readonly registersBy: readonly RegistrationWay[];
  /** What it requests at sign-in: the scopes of the challenge, all of `scopes_supported`, or what the user writes. */
  readonly requests: 'challenge' | 'supported' | 'configured';
  readonly stepsUp: boolean;
  /** Whether its requests come from the internet. */
  readonly isRemote: boolean;
  /** Whether it offers its sign-in only for tools with `securitySchemes` whose results carry challenges. */
  readonly readsToolChallenges: boolean;
}

const BOTH = ['documents', 'dynamic'] as const;
const LOCAL = { isRemote: false, readsToolChallenges: false } as const;

/** @internal */
export const CLIENT_FAMILIES: readonly ClientFamily[] = [
  {
    ...{ name: 'Official SDK v2', anchor: 'official-sdk-v2', registersBy: BOTH },
    ...{ requests: 'challenge', stepsUp: true, ...LOCAL },
  },
  {
    ...{ name: 'Official SDK v1', anchor: 'official-sdk-v1', registersBy: BOTH },
    ...{ requests: 'challenge', stepsUp: false, ...LOCAL },
  },
  {
    ...{ name: 'MCP Inspector CLI', anchor: 'mcp-inspector-cli', registersBy: BOTH },
    ...{ requests: 'supported', stepsUp: false, ...LOCAL },
  },
  {
    ...{ name: 'mcp-remote', anchor: 'mcp-remote', registersBy: BOTH },
    ...{ requests: 'challenge', stepsUp: true, ...LOCAL },
  },
  {
    ...{ name: 'AI SDK', anchor: 'ai-sdk', registersBy: ['dynamic'] },
    ...{ requests: 'challenge', stepsUp: false, ...LOCAL },
  },
  {
    ...{ name: 'MCPJam SDK', anchor: 'mcpjam-sdk', registersBy: ['dynamic'] },
    ...{ requests: 'challenge', stepsUp: false, ...LOCAL },
  },
  {
    ...{ name: 'Claude Code', anchor: 'claude-code', registersBy: BOTH },
    ...{ requests: 'challenge', stepsUp: false, ...LOCAL },
  },
  {
    ...{ name: 'Claude.ai', anchor: 'claude-ai', registersBy: ['dynamic'] },
    ...{ requests: 'challenge', stepsUp: false, isRemote: true, readsToolChallenges: false },
  },
  {
    ...{ name: 'ChatGPT', anchor: 'chatgpt', registersBy: BOTH },
    ...{ requests: 'challenge', stepsUp: false, isRemote: true, readsToolChallenges: true },
  },
  {
    ...{ name: 'Codex', anchor: 'codex', registersBy: BOTH },
    ...{ requests: 'configured', stepsUp: false, isRemote: false, readsToolChallenges: true },
  },
  {
    ...{ name: 'VS Code', anchor: 'vs-code', registersBy: ['dynamic'] },
    ...{ requests: 'challenge', stepsUp: true, ...LOCAL },
  },
  {
    ...{ name: 'Cursor', anchor: 'cursor', registersBy: ['dynamic'] },
    ...{ requests: 'supported', stepsUp: false, ...LOCAL },
  },
];
