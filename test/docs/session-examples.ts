import { randomUUID } from 'node:crypto';
import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server';
import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, principalKey } from 'nestjs-mcp-auth';
import { z } from 'zod';

const STATE_KEY = process.env['MCP_STATE_KEY'] ?? randomUUID();

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

//#region handles
@McpController()
export class ExportTools {
  private readonly exports = new Map<string, { owner: string; notes: string }>();

  @Tool({ name: 'start_export', description: 'Export the notes', parameters: z.object({}) })
  start(@AuthInfo() auth: AuthInfo) {
    const handle = randomUUID();
    this.exports.set(handle, { owner: principalKey(auth), notes: `notes of ${auth.subject ?? ''}` });
    return text(handle);
  }

  @Tool({ name: 'read_export', description: 'Read an export', parameters: z.object({ handle: z.string() }) })
  read(@Payload() { handle }: { handle: string }, @AuthInfo() auth: AuthInfo) {
    const found = this.exports.get(handle);
    if (found?.owner !== principalKey(auth)) return { ...text('unknown handle'), isError: true };
    return text(found.notes);
  }
}
//#endregion handles

//#region state
interface Asked {
  tool: string;
  folder: string;
}

export const states = createRequestStateCodec<Asked>({
  key: STATE_KEY, // 32 bytes or more, the same in all processes
  ttlSeconds: 300,
  bind: ({ http }) => principalKey(http?.authInfo as AuthInfo), // not the client alone
});

const Folder = z.object({ folder: z.string() });
const Consent = z.object({ sure: z.boolean() });

export function createServer(): McpServer {
  const requestState = { verify: states.verify.bind(states) };
  const server = new McpServer({ name: 'notes', version: '1.0.0' }, { requestState });
  for (const tool of ['empty_folder', 'drop_folder']) {
    server.registerTool(tool, { inputSchema: Folder }, async ({ folder }, context) => {
      const asked = context.mcpReq.requestState<Asked>();
      if (asked && (asked.tool !== tool || asked.folder !== folder)) throw new Error('this was not asked');
      const consent = acceptedContent(context.mcpReq.inputResponses, 'consent', Consent);
      if (asked && consent?.sure) return text(`${tool}: ${folder}`);
      const message = `${tool} ${folder}?`;
      return inputRequired({
        inputRequests: { consent: inputRequired.elicit({ message, requestedSchema: Consent }) },
        requestState: await states.mint({ tool, folder }, context),
      });
    });
  }
  return server;
}
//#endregion state
