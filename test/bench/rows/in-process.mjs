import { claimsFor } from '../in-process/many.mjs';
import { claimsOfTenant } from '../in-process/tenants.mjs';
import { Child } from '../support/child.mjs';
import { median } from '../support/statistics.mjs';
import { claims, signMany } from '../support/tokens.mjs';

const WORKER = new URL('../in-process/worker.mjs', import.meta.url);
const METADATA_DELAY_MS = 50;
const MANY_ISSUERS = 100;

/** The rows without HTTP before the guard. */
export async function inProcess({ server, tokens, settings }) {
  const oneThread = await withWorker(server, { UV_THREADPOOL_SIZE: '1' }, (child) =>
    child.call('firstSight', { tokens }),
  );
  return withWorker(server, {}, async (child) => {
    const firstSight = { ...(await child.call('firstSight', { tokens })), oneThread };
    const { rounds, hotCalls } = settings;
    const hot = await child.call('hotToken', { token: tokens[0], rounds, calls: hotCalls });
    return {
      hot,
      firstSight,
      events: await child.call('eventCost', { token: tokens[0], rounds, calls: hotCalls }),
      discovery: await discovery(child, server),
      many: await many(child, server, settings),
      tenants: await tenants(child, server, settings),
      introspection: await introspectionSpeed(child, server, settings),
    };
  });
}

async function withWorker({ issuer, jwksUri }, env, measure) {
  const child = await Child.start(WORKER, { issuer, jwksUri }, { execArgv: ['--expose-gc'], env });
  try {
    return await measure(child);
  } finally {
    await child.stop();
  }
}

async function discovery(child, server) {
  const times = { one: [], many: [] };
  const { issuer } = server;
  server.metadataDelayMs = METADATA_DELAY_MS;
  await child.call('startTime', { issuer, count: MANY_ISSUERS });
  for (let round = 0; round < 5; round++) {
    times.one.push(await child.call('startTime', { issuer, count: 1 }));
    times.many.push(await child.call('startTime', { issuer, count: MANY_ISSUERS }));
  }
  server.metadataDelayMs = 0;
  return { count: MANY_ISSUERS, oneMs: median(times.one), manyMs: median(times.many) };
}

async function introspectionSpeed(child, server, { rounds }) {
  server.introspected = claims(server.issuer);
  return await child.call('introspectionSpeed', { issuer: server.issuer, rounds });
}

async function tenants(child, server, { manyTenants: count }) {
  const numbers = [0, count - 1];
  const tokens = await signMany(server, 2, (index) => claimsOfTenant(server.issuer, numbers[index]));
  return await child.call('manyTenants', { issuer: server.issuer, count, tokens });
}

async function many(child, server, { manyResources }) {
  const tokens = await signMany(server, manyResources, (index) => claimsFor(server.issuer, index));
  return await child.call('manyResources', { issuer: server.issuer, tokens });
}
