import { Controller, Get, UseGuards } from '@nestjs/common';
import { BearerAuthGuard, ProtectedResource } from 'nestjs-mcp-auth';
import { NotesStore } from './notes.store.js';

@Controller('reports')
@UseGuards(BearerAuthGuard)
@ProtectedResource('reports')
export class ReportsController {
  constructor(private readonly store: NotesStore) {}

  @Get()
  totals(): { people: number; notes: number } {
    return this.store.totals();
  }
}
