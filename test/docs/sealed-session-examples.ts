import type { McpAuthModuleOptions } from 'nestjs-mcp-auth';

//#region secrets
/** `SESSION_SECRET` is 32 random bytes, the same in all processes: openssl rand -base64 32 */
export function optionsFrom(env: NodeJS.ProcessEnv): McpAuthModuleOptions {
  const { SESSION_SECRET: current = '', OTHER_SESSION_SECRET: other } = env;
  return {
    resources: {
      resource: 'https://api.example.com/notes',
      authorizationServers: [env['ISSUER'] ?? ''],
    },
    sessionBinding: { secrets: other === undefined ? [current] : [current, other] },
  };
}
//#endregion secrets
