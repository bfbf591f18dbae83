import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { OAUTH } from '../../test/fixtures/discovery.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import { bareServer } from '../../test/fixtures/servers.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { AuthorizationServerRegistry } from './authorization-server.registry.js';

describe('AuthorizationServerRegistry', () => {
  let as: LoopbackAuthorizationServer;
  let logged: string[];

  beforeEach(async () => {
    as = await bareServer();
    as.at(OAUTH, as.metadata());
    logged = [];
    const record = (message: unknown): void => {
      logged.push(String(message));
    };
    Logger.overrideLogger({ log: record, error: record, warn: record });
  });

  afterEach(() => {
    Logger.overrideLogger(false);
  });

  const NAMES = ['https://a.example', 'https://b.example'];
  /** Two resources, each with a server of these options. */
  const registryOf = (servers: readonly object[], more: object = {}): AuthorizationServerRegistry =>
    registriesOf(
      resolveOptions({
        resources: servers.map((server, index) => ({
          resource: NAMES[index],
          authorizationServers: [server],
        })),
        ...more,
      }),
    ).servers;
  const countOf = (...servers: object[]): number => registryOf(servers).all().length;

  it('takes servers for one that are configured alike', () => {
    const { issuer } = as;
    expect(countOf({ issuer }, { issuer })).toBe(1);
    expect(countOf({ issuer }, { issuer, type: 'auto', mcpCompliance: 'warn' })).toBe(1);
    const remoteJwkSet = { headers: { 'x-a': '1' } };
    expect(countOf({ issuer, remoteJwkSet }, { issuer, remoteJwkSet: { headers: { 'x-a': '1' } } })).toBe(1);
  });

  it('keeps servers apart that differ in whatever option', () => {
    const { issuer } = as;
    const transpileData = (data: object): object => data;
    const differences = [
      { type: 'oauth' },
      { metadataUrl: `${as.origin}/meta` },
      { algorithms: ['ES256'] },
      { mcpCompliance: 'off' },
      { remoteJwkSet: { headers: { 'x-a': '1' } } },
      { remoteJwkSet: { cooldownSeconds: 31 } },
      { jwks: { keys: [] } },
      { transpileData },
      { introspection: { clientId: 'c' } },
      { issuer: `${issuer}/` },
    ];
    for (const difference of differences) {
      expect(countOf({ issuer }, { issuer, ...difference })).toBe(2);
    }
    expect(countOf({ issuer, transpileData }, { issuer, transpileData })).toBe(2);
  });

  it('hands servers out by resource and issuer', async () => {
    const options = resolveOptions({ resources: { resource: NAMES[0], authorizationServers: [as.issuer] } });
    const registry = registriesOf(options).servers;
    expect(registry.of(options.resources[0]!).size).toBe(0);
    await registry.discover();
    expect([...registry.of(options.resources[0]!).keys()]).toEqual([as.issuer]);
    expect(registry.of({ ...options.resources[0]! }).size).toBe(0);
  });

  it('rejects two servers of a resource whose documents name the same issuer', async () => {
    const trusted = { metadataUrl: `${as.origin}${OAUTH}`, trustDocumentIssuer: true };
    const options = { resources: { resource: NAMES[0], authorizationServers: [as.issuer, trusted] } };
    await expect(registriesOf(resolveOptions(options)).servers.discover()).rejects.toThrow(
      `resource ${String(NAMES[0])}: names the issuer ${as.issuer} twice; keep one of them`,
    );
  });

  it('says once what a document lacks, however often it is renewed', async () => {
    let time = Date.now();
    const lacking = { registration_endpoint: undefined, client_id_metadata_document_supported: undefined };
    as.at(OAUTH, as.metadata(lacking));
    const registry = registryOf([{ issuer: as.issuer }], { now: () => new Date(time) });
    await registry.discover();
    expect(logged).toHaveLength(1);
    time += 3_600_000;
    await registry.all()[0]!.metadata();
    expect(as.paths).toEqual([OAUTH, OAUTH]);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('[registration_missing]; see docs/operations/health.md#registration_missing');
  });

  it('does not hide a fault of ours', async () => {
    const fault = new RangeError('ours');
    const fetch = (): never => {
      throw fault;
    };
    await expect(registryOf([{ issuer: as.issuer }], { fetch }).discover()).rejects.toMatchObject({
      message: expect.stringContaining('cannot be reached (ours)') as string,
    });
    const registry = registryOf([{ issuer: as.issuer }]);
    const [server] = registry.all();
    server!.refresh = () => Promise.reject(fault);
    await expect(registry.discover()).rejects.toBe(fault);
  });

  it('says nothing of what fails because the application has ended', async () => {
    as.at(OAUTH, () => undefined);
    const registry = registryOf([{ issuer: as.issuer }], { discovery: 'lazy' });
    await registry.discover();
    const pending = registry.all()[0]!.metadata();
    await expect.poll(() => as.paths.length).toBe(1);
    registry.onApplicationShutdown();
    await expect(pending).rejects.toThrow(`Could not get the metadata of ${as.issuer}`);
    expect(logged).toEqual([]);
  });
});
