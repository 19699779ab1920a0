import { LifeboatError } from '../../domain/errors.ts';
import { RdbCursor } from './cursor.ts';
import { malformed, readString, requireLength } from './encoding.ts';
import type { PieceSink } from './capture.ts';
import { KEY_SHAPE, MAGIC_SHAPE, ONE_STRING_TYPES, OPCODE, OPCODE_SHAPES, VALUE_SHAPES } from './shapes.ts';

/** One key of an RDB file. `key` and `value` may be views of the chunks that were pushed: use or copy them at once. */
export interface RdbEntry {
  readonly db: number;
  readonly key: Buffer;
  /** RDB type byte; `VALUE_SHAPES` lists the known ones. */
  readonly type: number;
  /** Absolute expiry in milliseconds since 1970; null when the key does not expire. */
  readonly expireAtMs: number | null;
  /** The body as it stands in the file, without the type byte. */
  readonly value: Buffer;
}

/** A key whose value is one large string of the file. */
export type RdbLargeHead = Omit<RdbEntry, 'value'> & {
  /** Of the body as it stands in the file. */
  readonly bodyBytes: number;
};

export interface RdbLargeSink {
  /** The next bytes of the body, good until `piece` returns; the first ones hold all of its length. */
  readonly piece: PieceSink;
  /** The body is whole. */
  readonly end: () => void;
}

export interface RdbHandlers {
  /** Without it values are skipped, not collected: memory stays flat whatever the size of a key. */
  readonly onEntry?: (entry: RdbEntry) => void;
  /** Takes a value in pieces where it is one string of IN_PIECES_BYTES or more; `onEntry` gets it if this gives undefined. */
  readonly onLarge?: (head: RdbLargeHead) => RdbLargeSink | undefined;
  /** Source code of a function library. */
  readonly onFunction?: (code: Buffer) => void;
}

export interface RdbSummary {
  /** The number behind the magic: 9 for Redis 5 and 6, 10 for 7.0, 80 and up for Valkey 9. */
  readonly version: number;
  readonly product: 'redis' | 'valkey';
  /** Auxiliary fields: `redis-ver`, `ctime`, `used-mem`, `repl-id`, `repl-offset` … */
  readonly aux: Readonly<Record<string, string>>;
  readonly keys: number;
  /** Keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  /** Keys per RDB type. */
  readonly types: Readonly<Record<number, number>>;
  readonly functions: number;
  /** `absent` when the server writes none (`rdbchecksum no`). */
  readonly checksum: 'valid' | 'absent';
  readonly bytes: number;
}

const MAGIC = /^(?:REDIS(\d{4})|VALKEY(\d{3}))$/;
/** What the cursor is inside of, beside the opcodes of the file (0–255). */
const AT_MAGIC = -1;
const AT_OPCODE = -2;
const AT_KEY = -3;
const AT_VALUE = -4;
const AT_END = -5;

/**
 * Walks an RDB file as it streams, in pieces of any size. It knows where every record ends (shapes.ts) but decodes no
 * value. Throws RDB_MALFORMED, RDB_CHECKSUM_MISMATCH, RDB_TYPE_UNKNOWN from `push`, RDB_TRUNCATED from `end`.
 */
export class RdbWalker {
  readonly #handlers: RdbHandlers;
  readonly #cursor = new RdbCursor();
  #record = AT_MAGIC;

  #type = 0;
  #key: Buffer = Buffer.alloc(0);
  #expireAtMs: number | null = null;
  #db = 0;
  #keysInDb = 0;
  #large: RdbLargeSink | undefined;

  readonly #databases: Record<string, number> = {};
  readonly #aux: Record<string, string> = {};
  readonly #types = new Float64Array(256);
  #keys = 0;
  #functions = 0;
  #version = 0;
  #product: RdbSummary['product'] = 'redis';
  #checksum: RdbSummary['checksum'] = 'absent';
  #bytes = 0;

