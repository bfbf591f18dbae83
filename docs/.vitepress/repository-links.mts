import { relative, resolve } from 'node:path';

/**
 * The address of a link that leads from a page to a file of the repository outside of the site; undefined for any other
 * link.
 *
 * @param link - its `href`, the page's path below the site, and the site's absolute path
 * @param files - the URL at which the files of the repository can be read, without a slash at the end
 */
export function repositoryLink(
  { site, page, href }: { readonly site: string; readonly page: string; readonly href: string },
  files: string,
): string | undefined {
  if (/^(?:[a-z][a-z+.-]*:|[/#])/i.test(href)) return undefined;
  const [path = ''] = href.split('#', 1);
  const target = resolve(site, page, '..', path);
  if (!relative(site, target).startsWith('..')) return undefined;
  const fromRoot = relative(resolve(site, '..'), target).replaceAll('\\', '/');
  return `${files}/${fromRoot}${href.slice(path.length)}`;
}
