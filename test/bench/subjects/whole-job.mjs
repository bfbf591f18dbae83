import { AsyncLocalStorage } from 'node:async_hooks';
import { ForbiddenException, UseGuards } from '@nestjs/common';
import { SCOPE } from '../support/tokens.mjs';
import { TOOL, TOOL_SCOPE } from '../support/tool-call.mjs';
import { leastVerifier, tokenOf } from './least.verifier.mjs';

const NEEDED = new Map([[TOOL, [SCOPE, TOOL_SCOPE]]]);

/**
 * The least code that does the whole job for one tool, and can do no other: Origin, a kept token, scopes of the call in the
 * body, the caller for services that no request is passed to, the end of the response, and the scopes again on the tool. It
 * makes no challenge and no event, and knows one resource.
 */
export function wholeJob(settings) {
  const verify = leastVerifier(settings);
  const callers = new AsyncLocalStorage();
  const open = new Set();
  const admit = (request, response, caller, claims) => {
    caller.scopes = claims.scope.split(' ');
    const { method, params } = request.body;
    const needed = method === 'tools/call' ? NEEDED.get(params.name) : [SCOPE];
    if (!needed.every((scope) => caller.scopes.includes(scope))) throw new ForbiddenException();
    open.add(caller);
    response.once('close', () => open.delete(caller));
    request.auth = caller;
    return true;
  };
  return {
    middleware: (request, response, next) => {
      callers.run({ scopes: undefined, expiresAt: 0 }, next);
    },
    guard: {
      canActivate: (context) => {
        const http = context.switchToHttp();
        const request = http.getRequest();
        const response = http.getResponse();
        if (request.headers.origin !== undefined) throw new ForbiddenException();
        const claims = verify(tokenOf(request));
        const caller = callers.getStore();
        if (claims instanceof Promise)
          return claims.then((verified) => admit(request, response, caller, verified));
        return admit(request, response, caller, claims);
      },
    },
    toolDecorators: [
      UseGuards({ canActivate: () => callers.getStore()?.scopes?.includes(TOOL_SCOPE) === true }),
    ],
  };
}
