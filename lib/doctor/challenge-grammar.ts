/** A parameter of a challenge, without quotes and escapes. @internal */
export interface ChallengeParameter {
  readonly name: string;
  readonly value: string;
}

/** One challenge of a `WWW-Authenticate` header. @internal */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: readonly ChallengeParameter[];
}

/** What is wrong with a header, and where. @internal */
export interface GrammarProblem {
  readonly problem: string;
  /** Index of the first character that does not fit. */
  readonly at: number;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[-A-Za-z0-9._~+/]+=*(?=[\t ]*(?:,|$))/y;
const QUOTED = /"((?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y;
const EQUALS = /[\t ]*=[\t ]*/y;
const SPACE = /[\t ]*/y;
const SEPARATORS = /[\t ,]*/y;

/**
 * Parses one line of `WWW-Authenticate`: a list of challenges, exactly by the grammar.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 | RFC 9110 section 11.6.1}
 * @internal
 */
export function parseChallenges(line: string): readonly Challenge[] | GrammarProblem {
  const cursor = new Cursor(line);
  const challenges: OpenChallenge[] = [];
  cursor.take(SEPARATORS);
  while (!cursor.isAtEnd) {
    const problem = takeElement(cursor, challenges);
    if (problem) return problem;
  }
  return challenges;
}

interface OpenChallenge {
  readonly scheme: string;
  readonly parameters: ChallengeParameter[];
}

/** Takes a parameter of the last challenge, or a scheme, and the comma behind it. */
function takeElement(cursor: Cursor, challenges: OpenChallenge[]): GrammarProblem | undefined {
  const word = cursor.take(TOKEN);
  if (word === undefined) return cursor.problem('a scheme or the name of a parameter');
  const current = challenges.at(-1);
  if (current && cursor.take(EQUALS) !== undefined) {
    const value = cursor.takeValue();
    if (value === undefined) return cursor.problem('a token or a quoted string');
    current.parameters.push({ name: word.toLowerCase(), value });
  } else {
    challenges.push({ scheme: word, parameters: [] });
    if (cursor.isBeforeParameter()) return undefined;
  }
  cursor.take(SPACE);
  if (!cursor.isAtSeparator) return cursor.problem('a comma');
  cursor.take(SEPARATORS);
  return undefined;
}

/** Returns the value of a parameter; the first if there are several. @internal */
export function parameterOf(challenge: Challenge | undefined, name: string): string | undefined {
  return challenge?.parameters.find((each) => each.name === name)?.value;
}

class Cursor {
  private at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  get isAtSeparator(): boolean {
    return this.isAtEnd || this.text[this.at] === ',';
  }

  /** Moves past what matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text) ?? [];
    this.at += found?.length ?? 0;
    return found;
  }

  /** Moves from a scheme to its first parameter, if it has one. Otherwise, past the token68 if there is one. */
  isBeforeParameter(): boolean {
    const isSeparated = this.take(SPACE) !== '';
    return isSeparated && this.take(TOKEN68) === undefined && !this.isAtSeparator;
  }

  takeValue(): string | undefined {
    const quoted = this.take(QUOTED);
    return quoted?.slice(1, -1).replaceAll(/\\(.)/g, '$1') ?? this.take(TOKEN);
  }

  problem(expected: string): GrammarProblem {
    return { problem: `expected ${expected} at character ${String(this.at + 1)}`, at: this.at };
  }
}
