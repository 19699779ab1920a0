/** The bytes do not unpack to the size that was announced. */
export class LzfError extends Error {
  override readonly name = 'LzfError';
}

/** Three bytes refer back to at most 264: no data unpacks to more, whatever size a damaged file announces. */
const MAX_RATIO = 88;

/**
 * Unpacks LibLZF data (lzf_d.c of Redis): a control byte below 32 is followed by that many + 1 literal bytes; otherwise
 * its high three bits are a length (7: one more byte follows) and the rest, with the next byte, a distance backwards.
 */
export function decompressLzf(packed: Uint8Array, sizeBytes: number): Buffer {
  if (sizeBytes > packed.length * MAX_RATIO) throw new LzfError(`${packed.length} bytes cannot unpack to ${sizeBytes}`);
  const out = Buffer.allocUnsafe(sizeBytes);
  let from = 0;
  let to = 0;
  while (from < packed.length) {
    const control = packed[from++]!;
    if (control < 32) {
      const end = from + control + 1;
      if (end > packed.length || to + control + 1 > sizeBytes) throw new LzfError('literal run past the end');
      while (from < end) out[to++] = packed[from++]!;
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === 9) length += packed[from++] ?? 0;
    let back = to - ((control & 31) << 8) - (packed[from++] ?? sizeBytes + 1) - 1;
    if (back < 0 || to + length > sizeBytes) throw new LzfError('back reference out of bounds');
    for (const end = to + length; to < end;) out[to++] = out[back++]!;
  }
  if (to !== sizeBytes) throw new LzfError(`unpacked to ${to} bytes instead of ${sizeBytes}`);
  return out;
}
