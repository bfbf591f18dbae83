import { splitUrl } from './url-rules.js';

/** The variable of a template. @internal */
export const TENANT_VARIABLE = '{tenant}';

/** A tenant as it may be in a path: unreserved characters of RFC 3986 section 2.3, which no program encodes or reads otherwise. */
const TENANT = '[A-Za-z0-9._~-]{1,64}';

const PROBLEM =
  'is no template: write "{tenant}" once, as a whole segment of the path, such as https://api.example.com/t/{tenant}/mcp';

/** Returns what is wrong with the variable of a template, or undefined if it is valid. @internal */
export function templateProblem(value: string): string | undefined {
  const { origin, path } = splitUrl(value);
  const others = path.split('/').filter((segment) => segment !== TENANT_VARIABLE);
  const count = path.split('/').length - others.length;
  return count === 1 && ![origin, ...others].some(hasBrace) ? undefined : PROBLEM;
}

function hasBrace(value: string): boolean {
  return /[{}]/.test(value);
}

/** Returns the resource of a tenant. @internal */
export function tenantResource(template: string, tenant: string): string {
  // A function, because "$" in a text has a meaning. A template has one variable.
  return template.replace(TENANT_VARIABLE, () => tenant);
}

/**
 * Finds the tenant in the path of a request, at the resource or below. The path must be spelled exactly as the resource of the
 * tenant: every program reads such a path alike.
 */
export class TenantPath {
  private readonly pattern: RegExp;

  /** @param path - of the template, or of its document */
  constructor(path: string) {
    const [before = '', after = ''] = path.replace(/\/$/, '').split(TENANT_VARIABLE);
    this.pattern = new RegExp(`^${literally(before)}(${TENANT})${literally(after)}(?=/|$)`);
  }

  /**
   * @param path - of a request target, not decoded
   * @returns the tenant and what follows the path of its resource: empty, or beginning with a slash
   */
  find(path: string): { readonly tenant: string; readonly below: string } | undefined {
    const [matched, tenant] = this.pattern.exec(path) ?? [];
    if (matched === undefined || tenant === undefined || tenant === '.' || tenant === '..') return undefined;
    return { tenant, below: path.slice(matched.length) };
  }
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