  constructor(handlers: RdbHandlers = {}) {
    this.#handlers = handlers;
    this.#cursor.enter(MAGIC_SHAPE);
    this.#cursor.capture();
  }

  /** Keys met so far. */
  get keys(): number {
    return this.#keys;
  }

  /** True once the end mark and its checksum have been read. */
  get ended(): boolean {
    return this.#record === AT_END;
  }

  /** The chunk is not looked at again when this returns. */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#cursor.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    while (this.#cursor.run() && this.#next());
    if (this.#record === AT_VALUE) this.#key = Buffer.from(this.#key);
    this.#cursor.leave();
  }

  /** To be called after the last byte. */
  end(): RdbSummary {
    if (!this.ended) {
      throw new LifeboatError('RDB_TRUNCATED', `read rdb: ends after ${this.#bytes} bytes without its end mark`);
    }
    return {
      version: this.#version,
      product: this.#product,
      aux: this.#aux,
      keys: this.#keys,
      databases: this.#databases,
      types: Object.fromEntries([...this.#types.entries()].filter(([, keys]) => keys > 0)),
      functions: this.#functions,
      checksum: this.#checksum,
      bytes: this.#bytes,
    };
  }

  /** Ends the record that the cursor has passed, or begins one; false when bytes are missing. */
  #next(): boolean {
    if (this.#record === AT_END) {
      if (!this.#cursor.atEnd) throw malformed('bytes behind the end mark');
      return false;
    }
    if (this.#record !== AT_OPCODE) {
      const record = this.#record;
      this.#record = AT_OPCODE;
      this.#finish(record);
      return true;
    }
    // An expiry that was read by itself belongs to the next record, which is then read by itself too.
    if (this.#handlers.onEntry === undefined && this.#expireAtMs === null) this.#passShortKeys();
    const opcode = this.#cursor.byte();
    if (opcode === undefined) return false;
    this.#begin(opcode);
    return true;
  }

  #passShortKeys(): void {
    const keys = this.#cursor.passShortKeys(this.#types);
    if (keys === 0) return;
    this.#keys += keys;
    this.#keysInDb += keys;
    this.#databases[this.#db] = this.#keysInDb;
  }

  #begin(opcode: number): void {
    const shape = OPCODE_SHAPES.get(opcode);
    if (shape === undefined) {
      this.#beginEntry(opcode);
      return;
    }
    this.#record = opcode;
    if (opcode === OPCODE.eof) this.#cursor.endChecksum();
    this.#cursor.enter(shape.steps);
    if (shape.captured) this.#cursor.capture();
  }

  #beginEntry(type: number): void {
    const shape = VALUE_SHAPES.get(type);
    if (shape === undefined) throw this.#unknownType(type);
    this.#type = type;
    if (this.#handlers.onEntry === undefined) {
      this.#record = AT_VALUE;
      this.#cursor.enter(shape);
      this.#cursor.enter(KEY_SHAPE);
    } else {
      this.#record = AT_KEY;
      this.#cursor.enter(KEY_SHAPE);
      this.#cursor.capture();
    }
  }

