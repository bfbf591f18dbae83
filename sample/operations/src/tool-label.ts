import type { EventOperation } from 'nestjs-mcp-auth';

//#region label
const TOOLS = new Set(['count_notes', 'add_note', 'purge_notes']);

/**
 * Returns the label of an operation in metrics: the tool, `none` for what calls no tool, or `other`.
 * Clients choose the names that they send, and each label is a time series, so unknown names share one label.
 */
export function toolLabel({ kind, name }: Pick<EventOperation, 'kind' | 'name'>): string {
  if (kind !== 'tool' || name === undefined) return 'none';
  return TOOLS.has(name) ? name : 'other';
}
//#endregion label
