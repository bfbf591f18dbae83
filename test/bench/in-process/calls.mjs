import { BearerAuthGuard } from 'nestjs-mcp-auth';

/** What a guard sees of one request, and no more. */
export function contextOf(request, controller) {
  const http = { getRequest: () => request, getResponse: () => RESPONSE, getNext: () => undefined };
  return {
    getType: () => 'http',
    getClass: () => controller,
    getHandler: () => controller.prototype.list,
    getArgs: () => [request, RESPONSE],
    getArgByIndex: (index) => [request, RESPONSE][index],
    switchToHttp: () => http,
  };
}

const RESPONSE = {
  setHeader: () => undefined,
  set: () => RESPONSE,
  status: () => RESPONSE,
  json: () => RESPONSE,
};

/** A request as Express would hand it on, another each time. */
export function requestWith(token) {
  const authorization = `Bearer ${token}`;
  return {
    method: 'GET',
    url: '/notes',
    originalUrl: '/notes',
    headers: { host: 'api.example.com', authorization },
    rawHeaders: ['Host', 'api.example.com', 'Authorization', authorization],
  };
}

/** One decision of the guard of an application. */
export function guardCall(app, controller) {
  const guard = app.get(BearerAuthGuard, { strict: false });
  return async (token) => {
    if ((await guard.canActivate(contextOf(requestWith(token), controller))) !== true)
      throw new Error('refused');
  };
}

/** One decision of an Express middleware. */
export function middlewareCall(middleware) {
  return async (token) => {
    let isAdmitted = false;
    await middleware(requestWith(token), RESPONSE, () => {
      isAdmitted = true;
    });
    if (!isAdmitted) throw new Error('refused');
  };
}
