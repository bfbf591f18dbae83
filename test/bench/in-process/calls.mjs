import { BearerAuthGuard } from 'nestjs-mcp-auth';

/** What a guard sees of one request, and no more. */
export function contextOf(request, controller, response = new Answer()) {
  const http = { getRequest: () => request, getResponse: () => response, getNext: () => undefined };
  return {
    getType: () => 'http',
    getClass: () => controller,
    getHandler: () => controller.prototype.list,
    getArgs: () => [request, response],
    getArgByIndex: (index) => [request, response][index],
    switchToHttp: () => http,
  };
}

/** A response as Express would hand it on, another each time: of Node's response, what is looked at before it is written. */
class Answer {
  headersSent = false;
  writableEnded = false;
  closed = false;
  ended = undefined;

  on(event, listener) {
    if (event === 'close') this.ended = listener;
    return this;
  }

  setHeader() {}

  set() {
    return this;
  }

  status() {
    return this;
  }

  json() {
    return this;
  }

  /** What Node does once the answer has been sent. */
  close() {
    this.ended?.call(this);
  }
}

/** A request as Express would hand it on, another each time. */
export function requestWith(token, body) {
  const authorization = `Bearer ${token}`;
  return {
    method: body === undefined ? 'GET' : 'POST',
    body,
    url: '/notes',
    originalUrl: '/notes',
    headers: { host: 'api.example.com', authorization },
    rawHeaders: ['Host', 'api.example.com', 'Authorization', authorization],
  };
}

/** One decision of the guard of an application. @param bodyOf - makes the body of the next request from its number */
export function guardCall(app, controller, bodyOf) {
  return callOf(app.get(BearerAuthGuard, { strict: false }), controller, bodyOf);
}

/** One decision of a guard. */
export function callOf(guard, controller, bodyOf = () => undefined) {
  let count = 0;
  return async (token) => {
    const response = new Answer();
    const request = requestWith(token, bodyOf((count += 1)));
    if ((await guard.canActivate(contextOf(request, controller, response))) !== true)
      throw new Error('rejected');
    response.close();
  };
}

/** One decision of an Express middleware. */
export function middlewareCall(middleware) {
  return async (token) => {
    const response = new Answer();
    let isAdmitted = false;
    await middleware(requestWith(token), response, () => {
      isAdmitted = true;
    });
    if (!isAdmitted) throw new Error('rejected');
    response.close();
  };
}
