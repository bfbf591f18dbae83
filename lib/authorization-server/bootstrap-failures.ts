import {
  BootstrapDiscoveryError,
  type DiscoveryError,
  type DiscoveryFailure,
} from '../errors/discovery.error.js';

const OUTAGES: readonly DiscoveryFailure[] = ['unreachable', 'timeout', 'server_error'];

/** Whether servers only failed to answer. That may pass, but a wrong document must be fixed. @internal */
export function isOutage(error: unknown): error is BootstrapDiscoveryError {
  if (!(error instanceof BootstrapDiscoveryError)) return false;
  const attempts = error.failures.flatMap((failure) => failure.attempts);
  return attempts.every(({ failure }) => OUTAGES.includes(failure));
}

/** Merges errors into one that names each failed server once, with all attempts for it. @internal */
export function mergeFailures(reasons: readonly unknown[]): BootstrapDiscoveryError {
  const failures = new Map<string, DiscoveryError[]>();
  for (const reason of reasons) {
    if (!(reason instanceof BootstrapDiscoveryError)) throw reason;
    for (const { server, attempts } of reason.failures) {
      const known = failures.get(server) ?? [];
      const isNew = ({ message }: DiscoveryError): boolean =>
        known.every((other) => other.message !== message);
      failures.set(server, [...known, ...attempts.filter(isNew)]);
    }
  }
  return new BootstrapDiscoveryError([...failures].map(([server, attempts]) => ({ server, attempts })));
}
