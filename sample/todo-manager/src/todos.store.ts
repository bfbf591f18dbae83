import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';

export interface Todo {
  readonly id: string;
  readonly text: string;
  readonly owner: string;
}

/** Todos of everybody, in memory. */
@Injectable()
export class TodosStore {
  private readonly todos = new Map<string, Todo>();

  create(owner: string, text: string): Todo {
    const todo = { id: randomUUID(), text, owner };
    this.todos.set(todo.id, todo);
    return todo;
  }

  all(): readonly Todo[] {
    return [...this.todos.values()];
  }

  find(id: string): Todo | undefined {
    return this.todos.get(id);
  }

  delete(id: string): boolean {
    return this.todos.delete(id);
  }
}
