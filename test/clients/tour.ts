import { type Deployment, type Registration, type Visit, visit } from './place.js';
import type { ClientProgram, ListedTool } from './programs.js';

/** One call of a tool by a program, and what the servers saw of it. */
export interface Call {
  /** What the tool said, or `failed`. */
  readonly text: string;
  /** What the program said of a call that failed. */
  readonly message?: string;
  /** The scopes of the authorization requests that the person granted on the way. */
  readonly authorized: readonly string[];
  readonly refreshes: number;
}

/** What a program does at a protected server. */
export interface Tour {
  /** The clients that registered themselves. */
  readonly registered: readonly string[];
  /** The client IDs that came to the token endpoint. */
  readonly clientIds: readonly string[];
  /** Whether any request to the token endpoint had a DPoP proof. */
  readonly hasProof: boolean;
  /** The sessions of the requests after the sign-in, each once. */
  readonly sessions: readonly string[];
  /** A first call, of a tool that needs no more than the resource does. */
  readonly signIn: Call;
  /** The tools that the program lists. */
  readonly tools: readonly ListedTool[];
  /** The same call after the token went bad. */
  readonly refresh: Call;
  /** A call that needs a scope that no metadata names. */
  readonly stepUp: Call;
  /** The first tool again. */
  readonly afterwards: Call;
}

/** Starts both servers and a program, and makes it sign in, refresh and step up. */
export async function tour(program: ClientProgram, deployment: Deployment): Promise<Tour> {
  const visiting = await visit(program, deployment);
  const { server, sessions } = visiting;
  try {
    const signIn = await call(visiting, 'list', 0);
    const tools = await visiting.program.list();
    const requests = sessions.length;
    visiting.revoke();
    const refresh = await call(visiting, 'list');
    const stepUp = await call(visiting, 'purge');
    const afterwards = await call(visiting, 'list');
    const later = [...new Set(sessions.slice(requests))];
    return { ...registrationOf(server), sessions: later, signIn, tools, refresh, stepUp, afterwards };
  } finally {
    await visiting.close();
  }
}

/** Starts both servers and a program, and makes it sign in as a client that did not register itself. */
export async function signInOnly(
  program: ClientProgram,
  deployment: Deployment,
  registration: Registration,
): Promise<Pick<Tour, 'registered' | 'clientIds' | 'signIn'>> {
  const visiting = await visit(program, deployment, registration);
  try {
    const first = await call(visiting, 'list', 0);
    return { ...registrationOf(visiting.server), signIn: first };
  } finally {
    await visiting.close();
  }
}

/** @param authorized - the authorization requests that came before; 0 counts those of the start of the program too */
async function call(
  { program, server }: Visit,
  tool: string,
  authorized = server.authorized.length,
): Promise<Call> {
  const requested = server.tokenRequests.length;
  const outcome = await program.call(tool).then(
    (text) => ({ text }),
    (error: unknown) => ({ text: 'failed', message: (error as Error).message }),
  );
  const requests = server.tokenRequests.slice(requested);
  return {
    ...outcome,
    authorized: server.authorized.slice(authorized),
    refreshes: requests.filter(({ grantType }) => grantType === 'refresh_token').length,
  };
}

function registrationOf({ registered, tokenRequests }: Visit['server']) {
  return {
    registered: [...registered],
    clientIds: [...new Set(tokenRequests.map(({ clientId }) => clientId))],
    hasProof: tokenRequests.some(({ hasProof }) => hasProof),
  };
}
