export type { IoredisClient, NodeRedisClient, RedisClient } from './redis-client.js';
export { RedisReplayStore, type RedisReplayStoreOptions } from './redis-replay.store.js';
export { RedisRevocationList, type RedisRevocationListOptions } from './redis-revocation.list.js';
