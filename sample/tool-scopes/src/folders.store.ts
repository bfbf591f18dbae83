import { Injectable } from '@nestjs/common';

/** Notes by their folder, in memory. Letter case makes no other folder. */
@Injectable()
export class FoldersStore {
  private readonly byFolder = new Map<string, readonly string[]>();

  folders(): readonly string[] {
    return [...this.byFolder.keys()];
  }

  notes(folder: string): readonly string[] {
    return this.byFolder.get(folder.toLowerCase()) ?? [];
  }

  add(folder: string, text: string): number {
    const notes = [...this.notes(folder), text];
    this.byFolder.set(folder.toLowerCase(), notes);
    return notes.length;
  }

  clear(folder: string): number {
    const { length } = this.notes(folder);
    this.byFolder.delete(folder.toLowerCase());
    return length;
  }
}
