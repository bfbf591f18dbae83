import { Injectable } from '@nestjs/common';
import { type AuthInfo, principalKey } from 'nestjs-mcp-auth';

/** What the SDK hands to a handler is what the guard has put on the request: an AuthInfo of this package. */
export type Caller = object | undefined;

/** Notes by their owner, in memory. */
@Injectable()
export class NotesStore {
  private readonly notes = new Map<string, readonly string[]>();

  list(caller: Caller): readonly string[] {
    return this.notes.get(ownerOf(caller)) ?? [];
  }

  add(caller: Caller, text: string): number {
    const notes = [...this.list(caller), text];
    this.notes.set(ownerOf(caller), notes);
    return notes.length;
  }
}

function ownerOf(caller: Caller): string {
  if (!caller) throw new Error('A caller needs a token here');
  return principalKey(caller as AuthInfo);
}
