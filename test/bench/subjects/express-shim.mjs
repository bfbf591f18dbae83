import { Buffer } from 'node:buffer';

/**
 * Lets Express middleware run on Fastify's Node request and response: the few members of Express that the
 * measured packages use. Without it they could not be measured there at all.
 */
export function onNodeResponse(middleware) {
  return (request, response, next) => {
    request.protocol = 'http';
    request.query = {};
    request.is = () => false;
    request.get = (name) => request.headers[name.toLowerCase()];
    response.set = (name, value) => response.setHeader(name, value);
    response.status = (status) => Object.assign(response, { statusCode: status });
    response.json = (body) => {
      const text = JSON.stringify(body);
      response.setHeader('content-type', 'application/json; charset=utf-8');
      response.setHeader('content-length', Buffer.byteLength(text));
      response.end(text);
    };
    return middleware(request, response, next);
  };
}
