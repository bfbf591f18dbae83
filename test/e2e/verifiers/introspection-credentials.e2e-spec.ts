import { describe, expect } from 'vitest';
import type { IntrospectionOptions } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { RecordingLogger } from '../../fixtures/app.js';
import { startNotes } from '../../fixtures/notes-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const SECRET = 'rs-secret';

/** A server that compares credentials as sent: the percent-encoding of RFC 6749 section 2.3.1 stays in them. */
async function careless(): Promise<TestAuthorizationServer> {
  const as = closeAfterTest(await TestAuthorizationServer.start());
  const right = `Basic ${Buffer.from(`rs:${SECRET}`).toString('base64')}`;
  as.serve('/introspect', ({ headers }, response, body) => {
    const form = new URLSearchParams(body);
    const isRight = headers.authorization === right || form.get('client_secret') === SECRET;
    const answer = { active: true, sub: 'u', client_id: 'c', aud: NOTES };
    response
      .writeHead(isRight ? 200 : 401)
      .end(JSON.stringify(isRight ? answer : { error: 'invalid_client' }));
  });
  return as;
}

describe('introspection credentials that the server rejects', () => {
  verifies('WAY-29', 'are logged with the fix for a server that does not decode them', async () => {
    const as = await careless();
    const log = new RecordingLogger();
    const ask = async (introspection: Partial<IntrospectionOptions>): Promise<number> => {
      log.errors.length = 0;
      const client: IntrospectionOptions = { clientId: 'rs', clientSecret: SECRET, ...introspection };
      const servers = [{ issuer: as.issuer, mode: 'introspection', introspection: client }] as const;
      const app = await startNotes({ resources: { resource: NOTES, authorizationServers: servers } }, log);
      return (await app.send('/notes', { headers: { authorization: 'Bearer opaque' } })).status;
    };
    const rejected = (method: string): string =>
      `${as.issuer} answers 401 to introspection by the client "rs" with ${method}; ` +
      'check "clientId" and the credentials of the option "introspection"';
    const wayOut =
      '. If they are right, the server may not decode the percent-encoding of HTTP Basic: ' +
      'set "authMethod" to "client_secret_post"';
    expect(await ask({})).toBe(503);
    expect(log.errors).toEqual([rejected('client_secret_basic') + wayOut]);
    expect(await ask({ authMethod: 'client_secret_post' })).toBe(200);
    expect(log.errors).toEqual([]);
    // By this method nothing is encoded, so the secret is wrong.
    expect(await ask({ authMethod: 'client_secret_post', clientSecret: 'wrong-secret' })).toBe(503);
    expect(log.errors).toEqual([rejected('client_secret_post')]);
    // Whatever the secret is: nothing of it is told.
    expect(await ask({ clientSecret: 'wrong' })).toBe(503);
    expect(log.errors).toEqual([rejected('client_secret_basic') + wayOut]);
  });
});
