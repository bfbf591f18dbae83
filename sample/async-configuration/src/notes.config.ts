import { registerAs } from '@nestjs/config';
import { z } from 'zod';

//#region environment
const wholeNumber = z.string().regex(/^\d+$/, 'must be a whole number');

/** What this server reads from its environment. What a URL must be like is left to McpAuthModule. */
const Environment = z.object({
  MCP_RESOURCE: z.string('is missing').min(1, 'is empty'),
  MCP_ISSUER: z.string('is missing').min(1, 'is empty'),
  MCP_ALLOWED_ORIGINS: z.string().default(''),
  MCP_CLOCK_TOLERANCE_SECONDS: wholeNumber.default('5'),
  PORT: wholeNumber.default('3000'),
});

/** The settings by their names in this application. @throws Error that names every variable that is wrong, and no value */
export const notesConfig = registerAs('notes', () => {
  const { data, error } = Environment.safeParse(process.env);
  if (error) {
    const problems = error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`);
    throw new Error(['The environment is not as it should be:', ...problems].join('\n'));
  }
  return {
    resource: data.MCP_RESOURCE,
    issuer: data.MCP_ISSUER,
    allowedOrigins: data.MCP_ALLOWED_ORIGINS.split(/[\s,]+/).filter((origin) => origin !== ''),
    clockToleranceSeconds: Number(data.MCP_CLOCK_TOLERANCE_SECONDS),
    port: Number(data.PORT),
  };
});
//#endregion environment
