import { Inject, Injectable } from '@nestjs/common';
import { type AuthInfo, principalKey } from 'nestjs-mcp-auth';
import type { RedisClientType } from 'redis';
import { REDIS } from './shared.module.js';

/** Notes by their owner, in Redis. To add a note again changes nothing, so a client may repeat a call without an answer. */
@Injectable()
export class NotesStore {
  constructor(@Inject(REDIS) private readonly redis: RedisClientType) {}

  async list(owner: AuthInfo): Promise<string[]> {
    return (await this.redis.sMembers(key(owner))).sort();
  }

  count(owner: AuthInfo): Promise<number> {
    return this.redis.sCard(key(owner));
  }

  async add(owner: AuthInfo, text: string): Promise<number> {
    await this.redis.sAdd(key(owner), text);
    return this.count(owner);
  }
}

function key(owner: AuthInfo): string {
  return `notes:${principalKey(owner)}`;
}
