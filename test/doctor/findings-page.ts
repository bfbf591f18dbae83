import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { CATALOGUE } from './catalogue.js';
import { docs } from '../../lib/doctor/links.js';

/** The page that lists all findings, and where its list is. */
export const PAGE = fileURLToPath(new URL('../../docs/reference/doctor.md', import.meta.url));
const LIST = /(?<=<!-- findings -->\n)[^]*(?=<!-- \/findings -->)/;

/** What the page says of a finding. */
export interface ListedFinding {
  readonly severity: string;
  readonly cure: string;
  /** As the command prints it. */
  readonly link: string;
}

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** The page with the list that the catalogue makes. */
export async function writtenPage(): Promise<string> {
  const style = await prettier.resolveConfig(PAGE);
  const options = { ...style, parser: 'markdown', proseWrap: 'preserve' } as const;
  return prettier.format(
    readPage().replace(LIST, () => `\n${list()}\n`),
    options,
  );
}

function list(): string {
  return Object.entries(CATALOGUE)
    .map(([title, findings]) => {
      const sections = Object.entries(findings).map(
        ([id, { severity, title: what, expected, cure, link }]) => {
          const lines = [
            `${what}.`,
            '',
            `- Severity: ${severity}`,
            ...(expected === undefined ? [] : [`- Expected: ${expected}`]),
            `- Do: ${cure}`,
            `- See: ${markdownLink(link)}`,
          ];
          return `### ${id}\n\n${lines.map(escape).join('\n')}`;
        },
      );
      return `## ${title}\n\n${sections.join('\n\n')}`;
    })
    .join('\n\n');
}

/** A link within the documentation is relative, so that it can be followed in every copy. */
function markdownLink(link: string): string {
  const base = docs('');
  if (!link.startsWith(base)) return `<${link}>`;
  const [path = '', anchor] = link.slice(base.length).split('#');
  return `[${path}](../${path}${anchor === undefined ? '' : `#${anchor}`})`;
}

/** Text in which nothing is markup. Underscores within words are none, and a line that has a link is markup already. */
function escape(line: string): string {
  return line.startsWith('- See:') ? line : line.replaceAll(/[*<>[\]|]/g, '\\$&');
}

/** The findings as the page lists them, by their ids. */
export function listedFindings(): ReadonlyMap<string, ListedFinding> {
  const sections = readPage().split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [id = ''] = section.split('\n', 1);
      const member = (name: string): string => new RegExp(`^- ${name}: (.*)$`, 'm').exec(section)?.[1] ?? '';
      const [, url, relative] = /^(?:<(.*)>|\[.*\]\(\.\.\/(.*)\))$/.exec(member('See')) ?? [];
      const link = url ?? docs(relative ?? '');
      return [id, { severity: member('Severity'), cure: plain(member('Do')), link }];
    }),
  );
}

function plain(markdown: string): string {
  return markdown.replaceAll(/\\([^\s])/g, '$1');
}
