import { post } from './load.mjs';
import { SCOPE } from './tokens.mjs';

export const TOOL = 'add_note';
export const TOOL_SCOPE = 'notes:write';
export const ANSWER = 'the note was added';

/** The scopes of callers that may call the tool. */
export const CALLER_SCOPES = `${SCOPE} ${TOOL_SCOPE} offline_access`;

export const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: TOOL, arguments: { text: 'milk' } },
};
const ACCEPT = 'Accept: application/json, text/event-stream';

/** The call of the tool by the revisions of MCP. That of 2026-07-28 has no handshake: each message says all about itself. */
const ERAS = {
  '2025-11-25': { message: CALL, lines: ['MCP-Protocol-Version: 2025-11-25'] },
  '2026-07-28': {
    message: {
      ...CALL,
      params: {
        ...CALL.params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
    lines: ['MCP-Protocol-Version: 2026-07-28', 'Mcp-Method: tools/call', `Mcp-Name: ${TOOL}`],
  },
};

/** A call of the tool, as bytes on the wire. */
export function toolCall(era, token, { path = '/notes', proof } = {}) {
  const { message, lines } = ERAS[era];
  return post(path, { message, lines: [ACCEPT, ...lines], token, proof });
}
