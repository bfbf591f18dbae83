import { UseGuards } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { beforeEach, describe, expect } from 'vitest';
import { BearerAuthGuard, type McpAuthModuleOptions, RequireScopes } from 'nestjs-mcp-auth';
import { inMemoryServer, startWithoutHttp, type TransportKind } from '../../fixtures/in-memory.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const ran: string[] = [];

const allowedClients = { clientIds: ['cli'], origins: ['https://good.example'] };

beforeEach(() => {
  ran.length = 0;
});

@McpController()
@UseGuards(BearerAuthGuard)
class LocalTools {
  @Tool({ name: 'list', description: 'List' })
  list() {
    ran.push('list');
    return { content: [{ type: 'text' as const, text: 'listed' }] };
  }

  @Tool({ name: 'write', description: 'Write' })
  @RequireScopes('notes:write')
  write() {
    ran.push('write');
    return { content: [{ type: 'text' as const, text: 'written' }] };
  }
}

/** What a call of a tool gives: its text, or code and data of the error. */
async function call(
  kind: TransportKind,
  stdio: McpAuthModuleOptions['stdio'],
  name: string,
  authInfo?: object,
): Promise<unknown> {
  const server = inMemoryServer(kind);
  const resources = { resource: NOTES, authorizationServers: ['https://nowhere.invalid'], allowedClients };
  await startWithoutHttp({ resources, ...(stdio && { stdio }) }, { controllers: [LocalTools] }, server);
  const client = await server.connect(authInfo);
  try {
    const { content } = await client.callTool({ name, arguments: {} });
    return content[0]?.type === 'text' ? content[0].text : content;
  } catch (error) {
    const { code, data } = error as { code: number; data: unknown };
    return { code, data };
  }
}

describe('allowedClients of a local call', () => {
  const refused = { code: 403, data: { error: 'access_denied' } };

  verifies('CRL-07', 'holds for the caller of the option "stdio"', async () => {
    const caller = { subject: 'ada', clientId: 'cli', scopes: ['notes:write'] };
    expect(await call('stdio', caller, 'write')).toBe('written');
    expect(await call('stdio', { ...caller, clientId: 'https://good.example/c' }, 'list')).toBe('listed');
    for (const clientId of ['other', 'cli/'])
      for (const scopes of [[], ['notes:write']])
        expect(await call('stdio', { ...caller, clientId, scopes }, 'write')).toEqual(refused);
    expect(await call('stdio', { subject: 'ada', scopes: [] }, 'list')).toEqual(refused);
    expect(ran).toEqual(['write', 'list']);
    // Without a caller there is no client: the option lets everything run.
    expect(await call('stdio', 'allow', 'list')).toBe('listed');
  });

  verifies('CRL-07', 'holds for callers that a transport supplies', async () => {
    const supplied = { token: 't', clientId: 'cli', subject: 'ada', scopes: ['notes:write'] };
    expect(await call('in-memory', 'deny', 'write', supplied)).toBe('written');
    expect(await call('in-memory', 'deny', 'write', { ...supplied, clientId: 'other' })).toEqual(refused);
    expect(await call('in-memory', 'deny', 'write', { ...supplied, clientId: ['cli'] })).toEqual(refused);
    expect(await call('in-memory', 'allow', 'list', { ...supplied, clientId: '' })).toEqual(refused);
    expect(ran).toEqual(['write']);
  });
});
