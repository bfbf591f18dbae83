import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { McpHttpControllerFor, StreamableHttpTransport } from '@rekog/mcp-nest';
import { decorate } from './decorate.mjs';
import { connecting, nestTools } from './mcp-apps.mjs';
import { controllerDecorators, partsOf } from './parts.mjs';

/** One application with all that is soaked: `GET /notes`, tools at `/notes/mcp`, and with sessions at `/notes/sessions`. */
export async function soakModule(settings) {
  const parts = await partsOf(settings);
  const stateless = new StreamableHttpTransport();
  const stateful = new StreamableHttpTransport({ statefulMode: true });
  const at = (path, controller, methods) =>
    decorate(controller, [Controller(path), ...controllerDecorators(parts)], methods);
  class NotesController {
    list() {
      return { notes: [] };
    }
  }
  class McpEndpoint extends McpHttpControllerFor(stateless) {}
  class SessionsEndpoint extends McpHttpControllerFor(stateful) {}
  const controllers = [
    at('notes', NotesController, { list: [Get()] }),
    at('notes/mcp', McpEndpoint),
    at('notes/sessions', SessionsEndpoint),
    nestTools(true),
  ];
  function SoakModule() {}
  decorate(SoakModule, [Module({ imports: parts.imports, controllers })]);
  return {
    module: SoakModule,
    connect: connecting(stateless, stateful),
    /** Sessions that are open: a private member tells. */
    held: () => Object.keys(stateful.transports).length,
  };
}
