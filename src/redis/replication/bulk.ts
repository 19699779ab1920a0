import { LifeboatError } from '../../domain/errors.ts';
import type { ReplicationInput } from './input.ts';

/** Length of the random mark that ends a snapshot sent straight from the child process of the master. */
const MARK_BYTES = 40;

/**
 * The RDB behind a full resynchronization, exactly its bytes. Two forms (syncCommand and rdbSaveToSlavesSockets of
 * Redis): `$EOF:<mark>` ends with the mark, `$<length>` after that many bytes; neither has a line end behind it.
 * A chunk is good until the next one is asked for.
 */
export async function* readBulk(input: ReplicationInput, name: string): AsyncGenerator<Buffer, void, undefined> {
  const header = await input.line();
  if (header.startsWith('-')) {
    throw new LifeboatError('REDIS_NOT_READY', `replicate from redis ${name}: ${header.slice(1)}`);
  }
  const marked = /^\$EOF:(.{40})$/.exec(header);
  if (marked !== null) {
    yield* readMarked(input, Buffer.from(marked[1]!, 'latin1'));
    return;
  }
  const counted = /^\$(\d+)$/.exec(header);
  if (counted === null) {
    throw new LifeboatError(
      'REDIS_PROTOCOL_ERROR',
      `replicate from redis ${name}: no snapshot after the resynchronization`,
    );
  }
  yield* readCounted(input, Number(counted[1]));
}

async function* readCounted(input: ReplicationInput, length: number): AsyncGenerator<Buffer, void, undefined> {
  for (let missing = length; missing > 0;) {
    const chunk = await input.chunk();
    // Behind the snapshot a master goes on with its command stream.
    const part = chunk.subarray(0, missing);
    missing -= part.length;
    yield part;
  }
}

/**
 * The master sends nothing behind the mark before our first ACK, so the snapshot is over when the last bytes received
 * are the mark. It may come in several reads: an end that could begin it is held back.
 */
async function* readMarked(input: ReplicationInput, mark: Buffer): AsyncGenerator<Buffer, void, undefined> {
  let tail: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = await input.chunk();
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const body = bytes.subarray(0, bytes.length - beginOf(mark, bytes));
    // A copy: the chunk is gone when the next one comes.
    tail = Buffer.from(bytes.subarray(body.length));
    if (body.length > 0) yield body;
    if (tail.length === MARK_BYTES) return;
  }
}

/** How many of the last bytes are the first of the mark: nearly always none, so that nothing is copied. */
function beginOf(mark: Buffer, bytes: Buffer): number {
  for (let length = Math.min(MARK_BYTES, bytes.length); length > 0; length -= 1) {
    if (bytes.compare(mark, 0, length, bytes.length - length) === 0) return length;
  }
  return 0;
}
