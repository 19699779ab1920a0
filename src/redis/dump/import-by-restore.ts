import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { replyError } from '../reply-error.ts';
import { RespError } from '../resp.ts';
import type { RedisTarget } from '../redis.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { describeKey } from '../values/key-name.ts';
import { CommandBuffer } from './command-buffer.ts';
import { toMilliseconds } from './scan/expiry-reader.ts';
import type { DumpFunctions, DumpKey, LargeKey, PayloadPiece, RestoreItem } from './stream/format.ts';

/** A batch is sent when it holds so many keys or bytes; so many batches may be unanswered, so the target never idles. */
const BATCH_KEYS = 1000;
const BATCH_BYTES = 1024 * 1024;
const BATCHES_IN_FLIGHT_MAX = 4;

export interface RestoreOptions {
  readonly operation: Operation;
  /** Overwrite keys and libraries that exist; without it the first of them ends the import with REDIS_KEY_EXISTS. */
  readonly replace: boolean;
  /** Pass over keys that exist instead, and count them. */
  readonly skipExisting?: boolean;
}

export interface RestoreResult {
  readonly keys: number;
  /** Keys restored, per database number. */
  readonly databases: Readonly<Record<string, number>>;
  /** Keys passed over because they had expired by the clock of the target. */
  readonly expired: number;
  /** Keys passed over because they exist on the target; 0 unless that was asked for. */
  readonly skipped: number;
  /** Payload bytes of the restored keys. */
  readonly bytes: number;
}

/**
 * Writes keys with RESTORE … ABSTTL over one connection, functions with FUNCTION RESTORE. Expiries are absolute, so
 * they are what they were, however long the import takes. What was written before an error stays on the target.
 * Items are taken in order; what their buffers show must not be overwritten while the import runs.
 *
 * Throws REDIS_KEY_EXISTS, REDIS_PAYLOAD_REFUSED, REDIS_OUT_OF_MEMORY, REDIS_PERMISSION_DENIED, REDIS_READ_ONLY,
 * REDIS_CONNECTION_LOST; the key in question is named by its prefix and hash.
 */
export async function importByRestore(
  target: RedisTarget,
  items: AsyncIterable<RestoreItem>,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const socket = await openRedisSocket(target, { signal: options.operation.signal });
  try {
    const restore = new Restore(socket, { ...options, ...(await askTarget(socket)) });
    for await (const item of items) await restore.add(item);
    return await restore.finish();
  } finally {
    socket.close();
  }
}

/** What has to be known about the target before anything is written. */
interface TargetLimits {
  readonly nowMs: () => number;
  readonly payloadMaxBytes: number;
}

async function askTarget(socket: RedisSocket): Promise<TargetLimits> {
  const [time, limit] = await socket.pipeline([['TIME'], ['CONFIG', 'GET', 'proto-max-bulk-len']]);
  // The clock of the target decides what has expired; ours serves where TIME is not granted.
  const aheadMs = time instanceof RespError ? 0 : toMilliseconds(time) - Date.now();
  // Where CONFIG is not granted a payload that is too long ends the connection instead of being refused beforehand.
  const known = Array.isArray(limit) && limit[1] instanceof Buffer ? Number(limit[1].toString('latin1')) : Infinity;
  return { nowMs: () => Date.now() + aheadMs, payloadMaxBytes: known };
}

/** What a reply belongs to; for a key only what a message needs, so that payloads are let go. */
type Sent = { readonly what: 'select' | 'functions' } | { readonly what: 'key'; readonly item: SentKey };

interface SentKey {
  readonly db: number;
  readonly key: Buffer;
  readonly payloadBytes: number;
}

const SELECT: Sent = { what: 'select' };
const FUNCTIONS: Sent = { what: 'functions' };

class Restore {
  readonly #socket: RedisSocket;
  readonly #options: RestoreOptions & TargetLimits;
  readonly #commands = new CommandBuffer();
  readonly #inFlight: (readonly Sent[])[] = [];
  readonly #databases: Record<string, number> = {};
  #batch: Sent[] = [];
  /** The key whose pieces are coming. */
  #large: { readonly item: SentKey; readonly taken: boolean; missingBytes: number } | undefined;
  #db = 0;
  #keys = 0;
  #expired = 0;
  #skipped = 0;
  #bytes = 0;

  constructor(socket: RedisSocket, options: RestoreOptions & TargetLimits) {
    this.#socket = socket;
    this.#options = options;
  }

