import { readEnvironment } from './environment.js';
import { startAuthorizationServer } from './start.js';

try {
  const settings = readEnvironment(process.env);
  const server = await startAuthorizationServer(settings);
  console.log(`Authorization server (development and tests only): ${server.issuer}`);
  console.log(
    settings.passwordIsDefault
      ? `Sign in as "${settings.username}" with the default password "${settings.password}" (AS_USERNAME and AS_PASSWORD change this).`
      : `Sign in as "${settings.username}" with the password from AS_PASSWORD.`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
