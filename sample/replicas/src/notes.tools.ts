import { setTimeout } from 'node:timers/promises';
import { Ctx, Payload } from '@nestjs/microservices';
import { McpContext, McpController, Tool } from '@rekog/mcp-nest';
import type { Request } from 'express';
import { AuthInfo, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { NotesStore } from './notes.store.js';
import { SharedSessions } from './shared-sessions.guard.js';

const AddNote = z.object({ text: z.string().min(1).max(1000) });

@McpController()
export class NotesTools {
  constructor(
    private readonly store: NotesStore,
    private readonly sessions: SharedSessions,
  ) {}

  @Tool({ name: 'list_notes', description: 'List your notes', parameters: z.object({}) })
  async list(@AuthInfo() auth: AuthInfo) {
    return text((await this.store.list(auth)).join('\n') || 'no notes');
  }

  @Tool({ name: 'add_note', description: 'Add a note', parameters: AddNote })
  @RequireScopes('notes:write')
  async add(@Payload() note: z.infer<typeof AddNote>, @AuthInfo() auth: AuthInfo) {
    return text(`${String(await this.store.add(auth, note.text))} notes`);
  }

  /** Its answer is a stream, which is open as long as the call waits. */
  @Tool({
    name: 'await_note',
    description: 'Wait for your next note, for up to a minute',
    parameters: z.object({}),
  })
  async wait(@AuthInfo() auth: AuthInfo) {
    const before = await this.store.count(auth);
    for (let seconds = 0; seconds < 60; seconds++) {
      await setTimeout(1000);
      const now = await this.store.count(auth);
      if (now !== before) return text(`${String(now)} notes`);
    }
    return text('no new note');
  }

  @Tool({ name: 'whoami', description: 'Tell who you are', parameters: z.object({}) })
  async whoami(@AuthInfo('subject') subject: string | undefined, @Ctx() context: McpContext) {
    // Each request has a context of its own, because the transport keeps no sessions.
    const id = context.getRawRequest<Request>()?.headers['mcp-session-id'];
    const client = id === undefined ? 'a client without a session' : await this.sessions.clientOf(id);
    return text(`${subject ?? 'no person'} with ${String(client)}`);
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
