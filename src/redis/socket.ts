import type { Socket } from 'node:net';
import { type ErrorCode, LifeboatError } from '../domain/errors.ts';
import { abortError, connectSocket, nameOf } from './connect.ts';
import type { RedisTarget } from './redis.ts';
import { authError, replyError } from './reply-error.ts';
import { encodeCommands, type RedisArgument, RespError, RespParser, RespSyntaxError, type RespValue } from './resp.ts';

/** A reply may take this long to begin, or a further part of it to come: FLUSHALL and DUMP of giants block for seconds. */
const REPLY_TIMEOUT_MS = 120_000;
/** Replies that nobody has read yet; above it the socket is paused, so that a slow reader holds the server back. */
const UNREAD_MAX_BYTES = 4 * 1024 * 1024;
/** What a reply costs beside its bytes, roughly. */
const REPLY_OVERHEAD_BYTES = 64;

export interface RedisSocketOptions {
  readonly signal?: AbortSignal;
  /** Silence allowed while a reply is awaited, or the server takes no bytes; REDIS_TIMEOUT after it. */
  readonly replyTimeoutMs?: number;
}

/**
 * One connection, authenticated. Replies come in the order of the commands; `write` and `read` are the pipelined form of
 * `command`. After any failure all pending and later calls reject with the same error, and the socket is closed.
 * An abort of the signal closes it too.
 */
export interface RedisSocket {
  /** `host:port` for messages. */
  readonly name: string;
  /** Our own address as the server sees it. */
  readonly localAddress: string;
  /** The server's address as we see it. */
  readonly remoteAddress: string;
  /** One command and its reply; an error reply is thrown (REDIS_PERMISSION_DENIED, REDIS_REPLY_ERROR …). */
  command(...command: readonly RedisArgument[]): Promise<RespValue>;
  /** Many commands in one write; one reply each, in order, an error reply as a RespError among them. */
  pipeline(commands: readonly (readonly RedisArgument[])[]): Promise<RespValue[]>;
  /** Sends encoded commands; resolves when the system has taken them. `read` once per command. */
  write(encoded: readonly Uint8Array[]): Promise<void>;
  /** The next reply if it is there already, else undefined: the cheap half of `read` for long pipelines. */
  take(): RespValue | undefined;
  read(): Promise<RespValue>;
  /**
   * Gives the bare socket away, paused, without listeners except that of the abort; no reply may be pending.
   * From here on the caller listens for `error` and destroys it.
   */
  detach(): Socket;
  /** Ends the connection; safe to call twice. */
  close(): void;
}

interface Reader {
  resolve(value: RespValue): void;
  reject(error: Error): void;
}

/** Connects (TCP or TLS) and authenticates. REDIS_UNREACHABLE, REDIS_TLS_FAILED, REDIS_AUTH_FAILED, REDIS_TIMEOUT. */
export async function openRedisSocket(target: RedisTarget, options: RedisSocketOptions = {}): Promise<RedisSocket> {
  const socket = await connectSocket(target, options.signal);
  const redis = new Connection(socket, nameOf(target), options);
  try {
    if (target.password !== undefined && target.password !== '') await authenticate(redis, target, target.password);
    return redis;
  } catch (error) {
    redis.close();
    throw error;
  }
}

async function authenticate(redis: RedisSocket, target: RedisTarget, password: string): Promise<void> {
  const user = target.username === undefined || target.username === '' ? [] : [target.username];
  const [reply] = await redis.pipeline([['AUTH', ...user, password]]);
  if (reply instanceof RespError) throw authError(reply, redis.name);
}

class Connection implements RedisSocket {
  readonly name: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #signal: AbortSignal | undefined;
  readonly #parser = new RespParser({ releases: true });
  readonly #unread = new Fifo<RespValue>();
  readonly #readers = new Fifo<Reader>();
  readonly #replyTimeoutMs: number;
  #unreadBytes = 0;
  #pendingWrites = 0;
  #failure: LifeboatError | undefined;

