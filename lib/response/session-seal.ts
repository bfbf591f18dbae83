import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** What these codes are for. Codes for anything else, made with the same secret, begin with another text. */
const LABEL = 'nestjs-mcp-auth session 1';

/** Stands between id and code. Ids may contain it; codes, in base64url, do not. */
const SEPARATOR = '.';

/** An HMAC-SHA-256 in base64url. */
const CODE = /^[\w-]{43}$/;

/** For whom a session is: the caller of one resource. @internal */
export interface SessionUse {
  /** The resource identifier. */
  readonly resource: string;
  /** The key of the session's owner; empty for callers without a token. */
  readonly owner: string;
}

/**
 * Seals session ids with a message authentication code over id, resource and owner, so that each process with the secret knows
 * the owner of a session without storing it. `ID` becomes `ID.CODE`.
 *
 * @internal
 */
export class SessionSeal {
  private readonly keys: readonly KeyObject[];

  /** @param secrets - the first one seals, each of them opens; used as UTF-8 text */
  constructor(secrets: readonly string[]) {
    this.keys = secrets.map((secret) => createSecretKey(secret, 'utf8'));
  }

  seal(id: string, use: SessionUse): string {
    const [current] = this.keys;
    if (!current) throw new Error('There is no secret to seal sessions with');
    return id + SEPARATOR + codeOf(current, id, use);
  }

  /** Returns the id that was sealed for this use; undefined if the text was not sealed, or for another use. */
  open(sealed: string, use: SessionUse): string | undefined {
    const at = sealed.lastIndexOf(SEPARATOR);
    const [id, code] = [sealed.slice(0, Math.max(at, 0)), sealed.slice(at + 1)];
    if (id === '' || !CODE.test(code)) return undefined;
    const given = Buffer.from(code);
    const isOfKey = (key: KeyObject): boolean => timingSafeEqual(given, Buffer.from(codeOf(key, id, use)));
    return this.keys.some(isOfKey) ? id : undefined;
  }
}

/** JSON keeps the parts apart, whatever they contain. */
function codeOf(key: KeyObject, id: string, { resource, owner }: SessionUse): string {
  const message = JSON.stringify([LABEL, resource, owner, id]);
  return createHmac('sha256', key).update(message).digest('base64url');
}
