import { type Type, UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { beforeEach, describe, expect } from 'vitest';
import {
  BearerAuthGuard,
  type McpAuthModuleOptions,
  type Policy,
  ProtectedResource,
  RequireAuthentication,
  RequirePolicy,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { inMemoryServer, startWithoutHttp, type TransportKind } from '../../fixtures/in-memory.js';
import { ADMIN, NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const NOW = new Date('2026-11-21T12:00:00Z');
const SECONDS = NOW.getTime() / 1000;
const CALLER = { token: 't', clientId: 'cli', subject: 'ada', scopes: ['notes:pay'] };

const ran: string[] = [];

@McpController()
class Payments {
  @Tool({ name: 'pay', description: 'Pay' })
  @RequireAuthentication({ acr: 'urn:a', maxAgeSeconds: 60 })
  @RequireScopes('notes:pay')
  pay() {
    ran.push('pay');
    return { content: [{ type: 'text' as const, text: 'paid' }] };
  }

  @Tool({ name: 'again', description: 'Again' })
  @RequireAuthentication({ maxAgeSeconds: 60 })
  again() {
    ran.push('again');
    return { content: [{ type: 'text' as const, text: 'again' }] };
  }
}

const offline = (resource: string, more: object = {}) => ({
  resource,
  authorizationServers: ['https://nowhere.invalid'],
  ...more,
});

const onlyAda: Policy = (_, { subject }) => subject === 'ada';

/** Of an application with two resources. */
@McpController()
@UseGuards(BearerAuthGuard)
class TwoResources {
  @Tool({ name: 'free', description: 'Of no resource' })
  free() {
    ran.push('free');
    return { content: [{ type: 'text' as const, text: 'free' }] };
  }

  @Tool({ name: 'notes', description: 'Of the notes' })
  @ProtectedResource('notes')
  notes() {
    ran.push('notes');
    return { content: [{ type: 'text' as const, text: 'notes' }] };
  }

  @Tool({ name: 'own', description: 'With a policy' })
  @RequirePolicy(onlyAda)
  own() {
    ran.push('own');
    return { content: [{ type: 'text' as const, text: 'own' }] };
  }
}

/** What a call of a tool gives: its text, or code and data of the error. */
async function call(
  kind: TransportKind,
  stdio: McpAuthModuleOptions['stdio'],
  name: string,
  authInfo?: object,
  more: { resources?: McpAuthModuleOptions['resources']; controllers?: Type[] } = {},
): Promise<unknown> {
  const server = inMemoryServer(kind);
  const { resources = offline(NOTES), controllers = [Payments] } = more;
  const options = { resources, clockToleranceSeconds: 0, now: () => NOW, ...(stdio && { stdio }) };
  await startWithoutHttp(options, { controllers }, server);
  const client = await server.connect(authInfo);
  try {
    const { content } = await client.callTool({ name, arguments: {} });
    return content[0]?.type === 'text' ? content[0].text : content;
  } catch (error) {
    const { code, data } = error as { code: number; data: unknown };
    return { code, data };
  }
}

describe('a local call of an application with two resources', () => {
  verifies('PCY-26', 'runs without a caller unless a policy decides on it', async () => {
    const none = { code: 401, data: { error: 'missing_token' } };
    const callWith = (name: string, ofNotes: object = {}, ofAdmin: object = {}): Promise<unknown> =>
      call('stdio', 'allow', name, undefined, {
        controllers: [TwoResources],
        resources: [
          offline(NOTES, { name: 'notes', ...ofNotes }),
          offline(ADMIN, { name: 'admin', ...ofAdmin }),
        ],
      });
    expect(await callWith('free')).toBe('free');
    expect(await callWith('notes')).toBe('notes');
    expect(await callWith('notes', {}, { policy: onlyAda })).toBe('notes');
    expect(ran).toEqual(['free', 'notes', 'notes']);
    expect(await callWith('own')).toEqual(none);
    expect(await callWith('notes', { policy: onlyAda })).toEqual(none);
    // Nothing says that the policy is not for it.
    expect(await callWith('free', { policy: onlyAda })).toMatchObject({ code: 500 });
    expect(ran).toHaveLength(3);
  });
});

const WEAK = 'insufficient_user_authentication';
const weak = { code: 401, data: { error: WEAK, acr_values: 'urn:a', max_age: 60 } };
const old = { code: 401, data: { error: WEAK, max_age: 60 } };

beforeEach(() => {
  ran.length = 0;
});

describe('a local call of a tool with @RequireAuthentication()', () => {
  verifies('STP-07', 'is denied over stdio, whatever the option says', async () => {
    const none = { code: 401, data: { error: 'missing_token' } };
    expect(await call('stdio', undefined, 'again')).toEqual(none);
    expect(await call('stdio', 'allow', 'again')).toEqual(none);
    expect(await call('stdio', { subject: 'eve', scopes: ['notes:pay'] }, 'again')).toEqual(old);
    expect(await call('stdio', { subject: 'eve', scopes: [] }, 'pay')).toEqual(weak);
    expect(ran).toEqual([]);
  });

  verifies('STP-07', 'is decided by the claims of a caller that the transport supplies', async () => {
    const supplied = (claims: object, scopes = CALLER.scopes) => ({ ...CALLER, scopes, claims });
    const good = { acr: 'urn:a', auth_time: SECONDS - 60 };
    expect(await call('in-memory', 'deny', 'pay', supplied(good))).toBe('paid');
    expect(await call('in-memory', 'deny', 'pay', supplied({ ...good, auth_time: SECONDS - 61 }))).toEqual(
      weak,
    );
    expect(await call('in-memory', 'deny', 'pay', supplied({ ...good, acr: 'urn:A' }))).toEqual(weak);
    expect(await call('in-memory', 'deny', 'pay', supplied({}, []))).toEqual(weak);
    expect(await call('in-memory', 'deny', 'pay', CALLER)).toEqual(weak);
    expect(await call('in-memory', 'deny', 'pay', supplied(good, []))).toEqual({
      code: 403,
      data: { error: 'insufficient_scope', scope: 'notes:pay' },
    });
    expect(ran).toEqual(['pay']);
  });
});
