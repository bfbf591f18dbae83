import { Injectable } from '@nestjs/common';

/** Notes by their owner, in memory. The owner is the issuer and the subject: a subject alone is not unique. */
@Injectable()
export class NotesStore {
  private readonly notes = new Map<string, string[]>();

  list(owner: string): readonly string[] {
    return this.notes.get(owner) ?? [];
  }

  add(owner: string, text: string): number {
    const notes = [...this.list(owner), text];
    this.notes.set(owner, notes);
    return notes.length;
  }

  purge(owner: string): number {
    const count = this.list(owner).length;
    this.notes.delete(owner);
    return count;
  }
}
