import type { Step } from './step.js';

type Document = Record<string, unknown>;

/** What a reader of the trace should take from one exchange, in a few words. Shows no code and no token. */
export async function learntFrom(step: Step, response: Response): Promise<string> {
  if (step.challenge !== '') return step.challenge.replace(/, error_description=.*/, '');
  const type = response.headers.get('content-type') ?? '';
  if (response.status >= 300 && response.status < 400) return redirectLearnt(step, response);
  if (type.includes('text/html')) return pageLearnt(await response.text());
  const document = type.includes('json') ? ((await response.json()) as Document) : {};
  return documentLearnt(step, document);
}

function redirectLearnt({ method, url }: Step, response: Response): string {
  const location = new URL(response.headers.get('location') ?? '', url);
  if (location.searchParams.has('code')) return 'back to the client with a code, state and iss';
  if (method === 'GET' && url.searchParams.has('code_challenge')) {
    return `authorization request for ${url.searchParams.get('scope') ?? 'no scope'}, with PKCE`;
  }
  return 'goes on';
}

function pageLearnt(html: string): string {
  return html.includes('type="password"') ? 'a login page' : 'a consent page';
}

function documentLearnt({ url, body }: Step, document: Document): string {
  if (Array.isArray(document['authorization_servers'])) {
    return `authorization server: ${document['authorization_servers'].join(', ')}`;
  }
  if (typeof document['authorization_endpoint'] === 'string')
    return 'where to register, log in and get tokens';
  if (typeof document['client_id'] === 'string') return 'registered as a public client';
  if (typeof document['access_token'] === 'string') {
    const grant = new URLSearchParams(body).get('grant_type') ?? '';
    return `${grant}: an access token for ${String(document['scope'])}`;
  }
  return messageLearnt(body) ?? url.pathname;
}

function messageLearnt(body: string): string | undefined {
  if (!body.startsWith('{')) return undefined;
  const { method, params } = JSON.parse(body) as { method?: string; params?: { name?: string } };
  return [method, params?.name].filter((part) => part !== undefined).join(' ');
}
