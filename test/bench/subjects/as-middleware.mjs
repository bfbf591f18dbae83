/** A guard as a middleware of Express: for routes that Nest does not know of. */
export function asMiddleware(guard) {
  return async (request, response, next) => {
    try {
      await guard.canActivate({ switchToHttp: () => ({ getRequest: () => request }) });
    } catch (error) {
      response.status(error.getStatus()).json(error.getResponse());
      return;
    }
    next();
  };
}
