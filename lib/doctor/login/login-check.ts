import { escapeForLog } from '../../events/escape-for-log.js';
import type { LoginOptions } from '../arguments.js';
import type { Check, DoctorContext } from '../context.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { docs, MCP_AUTHORIZATION, MCP_HTTP, rfc } from '../links.js';
import { describeTools, toolsIn } from '../tools.js';
import { clientFetch } from './client-fetch.js';
import { LoginProvider } from './login-provider.js';
import { LoginSession } from './login-session.js';
import { LoopbackCallback } from './loopback-callback.js';
import { loadOfficialClient, type OfficialClient } from './official-client.js';
import { openBrowser } from './open-browser.js';

/** How long a person may take to sign in. Unit: milliseconds. */
const PERSON_MS = 300_000;

/** @internal */
export const LOGIN_FINDINGS = {
  client_missing: {
    severity: 'error',
    title: 'The official client is not installed',
    cure: 'Run: npm install --save-dev @modelcontextprotocol/client',
    link: docs('operations/doctor.md#sign-in'),
  },
  login_failed: {
    severity: 'error',
    title: 'The official client could not sign in',
    cure: 'See the errors above. The log of the authorization server has the rest.',
    link: docs('operations/doctor.md#sign-in'),
  },
  tool_failed: {
    severity: 'error',
    title: 'The call of the tool failed',
    cure: 'Compare the name and the arguments with the list. A rejection names what is missing.',
    link: docs('guides/scopes.md#step-up'),
  },
} as const;

const finding = findingsOf(LOGIN_FINDINGS);

/**
 * Signs in with the official client, lists tools, and calls one.
 *
 * @param show - prints the address that the person opens
 * @internal
 */
export function loginCheck(options: LoginOptions, show: (text: string) => void): Check {
  return {
    id: 'login',
    title: 'Sign-in',
    async run(context) {
      const client = await loadOfficialClient(process.cwd());
      return client ? signIn(client, context, options, show) : [finding('client_missing')];
    },
  };
}

async function signIn(
  client: OfficialClient,
  context: DoctorContext,
  options: LoginOptions,
  show: (text: string) => void,
): Promise<readonly Finding[]> {
  const callback = await LoopbackCallback.listen(options.callbackPort).catch(() => undefined);
  if (!callback) return [finding('login_failed', { found: `port ${String(options.callbackPort)} is taken` })];
  let opened = 0;
  const browse = (url: URL, state: string): Promise<URLSearchParams> => {
    const answer = callback.answerTo(state, PERSON_MS);
    show(`  ${opened > 0 ? 'The tool needs more scopes. ' : ''}Open this in your browser:\n  ${url.href}\n`);
    opened += 1;
    if (options.opensBrowser) openBrowser(url);
    return answer;
  };
  const provider = new LoginProvider(callback.redirectUrl, browse, options, context.facts.servers[0]?.issuer);
  const session = new LoginSession(client, context.target, provider, clientFetch(context.http));
  try {
    return [...(await connect(session, context)), ...(await call(session, options, provider.secrets))];
  } catch (error) {
    return [finding('login_failed', { found: messageOf(error, provider.secrets) })];
  } finally {
    await session.close();
    callback.close();
  }
}

async function connect(session: LoginSession, { facts }: DoctorContext): Promise<readonly Finding[]> {
  await session.connect();
  const tools = toolsIn(await session.listTools()) ?? [];
  facts.tools = tools;
  return [
    ok('login', 'Signed in, and the server answers', MCP_AUTHORIZATION, { found: session.grantedScopes }),
    ...describeTools(tools),
  ];
}

async function call(
  session: LoginSession,
  options: LoginOptions,
  secrets: () => readonly string[],
): Promise<readonly Finding[]> {
  if (!options.call) return [];
  const { tool, arguments: args } = options.call;
  const before = session.signIns;
  try {
    const text = await session.callTool(tool, args);
    const steppedUp = session.signIns > before;
    return [
      ...(steppedUp ? [ok('step_up', 'Stepped up', rfc(6750, '3.1'), { found: session.grantedScopes })] : []),
      ok('tool_called', 'The tool answered', MCP_HTTP, {
        subject: tool,
        found: escapeForLog(text, secrets()),
      }),
    ];
  } catch (error) {
    return [finding('tool_failed', { subject: tool, found: messageOf(error, secrets) })];
  }
}

function messageOf(error: unknown, secrets: () => readonly string[]): string {
  return escapeForLog(error instanceof Error ? error.message : typeof error, secrets());
}
