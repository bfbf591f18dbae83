import { UseGuards } from '@nestjs/common';
import { BearerAuthGuard, McpAuthModule, SkipBearerAuth } from 'nestjs-mcp-auth';
import { PROOF_MAX_AGE_SECONDS } from '../support/proofs.mjs';
import { RESOURCE, SCOPE } from '../support/tokens.mjs';
import { leastDpopGuard } from './least-dpop.guard.mjs';
import { leastGuard } from './least.guard.mjs';
import { naiveGuard } from './naive.guard.mjs';
import { AdmittingGuard, RejectingGuard } from './unseeing.guards.mjs';
import { enteringHook, refusingHook } from './unseeing.hooks.mjs';
import { auth0, mcpAuth, sdk } from './peers.mjs';
import { wholeJob } from './whole-job.mjs';

/** Longer than by default: proofs are made before the measurement. */
const REQUIRED = { dpop: { mode: 'required', proofMaxAgeSeconds: PROOF_MAX_AGE_SECONDS } };

const OTHER_RESOURCE = 'https://api.example.com/other';

/**
 * What stands before the same handler: a guard, a middleware, a hook of the platform, decorators of the controller, imports of the
 * module. The whole job also has decorators of the tool.
 */
const PARTS = {
  bare: () => ({}),
  imported: (settings) => ({
    imports: [McpAuthModule.forRoot(moduleOptions(settings))],
    decorators: [SkipBearerAuth()],
  }),
  uncovered: (settings) => ({ imports: [McpAuthModule.forRoot(moduleOptions(settings, OTHER_RESOURCE))] }),
  admitting: () => ({ guard: AdmittingGuard }),
  rejecting: () => ({ guard: RejectingGuard }),
  entering: () => ({ hook: enteringHook() }),
  refusing: () => ({ hook: refusingHook }),
  least: (settings) => ({ guard: leastGuard(settings) }),
  'least-dpop': (settings) => ({ guard: leastDpopGuard(settings) }),
  'whole-job': wholeJob,
  guard: (settings) => guarded(moduleOptions(settings)),
  dpop: (settings) => guarded(moduleOptions(settings, RESOURCE, REQUIRED)),
  early: (settings) => guarded({ ...moduleOptions(settings), earlyAuthentication: true }),
  'mcp-auth': async (settings) => ({ middleware: await mcpAuth(settings) }),
  sdk: (settings) => ({ middleware: sdk(settings) }),
  auth0: (settings) => ({ middleware: auth0(settings) }),
  naive: (settings) => ({ guard: naiveGuard(settings) }),
};

/** The parts of a subject by name. */
export async function partsOf(settings) {
  return { imports: [], decorators: [], toolDecorators: [], ...(await PARTS[settings.subject](settings)) };
}

/** The decorators of a controller with those parts. */
export function controllerDecorators({ guard, decorators }) {
  return [...decorators, ...(guard ? [UseGuards(guard)] : [])];
}

function guarded(options) {
  return { imports: [McpAuthModule.forRoot(options)], guard: BearerAuthGuard };
}

function moduleOptions({ issuer, server = {} }, resource = RESOURCE, more = {}) {
  return {
    resources: {
      resource,
      authorizationServers: [{ issuer, type: 'oauth', ...server }],
      requiredScopes: [SCOPE],
      ...more,
    },
  };
}
