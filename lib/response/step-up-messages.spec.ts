import { describe, expect, it } from 'vitest';
import { failureIn, messagesIn } from './step-up-messages.js';

const json = (members: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, ...members });
const good = json({ result: { content: [] } });
const toolError = json({ result: { content: [], isError: true } });
const rpcError = json({ error: { code: -32603, message: 'x' } });

describe('failureIn', () => {
  it.each([
    [good, 'answered'],
    [toolError, 'failed'],
    [rpcError, 'failed'],
    [`[${good},${toolError}]`, 'failed'],
    [`[${good},${good}]`, 'answered'],
    [json({ result: { isError: false } }), 'answered'],
    [json({ result: { isError: 'true' } }), 'answered'],
    [json({ error: null, result: {} }), 'answered'],
    // No answer by JSON-RPC, whatever its members are called.
    ['{"error":{},"id":1}', 'answered'],
    ['{"jsonrpc":"1.0","error":{}}', 'answered'],
    ['null', 'answered'],
    ['', 'answered'],
    ['{', 'answered'],
  ])('of %s is %s', (text, verdict) => {
    expect(messagesIn(text).some(failureIn) ? 'failed' : 'answered').toBe(verdict);
  });
});
