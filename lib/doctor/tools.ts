import type { Json, ToolFacts } from './context.js';
import { type Finding, ok } from './finding.js';
import { docs } from './links.js';
import { isObject, textsOf } from './messages.js';

/** More are not shown. */
const MAX_SHOWN = 50;

/**
 * Returns the tools of a list, with the scopes that its `securitySchemes` name.
 *
 * @see {@link https://developers.openai.com/plugins/build/auth | OpenAI, Authentication: triggering authentication UI}
 * @internal
 */
export function toolsIn(result: Json): readonly ToolFacts[] | undefined {
  const { tools } = result;
  return Array.isArray(tools) ? (tools as unknown[]).filter(isObject).map(toolOf) : undefined;
}

function toolOf(tool: Json): ToolFacts {
  const meta = isObject(tool['_meta']) ? tool['_meta'] : {};
  const schemes = tool['securitySchemes'] ?? meta['securitySchemes'];
  const listed = Array.isArray(schemes) ? (schemes as unknown[]).filter(isObject) : undefined;
  const oauth = listed?.find(({ type }) => type === 'oauth2');
  return {
    name: String(tool['name']),
    scopes: listed && textsOf(oauth?.['scopes']),
    hasSchemes: listed !== undefined,
  };
}

/** Returns one finding for each tool. @internal */
export function describeTools(tools: readonly ToolFacts[]): readonly Finding[] {
  return tools
    .slice(0, MAX_SHOWN)
    .map(({ name, scopes }) =>
      ok('tool', 'Tool', docs('guides/scopes.md'), { subject: name, found: needs(scopes) }),
    );
}

function needs(scopes: ToolFacts['scopes']): string {
  if (scopes === undefined) return 'the list does not say what it needs';
  return scopes.length > 0 ? scopes.join(' ') : 'no scopes';
}
