import { LifeboatError } from '../../../domain/errors.ts';
import { ByteSource } from './byte-source.ts';
import { type DumpHeader, type DumpItem, FIXED_BYTES, MAGIC, readUnsigned64, type RestoreItem, TAG } from './format.ts';

/** Lengths above these are broken ones: functions are small, and no server takes a longer payload back. */
const BLOCK_MAX_BYTES = 512 * 1024 ** 2;
const PAYLOAD_MAX_BYTES = 4 * 1024 ** 3;

/**
 * Items of a redis-dump stream in their order: the header, functions, keys. It ends clean only behind a trailer that
 * matches what was read; otherwise it throws REDIS_DUMP_FORMAT, REDIS_DUMP_TRUNCATED or REDIS_DUMP_CHECKSUM, so what
 * was given before is not to be committed until it has ended. Buffers may be views: use them before the next item.
 * The CRC64 of payloads is not looked at: `openPayload` and RESTORE do that.
 */
export function readDump(source: AsyncIterable<Uint8Array>): AsyncGenerator<DumpItem, void, undefined> {
  // Without large keys there are neither those nor pieces.
  return read(source, Infinity) as AsyncGenerator<DumpItem, void, undefined>;
}

/** As `readDump`; payloads of `largeBytes` and more come in pieces. */
export function readDumpInPieces(
  source: AsyncIterable<Uint8Array>,
  largeBytes: number,
): AsyncGenerator<RestoreItem, void, undefined> {
  return read(source, largeBytes);
}

async function* read(
  source: AsyncIterable<Uint8Array>,
  largeBytes: number,
): AsyncGenerator<RestoreItem, void, undefined> {
  const bytes = new ByteSource(source);
  try {
    const magic = await need(bytes, MAGIC.length);
    if (!magic.equals(MAGIC)) throw malformed('not a redis-dump stream of version 1');
    yield* records(bytes, largeBytes);
  } finally {
    await bytes.close();
  }
}

async function* records(bytes: ByteSource, largeBytes: number): AsyncGenerator<RestoreItem, void, undefined> {
  const read = { db: 0, keys: 0, payloadBytes: 0 };
  for (;;) {
    const tag = (bytes.take(1) ?? (await need(bytes, 1))).readUInt8(0);
    switch (tag) {
      case TAG.key: {
        const { payloadBytes, ...head } = await readKey(bytes, read.db);
        read.keys += 1;
        read.payloadBytes += payloadBytes;
        if (payloadBytes >= largeBytes) {
          yield { kind: 'large key', ...head, payloadBytes };
          yield* pieces(bytes, payloadBytes);
        } else {
          yield { kind: 'key', ...head, payload: bytes.take(payloadBytes) ?? (await need(bytes, payloadBytes)) };
        }
        break;
      }
      case TAG.database:
        read.db = (await need(bytes, FIXED_BYTES.database)).readUInt32LE(0);
        break;
      case TAG.header:
        yield { kind: 'header', header: parseHeader(await readBlock(bytes)) };
        break;
      case TAG.functions:
        yield { kind: 'functions', payload: await readBlock(bytes) };
        break;
      case TAG.trailer:
        return await checkTrailer(bytes, read);
      default:
        throw malformed(`record with tag ${tag}`);
    }
  }
}

async function* pieces(bytes: ByteSource, sizeBytes: number): AsyncGenerator<RestoreItem, void, undefined> {
  for (let missing = sizeBytes; missing > 0;) {
    const piece = await bytes.some(missing);
    if (piece === undefined) throw truncated();
    missing -= piece.length;
    yield { kind: 'piece', bytes: piece };
  }
}

interface KeyHead {
  readonly db: number;
  readonly key: Buffer;
  readonly expireAtMs: number | null;
  readonly payloadBytes: number;
}

async function readKey(bytes: ByteSource, db: number): Promise<KeyHead> {
  const fixed = bytes.take(FIXED_BYTES.key) ?? (await need(bytes, FIXED_BYTES.key));
  const expireAtMs = readUnsigned64(fixed, 0);
  const keyBytes = fixed.readUInt32LE(8);
  const payloadBytes = readUnsigned64(fixed, 12);
  if (keyBytes > BLOCK_MAX_BYTES || payloadBytes > PAYLOAD_MAX_BYTES) {
    throw malformed(`a key of ${keyBytes} and ${payloadBytes} bytes`);
  }
  const key = bytes.take(keyBytes) ?? (await need(bytes, keyBytes));
  return { db, key, payloadBytes, expireAtMs: expireAtMs === 0 ? null : expireAtMs };
}

async function readBlock(bytes: ByteSource): Promise<Buffer> {
  const sizeBytes = (await need(bytes, FIXED_BYTES.header)).readUInt32LE(0);
  if (sizeBytes > BLOCK_MAX_BYTES) throw malformed(`a block of ${sizeBytes} bytes`);
  return await need(bytes, sizeBytes);
}

function parseHeader(block: Buffer): DumpHeader {
  try {
    const header: unknown = JSON.parse(block.toString('utf8'));
    if (isHeader(header)) return { server: header.server, startedAt: header.startedAt };
  } catch (cause) {
    throw malformed('the header is not json', cause);
  }
  throw malformed('the header lacks server or startedAt');
}

function isHeader(value: unknown): value is DumpHeader {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'server' in value && typeof value.server === 'string' && 'startedAt' in value && typeof value.startedAt === 'string'
  );
}

async function checkTrailer(bytes: ByteSource, read: { keys: number; payloadBytes: number }): Promise<void> {
  const counts = await need(bytes, FIXED_BYTES.trailer - 4);
  const checksum = bytes.checksum();
  const stored = (await need(bytes, 4)).readUInt32LE(0);
  if (!(await bytes.atEnd())) throw malformed('bytes behind the trailer');
  const keys = readUnsigned64(counts, 0);
  if (checksum === stored && keys === read.keys && readUnsigned64(counts, 8) === read.payloadBytes) return;
  throw new LifeboatError('REDIS_DUMP_CHECKSUM', `read redis-dump: ${read.keys} keys: the trailer does not match`, {
    details: { keysRead: read.keys, keysInTrailer: keys },
  });
}

async function need(bytes: ByteSource, size: number): Promise<Buffer> {
  const read = await bytes.read(size);
  if (read === undefined) throw truncated();
  return read;
}

function truncated(): LifeboatError {
  return new LifeboatError('REDIS_DUMP_TRUNCATED', 'read redis-dump: ends before its trailer');
}

function malformed(fact: string, cause?: unknown): LifeboatError {
  return new LifeboatError('REDIS_DUMP_FORMAT', `read redis-dump: ${fact}`, { cause });
}