  constructor(socket: Socket, name: string, options: RedisSocketOptions) {
    this.name = name;
    this.localAddress = socket.localAddress ?? '';
    this.remoteAddress = socket.remoteAddress ?? '';
    this.#socket = socket;
    this.#signal = options.signal;
    this.#replyTimeoutMs = options.replyTimeoutMs ?? REPLY_TIMEOUT_MS;
    socket.setTimeout(this.#replyTimeoutMs);
    socket
      .on('data', this.#onData)
      .on('timeout', this.#onTimeout)
      .on('error', this.#onError)
      .on('close', this.#onClose);
  }

  async command(...command: readonly RedisArgument[]): Promise<RespValue> {
    const [reply] = await this.pipeline([command]);
    if (reply instanceof RespError)
      throw replyError(reply, `${String(command[0]).toLowerCase()} at redis ${this.name}`);
    return reply!;
  }

  async pipeline(commands: readonly (readonly RedisArgument[])[]): Promise<RespValue[]> {
    // Readers are queued in the same turn as the write, so that calls made side by side keep their replies apart.
    const written = this.write(encodeCommands(commands));
    const replies = Promise.all(commands.map(() => this.read()));
    const [values] = await Promise.all([replies, written]);
    return values;
  }

  write(encoded: readonly Uint8Array[]): Promise<void> {
    const last = encoded.at(-1);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (last === undefined) return Promise.resolve();
    this.#pendingWrites += 1;
    return new Promise((resolve, reject) => {
      this.#socket.cork();
      for (const part of encoded.slice(0, -1)) this.#socket.write(part);
      this.#socket.write(last, (error) => {
        this.#pendingWrites -= 1;
        if (error) reject(this.#fail('REDIS_CONNECTION_LOST', error.message, error));
        else resolve();
      });
      this.#socket.uncork();
    });
  }

  take(): RespValue | undefined {
    const value = this.#unread.shift();
    if (this.#unread.size === 0 && this.#unreadBytes > 0) {
      this.#unreadBytes = 0;
      if (this.#socket.isPaused()) this.#socket.resume();
    }
    return value;
  }

  read(): Promise<RespValue> {
    const ready = this.take();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  detach(): Socket {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#unread.size > 0 || this.#readers.size > 0 || this.#parser.pendingBytes > 0) {
      throw this.#fail('REDIS_PROTOCOL_ERROR', 'bytes that answer no command');
    }
    this.#socket.off('data', this.#onData).off('timeout', this.#onTimeout);
    this.#socket.off('error', this.#onError).off('close', this.#onClose);
    this.#socket.setTimeout(0);
    this.#socket.pause();
    return this.#socket;
  }

  close(): void {
    this.#fail('REDIS_CONNECTION_LOST', 'closed by us');
  }

  readonly #onTimeout = (): void => {
    const seconds = this.#replyTimeoutMs / 1000;
    if (this.#readers.size > 0) this.#fail('REDIS_TIMEOUT', `nothing came for ${seconds} s`);
    // While we are paused the server waits for us, and not we for it.
    else if (this.#pendingWrites > 0 && !this.#socket.isPaused()) {
      this.#fail('REDIS_TIMEOUT', `nothing was taken for ${seconds} s`);
    }
  };

  readonly #onError = (error: Error): void => void this.#fail('REDIS_CONNECTION_LOST', error.message, error);

  readonly #onClose = (): void => void this.#fail('REDIS_CONNECTION_LOST', 'connection closed by the server');

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#parser.push(chunk);
      for (let value = this.#parser.next(); value !== undefined; value = this.#parser.next()) this.#deliver(value);
    } catch (error) {
      if (!(error instanceof RespSyntaxError)) throw error;
      this.#fail('REDIS_PROTOCOL_ERROR', error.message, error);
    }
  };

  #deliver(value: RespValue): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve(value);
      return;
    }
    this.#unread.push(value);
    this.#unreadBytes += value instanceof Buffer ? value.length + REPLY_OVERHEAD_BYTES : REPLY_OVERHEAD_BYTES;
    if (this.#unreadBytes > UNREAD_MAX_BYTES) this.#socket.pause();
  }

  /** The first failure stays; the abort that caused it takes its place. */
  #fail(code: ErrorCode, what: string, cause?: unknown): LifeboatError {
    const doing = `talk to redis ${this.name}`;
    this.#failure ??= this.#signal?.aborted
      ? abortError(this.#signal, doing)
      : new LifeboatError(code, `${doing}: ${what}`, { cause });
    this.#socket.destroy();
    for (let reader = this.#readers.shift(); reader !== undefined; reader = this.#readers.shift()) {
      reader.reject(this.#failure);
    }
    return this.#failure;
  }
}

/** A queue whose `shift` costs the same at any length: pipelines hold tens of thousands of replies. */
class Fifo<T> {
  #items: (T | undefined)[] = [];
  #from = 0;

  get size(): number {
    return this.#items.length - this.#from;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#from === this.#items.length) return undefined;
    const item = this.#items[this.#from];
    this.#items[this.#from] = undefined;
    this.#from += 1;
    if (this.#from === this.#items.length) {
      this.#items = [];
      this.#from = 0;
    }
    return item;
  }
}
