import { randomUUID } from 'node:crypto';

/**
 * One test of a contract, for any test runner:
 *
 * `for (const { name, run } of replayStoreContract(create)) it(name, run);`
 *
 * @publicApi
 */
export interface ContractTest {
  /** A sentence that says what is tested. */
  readonly name: string;
  /** Runs the test. The promise is rejected with an AssertionError of Node, or with an error of what is tested. */
  readonly run: () => Promise<void>;
}

/** What the tests of all contracts may use. @publicApi */
export interface ContractSubject {
  /** Lets time pass. @defaultValue waits for that long */
  readonly wait?: ((ms: number) => void | Promise<void>) | undefined;
  /** Called after the test, whatever its result. */
  readonly close?: (() => unknown) | undefined;
}

/** Makes a test that gets a new subject, and closes it. @internal */
export function contractTest<S extends ContractSubject>(
  create: () => S | Promise<S>,
  name: string,
  test: (subject: S, wait: (ms: number) => Promise<void>) => Promise<void>,
): ContractTest {
  const run = async (): Promise<void> => {
    const subject = await create();
    try {
      await test(subject, async (ms) => {
        await (subject.wait ? subject.wait(ms) : new Promise((resolve) => setTimeout(resolve, ms)));
      });
    } finally {
      await subject.close?.();
    }
  };
  return { name, run };
}

/** Returns a name that no other test has used: databases outlive a test. @internal */
export function fresh(): string {
  return randomUUID();
}
