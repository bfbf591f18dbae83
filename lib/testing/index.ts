export type { TestAnswerFault, TestFault } from './faults.js';
export { TestAuthorizationServer } from './test-authorization-server.js';
export type {
  TestAuthorizationServerOptions,
  TestClient,
  TestClientAuthMethod,
  TestEndpoint,
  TestListener,
  TestMetadataLayout,
  TestRequest,
} from './test-authorization-server.interface.js';
export { makeTestKey, type TestKey } from './test-keys.js';
export type { TestClaimsOptions, TestTokenOptions } from './test-token.js';
export { StaticTokenVerifier, type StaticTokenVerifierOptions } from './static-token.verifier.js';
export type { ContractSubject, ContractTest } from './contract-test.js';
export { replayStoreContract, type ReplayStoreSubject } from './replay-store.contract.js';
export type { RevocationListSubject } from './revocation-coverage.contract.js';
export { revocationListContract } from './revocation-list.contract.js';
