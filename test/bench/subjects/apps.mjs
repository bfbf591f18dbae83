import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { decorate } from './decorate.mjs';
import { controllerDecorators, partsOf } from './parts.mjs';

/** A module with the route `GET /notes` behind a subject, and the middleware or hook that goes before it, if any. */
export async function subjectModule(settings) {
  const parts = await partsOf(settings);
  class NotesController {
    list() {
      return { notes: [] };
    }
  }
  decorate(NotesController, [Controller('notes'), ...controllerDecorators(parts)], { list: [Get()] });
  function BenchModule() {}
  decorate(BenchModule, [Module({ imports: parts.imports, controllers: [NotesController] })]);
  return { module: BenchModule, middleware: parts.middleware, hook: parts.hook };
}
