import 'reflect-metadata';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { BearerAuthGuard, McpAuthModule } from 'nestjs-mcp-auth';
import { RESOURCE, SCOPE } from '../support/tokens.mjs';
import { decorate } from './decorate.mjs';
import { leastGuard } from './least.guard.mjs';
import { naiveGuard } from './naive.guard.mjs';
import { AdmittingGuard, RejectingGuard } from './unseeing.guards.mjs';
import { auth0, mcpAuth, sdk } from './peers.mjs';

/** What stands before the same route. */
const PARTS = {
  bare: () => ({}),
  admitting: () => ({ guard: AdmittingGuard }),
  rejecting: () => ({ guard: RejectingGuard }),
  least: (settings) => ({ guard: leastGuard(settings) }),
  guard: (settings) => guarded(moduleOptions(settings)),
  early: (settings) => guarded({ ...moduleOptions(settings), earlyAuthentication: true }),
  'mcp-auth': async (settings) => ({ middleware: await mcpAuth(settings) }),
  sdk: (settings) => ({ middleware: sdk(settings) }),
  auth0: (settings) => ({ middleware: auth0(settings) }),
  naive: (settings) => ({ guard: naiveGuard(settings) }),
};

/** A module with the route `GET /notes` behind a subject, and the middleware that goes before it, if any. */
export async function subjectModule(settings) {
  const { imports = [], guard, middleware } = await PARTS[settings.subject](settings);
  class NotesController {
    list() {
      return { notes: [] };
    }
  }
  decorate(NotesController, [Controller('notes'), ...(guard ? [UseGuards(guard)] : [])], { list: [Get()] });
  function BenchModule() {}
  decorate(BenchModule, [Module({ imports, controllers: [NotesController] })]);
  return { module: BenchModule, middleware };
}

function guarded(options) {
  return { imports: [McpAuthModule.forRoot(options)], guard: BearerAuthGuard };
}

function moduleOptions({ issuer, server = {} }) {
  return {
    resources: {
      resource: RESOURCE,
      authorizationServers: [{ issuer, type: 'oauth', ...server }],
      requiredScopes: [SCOPE],
    },
  };
}
