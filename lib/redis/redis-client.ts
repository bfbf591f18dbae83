/** What the package uses of a client of `redis` (node-redis) 5 or 6. @publicApi */
export interface NodeRedisClient {
  /** Whether it is connected. */
  readonly isReady: boolean;
  sendCommand(args: string[]): Promise<unknown>;
  /** Makes another client, for the messages of a channel. */
  duplicate(): unknown;
}

/** What the package uses of a client of `ioredis` 5 or 6, or of `iovalkey`. @publicApi */
export interface IoredisClient {
  /** `ready` if it is connected. */
  readonly status: string;
  call(command: string, ...args: string[]): Promise<unknown>;
  /** Makes another client, for the messages of a channel. */
  duplicate(): unknown;
}

/**
 * A client of Redis or Valkey, made, connected and closed by the application. Of node-redis, only `createClient()` makes one:
 * not `createCluster()`, `createSentinel()` and `createClientPool()`.
 *
 * @publicApi
 */
export type RedisClient = NodeRedisClient | IoredisClient;

/** Members of what `createCluster()` and `createSentinel()` of node-redis make: their `sendCommand` takes other arguments. */
const NOT_ONE_SERVER = ['masters', 'getSentinelNode'];

/** A client of node-redis that listens to a channel. */
interface NodeRedisSubscriber {
  on(event: string, listener: () => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
}

/** A client of ioredis that listens to a channel. */
interface IoredisSubscriber {
  on(event: string, listener: (channel: string, message: string) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** What a subscription reports. @internal */
export interface SubscriptionListener {
  readonly onMessage: (message: string) => void;
  /** Called each time the channel is heard, after a connection has been made: messages may have been missed before. */
  readonly onListening: () => void;
}

/**
 * Asserts that a value is a client of a known library, by its members.
 *
 * @param name - of the class that needs it
 * @throws TypeError otherwise
 * @internal
 */
export function assertRedisClient(name: string, given: unknown): asserts given is RedisClient {
  if (isIoredis(given as RedisClient) || isNodeRedis(given)) return;
  throw new TypeError(
    `${name} needs a client of ioredis 5 or 6, of iovalkey, or one that createClient() of redis 5 or 6 has made`,
  );
}

function isIoredis(client: RedisClient): client is IoredisClient {
  const { call, status } = Object(client) as Partial<IoredisClient>;
  return typeof call === 'function' && typeof status === 'string';
}

function isNodeRedis(client: unknown): boolean {
  const known = Object(client) as Partial<NodeRedisClient>;
  const isOther = NOT_ONE_SERVER.some((name) => name in known);
  return typeof known.sendCommand === 'function' && typeof known.isReady === 'boolean' && !isOther;
}

/** Whether a command goes out at once. A client of ioredis with `lazyConnect` connects at its first command. @internal */
export function isConnected(client: RedisClient): boolean {
  return isIoredis(client) ? client.status === 'ready' || client.status === 'wait' : client.isReady;
}

/** Sends a command. @internal */
export function sendCommand(client: RedisClient, args: readonly [string, ...string[]]): Promise<unknown> {
  if (!isIoredis(client)) return client.sendCommand([...args]);
  const [command, ...others] = args;
  return client.call(command, ...others);
}

/**
 * Listens to a channel, by a connection of its own that reconnects as the client does.
 *
 * @returns a function that ends it
 * @internal
 */
export function subscribe(client: RedisClient, channel: string, listener: SubscriptionListener): () => void {
  return isIoredis(client)
    ? subscribeIoredis(client, channel, listener)
    : subscribeNodeRedis(client, channel, listener);
}

function subscribeIoredis(
  client: IoredisClient,
  channel: string,
  { onMessage, onListening }: SubscriptionListener,
): () => void {
  // It connects at once, and waits for its connection, whatever the application's client does.
  const settings = { enableOfflineQueue: true, maxRetriesPerRequest: null, lazyConnect: false };
  const duplicate = client.duplicate.bind(client) as (settings: object) => IoredisSubscriber;
  const own = duplicate(settings);
  own.on('error', ignore);
  own.on('message', (_, message) => {
    onMessage(message);
  });
  own.on('ready', () => {
    own.subscribe(channel).then(onListening, ignore);
  });
  return () => {
    own.disconnect();
  };
}

function subscribeNodeRedis(
  client: NodeRedisClient,
  channel: string,
  { onMessage, onListening }: SubscriptionListener,
): () => void {
  const own = client.duplicate() as NodeRedisSubscriber;
  own.on('error', ignore);
  // The same function each time, so that the client calls it once for a message.
  own.on('ready', () => {
    Promise.resolve(own.subscribe(channel, onMessage)).then(onListening, ignore);
  });
  own.connect().catch(ignore);
  return () => {
    try {
      own.destroy();
    } catch {
      // It was never connected.
    }
  };
}

/** Failures of a subscription need no report: a list that hears nothing does not answer. */
function ignore(): void {
  // As the comment says.
}
