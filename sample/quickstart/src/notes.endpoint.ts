import { Controller, UseGuards } from '@nestjs/common';
import { McpHttpControllerFor } from '@rekog/mcp-nest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import { transport } from './notes.mcp.js';

//#region endpoint
@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesEndpoint extends McpHttpControllerFor(transport) {}
//#endregion endpoint
