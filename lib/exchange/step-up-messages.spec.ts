import { describe, expect, it } from 'vitest';
import { explainFailures, verdictOnEvents, verdictOnJson } from './step-up-messages.js';

const json = (members: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, ...members });
const good = json({ result: { content: [] } });
const toolError = json({ result: { content: [], isError: true } });
const rpcError = json({ error: { code: -32603, message: 'x' } });
const progress = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: {} });

describe('verdictOnJson', () => {
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
    expect(verdictOnJson(text)).toBe(verdict);
  });
});

describe('verdictOnEvents', () => {
  it.each([
    [`event: message\ndata: ${toolError}\n\n`, false, 'failed'],
    [`data:${rpcError}\n\n`, false, 'failed'],
    [`data: ${good}\n\n`, false, 'answered'],
    [`data: ${progress}\n\n`, false, 'answered'],
    [`id: 1\ndata: \n\n: comment\n\n`, false, 'open'],
    ['', false, 'open'],
    [`data: ${good}\n\n`, true, 'open'],
    [`data: ${good}\n\ndata: ${toolError}\n\n`, true, 'failed'],
    [`data: ${progress}\n\n`, true, 'answered'],
    [`: ${toolError}\n\n`, false, 'open'],
  ])('of %j, of a batch: %j, is %s', (events, isBatch, verdict) => {
    expect(verdictOnEvents(events, isBatch)).toBe(verdict);
  });
});

describe('explainFailures', () => {
  const why = (): string => 'because';

  it('changes what a failure says, and nothing else', () => {
    const explained = explainFailures(`id: 3\nevent: message\ndata: ${rpcError}\n\n`, why);
    expect(explained).toBe(
      `id: 3\nevent: message\ndata: ${json({ error: { code: -32603, message: 'because' } })}\n\n`,
    );
    const result = { content: [{ type: 'text', text: 'because' }], isError: true };
    expect(explainFailures(`data: ${toolError}\n\n`, why)).toBe(`data: ${json({ result })}\n\n`);
  });

  it.each([`data: ${good}\n\n`, `data: ${progress}\n\n`, ': ping\n\n', 'data: {\n\n'])(
    'leaves %j alone',
    (events) => {
      const asked: string[] = [];
      const ask = (): string => {
        asked.push(events);
        return 'because';
      };
      expect(explainFailures(events, ask)).toBeUndefined();
      expect(asked).toEqual([]);
    },
  );
});
