import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthContext, AuthInfo, RequireScopes, type ScopesOfCall } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { TodosStore } from './todos.store.js';

const NewTodo = z.object({ text: z.string().min(1).max(1000) });
const Which = z.object({ everybody: z.boolean().default(false) });
const Id = z.object({ id: z.string() });

/** It sees the arguments as sent, which no schema has checked: whatever is not plainly a no counts as a yes. */
const toReadOthers: ScopesOfCall = ({ arguments: { everybody = false } }) =>
  everybody === false ? [] : ['read:todos'];

@McpController()
export class TodosTools {
  constructor(
    private readonly todos: TodosStore,
    private readonly context: AuthContext,
  ) {}

  /** Needs what every request needs: `create:todos`. */
  @Tool({ name: 'create_todo', description: 'Create a todo of your own', parameters: NewTodo })
  create(@Payload() { text }: z.infer<typeof NewTodo>, @AuthInfo() auth: AuthInfo) {
    return answer(this.todos.create(ownerOf(auth), text).id);
  }

  //#region tools
  /** Before the tool runs, its arguments say whether more scopes are needed. */
  @Tool({ name: 'get_todos', description: 'List your todos, or those of everybody', parameters: Which })
  @RequireScopes(toReadOthers)
  get(@Payload() { everybody }: z.infer<typeof Which>, @AuthInfo() auth: AuthInfo) {
    const todos = this.todos.all().filter(({ owner }) => everybody || owner === ownerOf(auth));
    return answer(todos.map(({ id, text }) => `${id} ${text}`).join('\n') || 'no todos');
  }

  /**
   * Whose it is, only the tool itself can find out. Without `delete:todos` a todo of another person and one that is not there
   * are the same, so that a caller learns of no todo by trying.
   */
  @Tool({ name: 'delete_todo', description: 'Delete a todo', parameters: Id })
  delete(@Payload() { id }: z.infer<typeof Id>, @AuthInfo() auth: AuthInfo) {
    if (this.todos.find(id)?.owner !== ownerOf(auth)) this.context.requireScopes('delete:todos');
    return answer(this.todos.delete(id) ? 'deleted' : 'no such todo');
  }
  //#endregion tools
}

//#region owner
/** A subject means something at its issuer only. Whatever client a person uses, the todos are the same. */
function ownerOf({ issuer, subject, clientId }: AuthInfo): string {
  return JSON.stringify(subject === undefined ? [issuer, null, clientId] : [issuer, subject]);
}
//#endregion owner

function answer(text: string) {
  return { content: [{ type: 'text' as const, text }] };
}
