import { LifeboatError } from '../../../domain/errors.ts';
import { replyError } from '../../reply-error.ts';
import { RespError, type RespValue } from '../../resp.ts';
import type { RedisSocket } from '../../socket.ts';
import { describeKey } from '../../values/key-name.ts';
import { CommandBuffer } from '../command-buffer.ts';
import { type ExpiryReader, MISSING, NEVER } from './expiry-reader.ts';
import { createFlightWindow } from './flight-window.ts';
import { createRecentKeys } from './recent-keys.ts';
import { readScanReply } from './scan-reply.ts';

/** Keys a SCAN looks at; 1000 block the server for about a millisecond. */
const SCAN_COUNT = '1000';
/** A key whose expiry differs before and behind its value is read again, so often at most. */
const ATTEMPTS_MAX = 10;

export interface ScannedKey {
  readonly key: Buffer;
  readonly payload: Buffer;
  readonly expireAtMs: number | null;
}

/** What was asked and not answered yet; the server answers in order. */
type Request = { readonly kind: 'scan' } | { readonly kind: 'values'; readonly keys: readonly Buffer[] };

/** Values are handed on when so many bytes of them have come, so that few big ones are in memory together. */
const BATCH_BYTES = 1024 * 1024;

/**
 * Reads all keys of the selected database: SCAN runs ahead of the values, values are asked for in a window that keeps
 * the server busy and its memory small. Values of keys that vanish are passed over; a value whose expiry was changed
 * while it was read is read again, so that value and expiry of one key belong together. Different keys are read at
 * different times.
 */
export class DatabaseScan {
  readonly #socket: RedisSocket;
  readonly #expiry: ExpiryReader;
  readonly #wanted: (key: Buffer) => boolean;
  readonly #commands = new CommandBuffer();
  readonly #window = createFlightWindow();
  readonly #recent = createRecentKeys();
  readonly #attempts = new Map<string, number>();
  readonly #requests: Request[] = [];
  readonly #waiting: Buffer[] = [];
  #keysInFlight = 0;
  #cursor: string | undefined = '0';
  #scanning = false;

  /** Reads these keys of the selected database instead of all. */
  static ofKeys(socket: RedisSocket, expiry: ExpiryReader, keys: readonly Buffer[]): DatabaseScan {
    const scan = new DatabaseScan(socket, expiry);
    scan.#cursor = undefined;
    scan.#waiting.push(...keys);
    return scan;
  }

  /** @param wanted tells which keys are read; all without it */
  constructor(socket: RedisSocket, expiry: ExpiryReader, wanted: (key: Buffer) => boolean = () => true) {
    this.#socket = socket;
    this.#expiry = expiry;
    this.#wanted = wanted;
  }

  /** All keys, in batches. */
  async *batches(): AsyncGenerator<readonly ScannedKey[], void, undefined> {
    for (;;) {
      await this.#ask();
      const request = this.#requests.shift();
      if (request === undefined) return;
      if (request.kind === 'scan') this.#takeScan(await this.#socket.read());
      else yield* this.#takeValues(request.keys);
    }
  }

  /** Fills the window: a SCAN first when keys run short, so that its answer does not wait behind the values. */
  async #ask(): Promise<void> {
    const window = this.#window.keys;
    if (this.#cursor !== undefined && !this.#scanning && this.#waiting.length < window) {
      this.#commands.add('SCAN', this.#cursor, 'COUNT', SCAN_COUNT);
      this.#requests.push({ kind: 'scan' });
      this.#scanning = true;
    }
    // Requests of a quarter of the window, so that the next is under way while one is read.
    const portion = Math.ceil(window / 4);
    while (this.#waiting.length > 0 && this.#keysInFlight < window) this.#askValues(this.#waiting.splice(0, portion));
    if (this.#commands.sizeBytes > 0) await this.#socket.write(this.#commands.take());
  }

  #askValues(keys: readonly Buffer[]): void {
    for (const key of keys) {
      this.#expiry.askBefore(this.#commands, key);
      this.#commands.add('DUMP', key);
      this.#expiry.askAfter(this.#commands, key);
    }
    this.#requests.push({ kind: 'values', keys });
    this.#keysInFlight += keys.length;
  }

  #takeScan(reply: RespValue): void {
    const { next, keys } = readScanReply(reply, this.#socket);
    this.#scanning = false;
    this.#cursor = next;
    for (const key of keys) {
      if (this.#wanted(key) && !this.#recent.add(key)) this.#waiting.push(key);
    }
  }

  async *#takeValues(keys: readonly Buffer[]): AsyncGenerator<readonly ScannedKey[], void, undefined> {
    const replies: RespValue[] = [];
    const expected = this.#expiry.replies * 2 + 1;
    let batch: ScannedKey[] = [];
    let batchBytes = 0;
    for (const key of keys) {
      for (let index = 0; index < expected; index += 1) {
        // Most replies are there already: no turn of the event loop for them.
        let reply = this.#socket.take();
        if (reply === undefined) reply = await this.#socket.read();
        replies[index] = reply;
      }
      this.#keysInFlight -= 1;
      const scanned = this.#toKey(key, replies);
      if (scanned === undefined) continue;
      batch.push(scanned);
      batchBytes += scanned.payload.length;
      if (batchBytes < BATCH_BYTES) continue;
      yield batch;
      batch = [];
      batchBytes = 0;
    }
    if (batch.length > 0) yield batch;
  }

  /** Undefined when the key is gone, or has to be read again. */
  #toKey(key: Buffer, replies: readonly RespValue[]): ScannedKey | undefined {
    const payload = replies[this.#expiry.replies];
    if (payload instanceof RespError) throw replyError(payload, `dump at redis ${this.#socket.name}`);
    const before = this.#expiry.before(replies, 0);
    const after = this.#expiry.after(replies, this.#expiry.replies + 1);
    if (payload === null) return undefined;
    if (!(payload instanceof Buffer)) throw this.#unexpected('dump');
    this.#window.saw(payload.length);
    if (before === after && before !== MISSING) return { key, payload, expireAtMs: before === NEVER ? null : before };
    this.#readAgain(key);
    return undefined;
  }

  #readAgain(key: Buffer): void {
    const text = key.toString('latin1');
    const attempts = (this.#attempts.get(text) ?? 1) + 1;
    if (attempts > ATTEMPTS_MAX) {
      const fact = `its expiry changed ${ATTEMPTS_MAX} times while its value was read`;
      throw new LifeboatError('REDIS_KEY_CHANGING', `read redis key ${describeKey(key)}: ${fact}`);
    }
    this.#attempts.set(text, attempts);
    this.#waiting.push(key);
  }

  #unexpected(command: string): LifeboatError {
    return new LifeboatError(
      'REDIS_PROTOCOL_ERROR',
      `${command} at redis ${this.#socket.name}: reply of another shape`,
    );
  }
}
