import { Injectable } from '@nestjs/common';

const ARTICLES = ['Tea in spring', 'Tea in winter', 'Coffee in spring'];

/** Articles for everybody, and the reading list of each person, in memory. */
@Injectable()
export class ArticlesStore {
  private readonly saved = new Map<string, readonly string[]>();

  search(word: string): readonly string[] {
    return ARTICLES.filter((title) => title.toLowerCase().includes(word.toLowerCase()));
  }

  /** Titles that a person has not saved yet; all for a person who is not known. */
  suggestions(reader: string | undefined): readonly string[] {
    const known = reader === undefined ? [] : this.savedBy(reader);
    return ARTICLES.filter((title) => !known.includes(title));
  }

  savedBy(reader: string): readonly string[] {
    return this.saved.get(reader) ?? [];
  }

  save(reader: string, title: string): boolean {
    if (!ARTICLES.includes(title)) return false;
    this.saved.set(reader, [...new Set([...this.savedBy(reader), title])]);
    return true;
  }
}
