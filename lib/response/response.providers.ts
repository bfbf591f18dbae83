import type { Provider } from '@nestjs/common';
import { AccessGrants } from './access-grants.js';
import { ResponseInterceptors } from './response-interceptors.js';
import { McpAuthStreams } from './mcp-auth-streams.js';
import { ListPolicy } from './list-policy.js';
import { ListPreview } from './list-preview.js';
import { SessionBinding } from './session-binding.js';
import { StepUps } from './step-up.js';
import { StreamExpiry } from './stream-expiry.js';
import { ToolSecurity } from './tool-security.js';

/** The providers that intercept responses of authorized requests. @internal */
export const RESPONSE_PROVIDERS: readonly Provider[] = [
  ResponseInterceptors,
  AccessGrants,
  SessionBinding,
  ListPolicy,
  ListPreview,
  StepUps,
  StreamExpiry,
  McpAuthStreams,
  ToolSecurity,
];
