import type {
  AuthorizationServerReport,
  DynamicAuthorizationServersReport,
} from '../authorization-server/server-report.js';
import type { ReplayStoreReport } from '../request/memory-replay.store.js';
import type { TenantsReport } from '../resource/tenant-resources.js';
import type { CacheReport } from '../token/cache-report.interface.js';
import type { OptionsReport } from './options-report.js';

/** One authorization server of one resource that introspects tokens. @publicApi */
export interface IntrospectingServer {
  readonly issuer: string;
  readonly resource: string;
}

/** The introspection requests to one server. @publicApi */
export interface IntrospectionReport extends IntrospectingServer {
  /** Requests that run now. The limit is `maxConcurrentRequests`. */
  readonly running: number;
  /** Requests that wait for their turn. The limit is `maxQueuedRequests`. */
  readonly waiting: number;
}

/** The cached introspection responses of one server. Both kinds of response together, so the limit is twice the option. @publicApi */
export interface IntrospectionCacheReport extends IntrospectingServer, CacheReport {}

/** State of the package: a snapshot, of this process only. Counts begin when the application starts. @publicApi */
export interface McpAuthReport {
  /** Whether no configured server is `down`: as far as is known, the tokens of each of them can be verified. */
  readonly isHealthy: boolean;
  /** Each configured server once, in the configured order. */
  readonly authorizationServers: readonly AuthorizationServerReport[];
  /** Those that `authorizationServerResolver` knows. */
  readonly dynamicAuthorizationServers: DynamicAuthorizationServersReport;
  /** Each resource with the option `tenants`. */
  readonly tenants: readonly TenantsReport[];
  readonly caches: {
    /** All resources together, so the limit is the option times the number of resources. See `tokenCache`. */
    readonly verifiedTokens: CacheReport;
    readonly introspection: readonly IntrospectionCacheReport[];
  };
  /** Each server of each resource with the option `introspection`. */
  readonly introspection: readonly IntrospectionReport[];
  readonly sessions: {
    /** Sessions that are bound to their callers in this process. */
    readonly entries: number;
    /** The limit; 0 with `sessionBinding: false`, and with `secrets`, which bind sessions without storing them. */
    readonly maxEntries: number;
  };
  readonly streams: {
    /**
     * Open event streams that end when their token expires. Not counted: those of callers without a token or of tokens without
     * an expiry, and any with `endStreamsAtExpiry: false`.
     */
    readonly open: number;
  };
  /** The replay store in the memory of this process. It is empty if every feature has a store of the application. */
  readonly replayStore: ReplayStoreReport;
  /** The options in force, with their defaults and without secrets. */
  readonly options: OptionsReport;
}
