import { requireBearerAuth } from '@modelcontextprotocol/express';
import { OAuthError, OAuthErrorCode } from '@modelcontextprotocol/server';
import { auth } from 'express-oauth2-jwt-bearer';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { fetchServerConfig, MCPAuth } from 'mcp-auth';
import { RESOURCE, SCOPE } from '../support/tokens.mjs';

/** mcp-auth 0.2.0 as its documentation shows it, with its metadata fetched at start and the audience checked. */
export async function mcpAuth({ issuer }) {
  const server = await fetchServerConfig(issuer, { type: 'oauth' });
  const instance = new MCPAuth({
    protectedResources: [
      { metadata: { resource: RESOURCE, authorizationServers: [server], scopesSupported: [SCOPE] } },
    ],
  });
  return instance.bearerAuth('jwt', { resource: RESOURCE, audience: RESOURCE, requiredScopes: [SCOPE] });
}

/** The official SDK's middleware with the plain verifier that everybody writes for it. */
export function sdk({ issuer, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const verifier = {
    verifyAccessToken: async (token) => {
      const payload = await verified(token, keys, issuer);
      return {
        token,
        clientId: payload.client_id,
        scopes: payload.scope.split(' '),
        expiresAt: payload.exp,
        resource: new URL(payload.aud),
      };
    },
  };
  return requireBearerAuth({
    verifier,
    requiredScopes: [SCOPE],
    expectedResource: new URL(RESOURCE),
    resourceMetadataUrl: 'https://api.example.com/.well-known/oauth-protected-resource/notes',
  });
}

async function verified(token, keys, issuer) {
  try {
    return (await jwtVerify(token, keys, { issuer, audience: RESOURCE })).payload;
  } catch (cause) {
    throw new OAuthError(OAuthErrorCode.InvalidToken, 'The access token is invalid', { cause });
  }
}

/** Auth0's middleware. Its errors are answered as Express would: Nest has no filter for them and says 500. */
export function auth0({ issuer, jwksUri }) {
  const middleware = auth({ issuer, jwksUri, audience: RESOURCE, tokenSigningAlg: 'RS256' });
  return (request, response, next) =>
    middleware(request, response, (error) => {
      if (error === undefined) {
        next();
        return;
      }
      for (const [name, value] of Object.entries(error.headers)) response.set(name, value);
      response.status(error.statusCode).json({ message: error.message });
    });
}
