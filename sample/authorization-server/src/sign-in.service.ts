import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  AUTHORIZATION_SERVER_OPTIONS,
  type AuthorizationServerOptions,
} from './authorization-server-options.js';

@Injectable()
export class SignInService {
  constructor(@Inject(AUTHORIZATION_SERVER_OPTIONS) private readonly options: AuthorizationServerOptions) {}

  /**
   * The account id, or undefined. Both values are always compared, each in constant time over hashes of
   * equal length, so that the time of the answer does not tell which part was wrong.
   */
  signIn(username: unknown, password: unknown): string | undefined {
    const usernameMatches = isSame(username, this.options.username);
    const passwordMatches = isSame(password, this.options.password);
    return usernameMatches && passwordMatches ? this.options.username : undefined;
  }
}

function isSame(actual: unknown, expected: string): boolean {
  return timingSafeEqual(hash(typeof actual === 'string' ? actual : ''), hash(expected));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
