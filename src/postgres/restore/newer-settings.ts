/** Written by pg_restore 17 and later at the head of every script; unknown to servers before 17. */
const NEWER_SETTING = Buffer.from('\nSET transaction_timeout = 0;\n');
/** The settings stand in the first few hundred bytes; rows and function bodies come later and are left alone. */
const HEAD_BYTES = 4_096;

/** The script without the settings in its head that an older server refuses. */
export async function* withoutNewerSettings(
  script: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of script) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEAD_BYTES) continue;
    yield removeSetting(head);
    head = undefined;
  }
  if (head !== undefined) yield removeSetting(head);
}

function removeSetting(head: Buffer): Buffer {
  const place = head.indexOf(NEWER_SETTING);
  if (place === -1 || place > HEAD_BYTES - NEWER_SETTING.length) return head;
  return Buffer.concat([head.subarray(0, place + 1), head.subarray(place + NEWER_SETTING.length)]);
}
