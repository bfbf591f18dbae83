/**
 * The anchor of a heading, as git hosts write it, so that links hold there and on the site: words in lower case, with
 * hyphens between. A repeated heading gets a number, which is not added here.
 */
export function slugify(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
