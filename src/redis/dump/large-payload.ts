import type { ScannedKey } from './scan/scan-database.ts';
import type { DumpWriter } from './stream/dump-writer.ts';

/** From this size on a payload is given back as soon as it was used, and goes out in pieces. */
const LARGE_BYTES = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** The line end behind a bulk, in the buffer that it was received into. */
const LINE_END_BYTES = 2;

/**
 * Gives the memory of large payloads back at once. The collector would, too, but not before the next is received: hundreds of megabytes are
 * hundreds of megabytes, however few objects they are. The payloads are empty afterwards.
 */
export function releaseLarge(batch: readonly ScannedKey[]): void {
  for (const { payload } of batch) {
    const { buffer } = payload;
    const isAlone = buffer.byteLength - payload.length <= LINE_END_BYTES;
    if (payload.length >= LARGE_BYTES && isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }
}

/** Writes keys into a dump and gives its chunks. Large payloads leave as copies of a piece each and are released: who reads the chunks may keep them. */
export function* writeBatch(
  writer: DumpWriter,
  db: number,
  batch: readonly ScannedKey[],
): Generator<Buffer, void, undefined> {
  for (const { key, payload, expireAtMs } of batch) {
    if (payload.length < LARGE_BYTES) writer.key(db, key, payload, expireAtMs);
    else {
      writer.beginKey({ db, key, expireAtMs, payloadBytes: payload.length });
      for (let at = 0; at < payload.length; at += PIECE_BYTES) {
        writer.piece(Buffer.from(payload.subarray(at, at + PIECE_BYTES)));
        yield* writer.take();
      }
    }
  }
  yield* writer.take();
  releaseLarge(batch);
}
