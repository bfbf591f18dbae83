import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';

const resource = 'https://api.example.com/notes';
const authorizationServers: ProtectedResourceOptions['authorizationServers'] = [
  { metadata: { issuer: 'https://auth.example.com' }, jwks: { keys: [] }, mcpCompliance: 'off' },
];

//#region direct
export const direct: ProtectedResourceOptions = {
  resource,
  authorizationServers,
  mutualTls: true,
};

/** For NestFactory.create(AppModule, { httpsOptions }) on Express, or new FastifyAdapter({ https: httpsOptions }). */
export const httpsOptions = {
  // cert and key of the server, and
  requestCert: true,
  // Without a certificate, or with a self-signed one, a client still connects. The package decides on its token.
  rejectUnauthorized: false,
};
//#endregion direct

//#region proxy
export const behindProxy: ProtectedResourceOptions = {
  resource,
  authorizationServers,
  mutualTls: {
    required: true,
    certificateHeader: {
      name: 'X-Client-Cert',
      format: 'url-encoded-pem',
      trustedProxies: ['10.0.3.0/24', 'fd00:3::7'],
    },
  },
};
//#endregion proxy
