import { Injectable } from '@nestjs/common';

/** Notes by their owner, in memory. */
@Injectable()
export class NotesStore {
  private readonly byOwner = new Map<string, readonly string[]>();

  list(owner: string): readonly string[] {
    return this.byOwner.get(owner) ?? [];
  }

  add(owner: string, text: string): number {
    const notes = [...this.list(owner), text];
    this.byOwner.set(owner, notes);
    return notes.length;
  }

  /** How many people have how many notes. */
  totals(): { people: number; notes: number } {
    const all = [...this.byOwner.values()];
    return { people: all.length, notes: all.flat().length };
  }
}
