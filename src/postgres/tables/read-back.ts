import type { Child } from '../../platform/child-process.ts';
import { createLineCutter, createRowDigest, type RowDigest } from './row-digest.ts';

/**
 * Reads rows of several tables from the output of psql, one after the other: before each, and behind the last, stands a line with the mark
 * and its number. Gives undefined where the output ends before that.
 */
export async function readBackRows(
  child: Child,
  expected: { readonly mark: string; readonly tables: number; onRows(rows: number): void },
): Promise<readonly RowDigest[] | undefined> {
  const { mark, tables } = expected;
  const cutter = createLineCutter();
  const digests: RowDigest[] = [];
  let rows = 0;
  let over = false;
  const stdout: AsyncIterable<Uint8Array> = child.stdout;
  for await (const piece of stdout) {
    cutter.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength), (line) => {
      if (over) return;
      if (line.head.toString('latin1', 0, mark.length) === mark) {
        over = digests.length === tables;
        if (!over) digests.push(createRowDigest());
        return;
      }
      const digest = digests.at(-1);
      if (digest === undefined) return;
      line.addTo(digest);
      rows += 1;
    });
    expected.onRows(rows);
    // What psql says afterwards is of no interest, but its pipe must not fill up.
    if (over) {
      child.stdout.resume();
      return digests;
    }
  }
  return undefined;
}
