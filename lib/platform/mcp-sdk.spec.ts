import { OAuthError, OAuthErrorCode, ProtocolError } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { SdkInvalidTokenError, SdkProtocolError } from './mcp-sdk.js';

const BRANDS = Symbol.for('mcp.sdk.errorBrands');

const brandsOf = (error: Error): unknown => Reflect.get(error, BRANDS);

const membersOf = (error: Error): unknown => Object.fromEntries(Object.entries(error));

describe('the errors of the MCP SDK', () => {
  it.each([
    ['OAuthError', new OAuthError(OAuthErrorCode.InvalidToken, 'text'), 'mcp.OAuthError'],
    ['ProtocolError', new ProtocolError(1, 'text'), 'mcp.ProtocolError'],
  ])('carry the name of %s where this package puts it', (_, error, brand) => {
    expect(brandsOf(error)).toEqual(new Set([brand]));
  });

  it('take an invalid token of this package for an OAuthError, with all that theirs has', () => {
    const theirs = new OAuthError(OAuthErrorCode.InvalidToken, 'text');
    const ours = new SdkInvalidTokenError('text', { cause: 'reason' });
    expect(ours).toBeInstanceOf(OAuthError);
    expect(ours).not.toBeInstanceOf(ProtocolError);
    expect(membersOf(ours)).toEqual(membersOf(theirs));
    expect(ours.toResponseObject()).toEqual(theirs.toResponseObject());
    expect([ours.message, ours.name, ours.cause]).toEqual([theirs.message, theirs.name, 'reason']);
  });

  it('take a rejected call of this package for a ProtocolError, with all that theirs has', () => {
    const theirs = new ProtocolError(403, 'text', { error: 'forbidden' });
    const ours = new SdkProtocolError('text', 403, { error: 'forbidden' });
    expect(ours).toBeInstanceOf(ProtocolError);
    expect(ours).not.toBeInstanceOf(OAuthError);
    expect(membersOf(ours)).toEqual(membersOf(theirs));
    expect([ours.message, ours.name]).toEqual([theirs.message, theirs.name]);
  });
});
