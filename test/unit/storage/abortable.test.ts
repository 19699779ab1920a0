import { abortable } from '../../../src/storage/abortable.ts';
import { collect } from '../../support/collect.ts';

async function* count(): AsyncGenerator<number> {
  for (let number = 0; number < 1000; number += 1) yield number;
}

test('without an abort the items are the same', async () => {
  const abort = new AbortController();
  expect(await collect(abortable(count(), abort.signal))).toEqual(Array.from({ length: 1000 }, (_, i) => i));
});

test('a read that hangs rejects with the reason as soon as the signal aborts', async () => {
  const abort = new AbortController();
  const hanging: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
  };
  const reason = new Error('stop');
  setTimeout(() => abort.abort(reason), 20);
  await expect(collect(abortable(hanging, abort.signal))).rejects.toBe(reason);
});

test('a reader that stops early closes the source before it goes on', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 20));
      closed = true;
    }
  }
  for await (const number of abortable(source(), new AbortController().signal)) {
    if (number === 1) break;
  }
  expect(closed).toBe(true);
});

test('an error of the source comes out as it is', async () => {
  const failure = new Error('source');
  async function* source(): AsyncGenerator<number> {
    yield 1;
    throw failure;
  }
  await expect(collect(abortable(source(), new AbortController().signal))).rejects.toBe(failure);
});
