import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './workspace.js';

export const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** A command of a console block, with the lines that the README shows as its output. */
export interface ShownCommand {
  readonly command: string;
  readonly output: readonly string[];
}

/** What the section "First run" of the README tells a newcomer to do, in its order. */
export interface FirstRun {
  /** The commands that make a folder and install what the file needs. */
  readonly install: string;
  /** The file, and the name to save it under. */
  readonly file: string;
  readonly name: string;
  readonly compile: string;
  readonly start: string;
  /** The function of the second terminal. */
  readonly define: string;
  readonly calls: readonly ShownCommand[];
}

/** Reads the section "First run". @throws Error if it does not have the blocks that it should have */
export function firstRun(text: string = readme): FirstRun {
  const section = /^## First run\n(.*?)^## /ms.exec(text)?.[1] ?? '';
  const fences = [...section.matchAll(/^```(\w+)[^\n]*\n(.*?)^```$/gms)];
  const languages = fences.map(([, language]) => language);
  if (languages.join(' ') !== 'sh ts sh sh console') {
    throw new Error(`"First run" of the README has other blocks: ${languages.join(' ')}`);
  }
  const at = (index: number): string => fences[index]?.[2]?.trimEnd() ?? '';
  const [compile = '', start = ''] = at(2).replaceAll('\\\n', '').split('\n');
  const name = /^Save this as `([^`]+)`:$/m.exec(section)?.[1] ?? '';
  return { install: at(0), file: at(1), name, compile, start, define: at(3), calls: shownCommands(at(4)) };
}

function shownCommands(block: string): readonly ShownCommand[] {
  return block.split(/^\$ /m).flatMap((part) => {
    const [command = '', ...output] = part.trimEnd().split('\n');
    return command === '' ? [] : [{ command, output }];
  });
}
