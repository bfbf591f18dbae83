import type { ReplayStore } from 'nestjs-mcp-auth';

/** Stands for a table of a database, with a unique key. */
const rows = new Map<string, number>();

export class DatabaseReplayStore implements ReplayStore {
  async reserve(key: string, ttlMs: number): Promise<boolean> {
    // One statement of a database, such as INSERT … ON CONFLICT DO UPDATE … WHERE ends_at <= now().
    await Promise.resolve();
    const now = Date.now();
    if ((rows.get(key) ?? 0) > now) return false;
    rows.set(key, now + ttlMs);
    return true;
  }
}
