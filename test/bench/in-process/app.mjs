import 'reflect-metadata';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BearerAuthGuard, McpAuthModule, ProtectedResource } from 'nestjs-mcp-auth';
import { decorate } from '../subjects/decorate.mjs';

/** A controller with one guarded route, for a resource by name or for the only one. */
export function guardedController(name) {
  class NotesController {
    list() {
      return { notes: [] };
    }
  }
  const resource = name === undefined ? [] : [ProtectedResource(name)];
  return decorate(NotesController, [Controller('notes'), UseGuards(BearerAuthGuard), ...resource], {
    list: [Get()],
  });
}

/** A real application, ready and not listening. */
export async function makeApp(resources, controllers) {
  function BenchModule() {}
  decorate(BenchModule, [Module({ imports: [McpAuthModule.forRoot({ resources })], controllers })]);
  const app = await NestFactory.create(BenchModule, { logger: false, abortOnError: false });
  await app.init();
  return app;
}