  async add(item: RestoreItem): Promise<void> {
    if (item.kind === 'header') return;
    if (item.kind === 'large key') return await this.#beginLarge(item);
    if (item.kind === 'piece') return await this.#addPiece(item);
    if (item.kind === 'functions') this.#addFunctions(item);
    else this.#addKey(item);
    if (this.#batch.length >= BATCH_KEYS || this.#commands.sizeBytes >= BATCH_BYTES) await this.#send();
  }

  async finish(): Promise<RestoreResult> {
    await this.#send();
    while (this.#inFlight.length > 0) await this.#settleOldest();
    return {
      keys: this.#keys,
      databases: this.#databases,
      expired: this.#expired,
      skipped: this.#skipped,
      bytes: this.#bytes,
    };
  }

  #addFunctions({ payload }: DumpFunctions): void {
    this.#commands.add('FUNCTION', 'RESTORE', payload, this.#options.replace ? 'REPLACE' : 'APPEND');
    this.#batch.push(FUNCTIONS);
  }

  #addKey({ db, key, payload, expireAtMs }: DumpKey): void {
    const item = { db, key, payloadBytes: payload.length };
    if (!this.#prepare(item, expireAtMs)) return;
    if (this.#options.replace) this.#commands.add('RESTORE', key, expiryOf(expireAtMs), payload, 'ABSTTL', 'REPLACE');
    else this.#commands.add('RESTORE', key, expiryOf(expireAtMs), payload, 'ABSTTL');
    this.#batch.push({ what: 'key', item });
  }

  /** False for a key that has expired; otherwise its database is selected. */
  #prepare(item: SentKey, expireAtMs: number | null): boolean {
    if (expireAtMs !== null && expireAtMs <= this.#options.nowMs()) {
      this.#expired += 1;
      return false;
    }
    if (item.payloadBytes > this.#options.payloadMaxBytes) throw tooLong(item);
    if (item.db === this.#db) return true;
    this.#commands.add('SELECT', String(item.db));
    this.#batch.push(SELECT);
    this.#db = item.db;
    return true;
  }

  /** The command stays open until the last piece. Pieces of a key that has expired are passed over. */
  async #beginLarge({ db, key, expireAtMs, payloadBytes }: LargeKey): Promise<void> {
    // A copy: it is needed for a message when the bytes around it are gone.
    const item = { db, key: Buffer.from(key), payloadBytes };
    const taken = this.#prepare(item, expireAtMs);
    await this.#send();
    this.#large = { item, taken, missingBytes: payloadBytes };
    if (!taken) return;
    const more = this.#options.replace ? 2 : 1;
    this.#commands.begin(['RESTORE', item.key, expiryOf(expireAtMs)], { sizeBytes: payloadBytes, more });
  }

  async #addPiece({ bytes }: PayloadPiece): Promise<void> {
    const large = this.#large;
    if (large === undefined) throw new LifeboatError('INTERNAL', 'restore redis: a piece of no key');
    large.missingBytes -= bytes.length;
    if (large.taken) this.#commands.piece(bytes);
    if (large.missingBytes > 0) {
      // At once: the bytes are good until the next piece only.
      if (large.taken) await this.#socket.write(this.#commands.take());
      this.#options.operation.onProgress({
        phase: 'restoring',
        object: `db${large.item.db}`,
        bytes: this.#bytes + large.item.payloadBytes - large.missingBytes,
        items: this.#keys,
      });
      return;
    }
    this.#large = undefined;
    if (!large.taken) return;
    this.#commands.end(...(this.#options.replace ? ['ABSTTL', 'REPLACE'] : ['ABSTTL']));
    this.#batch.push({ what: 'key', item: large.item });
    await this.#send();
  }

  async #send(): Promise<void> {
    if (this.#batch.length === 0) return;
    if (this.#inFlight.length === BATCHES_IN_FLIGHT_MAX) await this.#settleOldest();
    this.#inFlight.push(this.#batch);
    this.#batch = [];
    await this.#socket.write(this.#commands.take());
  }

  async #settleOldest(): Promise<void> {
    for (const sent of this.#inFlight.shift() ?? []) {
      // Most replies are there already: no turn of the event loop for them.
      let reply = this.#socket.take();
      if (reply === undefined) reply = await this.#socket.read();
      if (reply instanceof RespError && !this.#mayExist(reply)) throw refusal(reply, sent);
      if (reply instanceof RespError) this.#skipped += 1;
      else if (sent.what === 'key') this.#count(sent.item);
    }
    this.#options.operation.onProgress({
      phase: 'restoring',
      object: `db${this.#db}`,
      bytes: this.#bytes,
      items: this.#keys,
    });
  }

  #mayExist(reply: RespError): boolean {
    return reply.code === 'BUSYKEY' && this.#options.skipExisting === true;
  }

  #count({ db, payloadBytes }: SentKey): void {
    this.#keys += 1;
    this.#bytes += payloadBytes;
    this.#databases[db] = (this.#databases[db] ?? 0) + 1;
  }
}

function expiryOf(expireAtMs: number | null): string {
  return expireAtMs === null ? '0' : String(Math.min(expireAtMs, Number.MAX_SAFE_INTEGER));
}

function tooLong(item: SentKey): LifeboatError {
  const fact = 'longer than proto-max-bulk-len of the target';
  return new LifeboatError('REDIS_PAYLOAD_REFUSED', `${doingOf(item)}: ${fact}`, {
    details: { db: item.db, payloadBytes: item.payloadBytes },
    hint: 'raise proto-max-bulk-len of the target above the size of the payload, then restore again',
  });
}

function doingOf({ db, key, payloadBytes }: SentKey): string {
  return `restore redis key ${describeKey(key)} of db${db}, ${payloadBytes} bytes`;
}

function refusal(reply: RespError, sent: Sent): LifeboatError {
  if (sent.what !== 'key') return replyError(reply, sent.what === 'select' ? 'select' : 'restore functions');
  const doing = doingOf(sent.item);
  const details = { db: sent.item.db, payloadBytes: sent.item.payloadBytes, redisError: reply.code };
  switch (reply.code) {
    case 'BUSYKEY':
      return new LifeboatError('REDIS_KEY_EXISTS', `${doing}: it exists`, { details });
    // RESTORE has no code of its own for a payload it cannot read; its words are kept for people.
    case 'ERR':
      return new LifeboatError('REDIS_PAYLOAD_REFUSED', `${doing}: ${reply.message}`, { details });
    default:
      return replyError(reply, doing);
  }
}