  #finish(record: number): void {
    switch (record) {
      case AT_MAGIC:
        this.#finishMagic(this.#cursor.captured().toString('latin1'));
        break;
      case AT_KEY:
        this.#key = readString(this.#cursor.captured()).value;
        this.#record = AT_VALUE;
        this.#cursor.enter(VALUE_SHAPES.get(this.#type)!);
        this.#captureValue();
        break;
      case AT_VALUE:
        this.#finishEntry();
        break;
      case OPCODE.selectDb:
        this.#db = requireLength(this.#cursor.captured(), 0).value;
        this.#keysInDb = this.#databases[this.#db] ?? 0;
        break;
      case OPCODE.expireMs:
        this.#expireAtMs = Number(this.#cursor.captured().readBigInt64LE(0));
        break;
      case OPCODE.expireSeconds:
        this.#expireAtMs = this.#cursor.captured().readInt32LE(0) * 1000;
        break;
      case OPCODE.aux:
        this.#finishAux(this.#cursor.captured());
        break;
      case OPCODE.function2:
        this.#finishFunction(this.#cursor.captured());
        break;
      case OPCODE.eof:
        this.#finishFile(this.#cursor.captured());
        break;
      default:
        // An opcode that only costs its bytes: sizes of tables, idle times, module state.
        break;
    }
  }

  #captureValue(): void {
    const { onLarge } = this.#handlers;
    if (onLarge === undefined || ONE_STRING_TYPES[this.#type] === 0) {
      this.#cursor.capture();
      return;
    }
    this.#cursor.capture((bodyBytes) => {
      // A copy: the bytes of the key are gone before those of the value have come.
      const key = Buffer.from(this.#key);
      this.#large = onLarge({ db: this.#db, key, type: this.#type, expireAtMs: this.#expireAtMs, bodyBytes });
      return this.#large?.piece;
    });
  }

  #finishMagic(magic: string): void {
    const match = MAGIC.exec(magic);
    if (match === null) throw malformed('does not begin with the magic of an RDB file');
    this.#product = match[1] === undefined ? 'valkey' : 'redis';
    this.#version = Number(match[1] ?? match[2]);
  }

  #finishEntry(): void {
    const expireAtMs = this.#expireAtMs;
    this.#expireAtMs = null;
    this.#keys += 1;
    this.#keysInDb += 1;
    this.#types[this.#type]! += 1;
    this.#databases[this.#db] = this.#keysInDb;
    if (this.#handlers.onEntry === undefined) return;
    const value = this.#cursor.captured();
    if (this.#large !== undefined) {
      this.#large.end();
      this.#large = undefined;
      return;
    }
    this.#handlers.onEntry({ db: this.#db, key: this.#key, type: this.#type, expireAtMs, value });
  }

  #finishAux(bytes: Buffer): void {
    const name = readString(bytes);
    this.#aux[name.value.toString('latin1')] = readString(bytes, name.end).value.toString('latin1');
  }

  #finishFunction(bytes: Buffer): void {
    this.#functions += 1;
    this.#handlers.onFunction?.(readString(bytes).value);
  }

  #finishFile(stored: Buffer): void {
    this.#record = AT_END;
    if (stored.every((byte) => byte === 0)) return;
    if (!this.#cursor.checksumEquals(stored)) {
      throw new LifeboatError(
        'RDB_CHECKSUM_MISMATCH',
        `read rdb: the crc64 of ${this.#bytes} bytes is not the stored one`,
      );
    }
    this.#checksum = 'valid';
  }

  #unknownType(type: number): LifeboatError {
    const where = `${this.#product} rdb version ${this.#version}`;
    return new LifeboatError('RDB_TYPE_UNKNOWN', `read rdb: record type ${type} of ${where} is not known`, {
      details: { type, rdbVersion: this.#version, product: this.#product },
    });
  }
}

/** Walks a whole stream without looking at values. */
export async function countRdb(source: AsyncIterable<Uint8Array>): Promise<RdbSummary> {
  const walker = new RdbWalker();
  for await (const chunk of source) walker.push(chunk);
  return walker.end();
}

export type RdbItem =
  | { readonly kind: 'entry'; readonly entry: RdbEntry }
  | { readonly kind: 'function'; readonly code: Buffer }
  /** The last item: the file is whole and its checksum right. */
  | { readonly kind: 'end'; readonly summary: RdbSummary };

/** Everything in an RDB file in its order; in memory are one chunk and the biggest value. Use a buffer before the next item. */
export async function* readRdb(source: AsyncIterable<Uint8Array>): AsyncGenerator<RdbItem, void, undefined> {
  let items: RdbItem[] = [];
  const walker = new RdbWalker({
    onEntry: (entry) => items.push({ kind: 'entry', entry }),
    onFunction: (code) => items.push({ kind: 'function', code }),
  });
  for await (const chunk of source) {
    walker.push(chunk);
    const ready = items;
    items = [];
    yield* ready;
  }
  yield { kind: 'end', summary: walker.end() };
}
