import { expect, it } from 'vitest';
import { LoopbackCallback } from './loopback-callback.js';

it('takes the awaited answer, once, and no other', async () => {
  const callback = await LoopbackCallback.listen(0);
  const send = async (query: string, address = callback.redirectUrl) =>
    (await fetch(`${address}?${query}`)).status;
  expect(await send('code=early&state=mine')).toBe(404);
  const answer = callback.answerTo('mine', 5000);
  expect(await send('code=evil')).toBe(404);
  expect(await send('code=evil&state=other')).toBe(404);
  expect(await send('code=evil&state=mine', callback.redirectUrl.replace('/callback', '/x'))).toBe(404);
  expect(await send('code=good&state=mine')).toBe(200);
  expect(await send('code=late&state=mine')).toBe(404);
  expect((await answer).get('code')).toBe('good');
  callback.close();
});

it('ends the wait at the time limit', async () => {
  const callback = await LoopbackCallback.listen(0);
  await expect(callback.answerTo('mine', 20)).rejects.toThrow(
    'the user did not sign in within the time limit',
  );
  expect((await fetch(`${callback.redirectUrl}?state=mine`)).status).toBe(404);
  callback.close();
});
