import { AsyncLocalStorage } from 'node:async_hooks';

const OTHERS = new Set(['/notes']);

/** The least that lets services ask for the request, and finds that its path is none of its business. */
export function enteringHook() {
  const requests = new AsyncLocalStorage();
  return (request, take, next) => {
    requests.run(request, () => {
      if (OTHERS.has(request.url)) next();
      else take().writeHead(401).end();
    });
  };
}

const CHALLENGE =
  'Bearer scope="notes:read", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/notes"';
const BODY = JSON.stringify({ error: 'unauthorized', error_description: 'An access token is required' });
const HEADERS = {
  'cache-control': 'no-store',
  'content-type': 'application/json; charset=utf-8',
  'content-length': String(BODY.length),
  'www-authenticate': CHALLENGE,
};

/** The least that answers as for a missing token, whatever the request. */
export function refusingHook(_request, take) {
  take().writeHead(401, HEADERS).end(BODY);
}

/**
 * Puts a hook before all else that a platform does.
 *
 * @param hook - gets Node's request, a function that takes the response out of the platform's hands, and what goes on
 */
export function addHook(adapter, hook) {
  if (adapter.getType() === 'express') {
    adapter.use((request, response, next) => hook(request, () => response, next));
    return;
  }
  adapter.getInstance().addHook('onRequest', (request, reply, next) => {
    hook(request.raw, () => (reply.hijack(), reply.raw), next);
  });
}
