import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { replyError } from '../reply-error.ts';
import { RespError } from '../resp.ts';
import type { RedisTarget } from '../redis.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { describeKey } from '../values/key-name.ts';
import { CommandBuffer } from './command-buffer.ts';
import { toMilliseconds } from './scan/expiry-reader.ts';
import type { DumpFunctions, DumpItem, DumpKey } from './stream/format.ts';

/** A batch is sent when it holds so many keys or bytes; so many batches may be unanswered, so the target never idles. */
const BATCH_KEYS = 1000;
const BATCH_BYTES = 1024 * 1024;
const BATCHES_IN_FLIGHT_MAX = 4;

export interface RestoreOptions {
  readonly operation: Operation;
  /** Overwrite keys and libraries that exist; without it the first of them ends the import with REDIS_KEY_EXISTS. */
  readonly replace: boolean;
}

export interface RestoreResult {
  readonly keys: number;
  /** Keys restored, per database number. */
  readonly databases: Readonly<Record<string, number>>;
  /** Keys passed over because they had expired by the clock of the target. */
  readonly expired: number;
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
  items: AsyncIterable<DumpItem>,
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
  #db = 0;
  #keys = 0;
  #expired = 0;
  #bytes = 0;

  constructor(socket: RedisSocket, options: RestoreOptions & TargetLimits) {
    this.#socket = socket;
    this.#options = options;
  }

  async add(item: DumpItem): Promise<void> {
    if (item.kind === 'header') return;
    if (item.kind === 'functions') this.#addFunctions(item);
    else this.#addKey(item);
    if (this.#batch.length >= BATCH_KEYS || this.#commands.sizeBytes >= BATCH_BYTES) await this.#send();
  }

  async finish(): Promise<RestoreResult> {
    await this.#send();
    while (this.#inFlight.length > 0) await this.#settleOldest();
    return { keys: this.#keys, databases: this.#databases, expired: this.#expired, bytes: this.#bytes };
  }

  #addFunctions({ payload }: DumpFunctions): void {
    this.#commands.add('FUNCTION', 'RESTORE', payload, this.#options.replace ? 'REPLACE' : 'APPEND');
    this.#batch.push(FUNCTIONS);
  }

  #addKey({ db, key, payload, expireAtMs }: DumpKey): void {
    if (expireAtMs !== null && expireAtMs <= this.#options.nowMs()) {
      this.#expired += 1;
      return;
    }
    if (payload.length > this.#options.payloadMaxBytes) throw tooLong({ db, key, payloadBytes: payload.length });
    if (db !== this.#db) {
      this.#commands.add('SELECT', String(db));
      this.#batch.push(SELECT);
      this.#db = db;
    }
    const expiry = expireAtMs === null ? '0' : String(Math.min(expireAtMs, Number.MAX_SAFE_INTEGER));
    if (this.#options.replace) this.#commands.add('RESTORE', key, expiry, payload, 'ABSTTL', 'REPLACE');
    else this.#commands.add('RESTORE', key, expiry, payload, 'ABSTTL');
    this.#batch.push({ what: 'key', item: { db, key, payloadBytes: payload.length } });
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
      if (reply instanceof RespError) throw refusal(reply, sent);
      if (sent.what === 'key') this.#count(sent.item);
    }
    this.#options.operation.onProgress({
      phase: 'restoring',
      object: `db${this.#db}`,
      bytes: this.#bytes,
      items: this.#keys,
    });
  }

  #count({ db, payloadBytes }: SentKey): void {
    this.#keys += 1;
    this.#bytes += payloadBytes;
    this.#databases[db] = (this.#databases[db] ?? 0) + 1;
  }
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
