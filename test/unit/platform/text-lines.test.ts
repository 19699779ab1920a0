import { textLines } from '../../../src/platform/text-lines.ts';
import { collect } from '../../support/collect.ts';

async function* inPieces(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) yield Uint8Array.of(byte);
}

test('lines are whole however they come, also where a letter is cut', async () => {
  expect(await collect(textLines(inPieces('one\n\nzwölf\n')))).toEqual(['one', '', 'zwölf']);
});

test('what a writer has only begun is left out, unless it is asked for', async () => {
  expect(await collect(textLines(inPieces('one\ntw')))).toEqual(['one']);
  expect(await collect(textLines(inPieces('one\ntw'), { unfinished: true }))).toEqual(['one', 'tw']);
});
