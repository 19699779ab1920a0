import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { LifeboatError } from '../../domain/errors.ts';
import { release } from '../../platform/release-memory.ts';
import { RespParser, type RespValue } from '../resp.ts';

/** A replica that loads sends a line feed every few megabytes, one that has loaded an ACK every second. */
const SILENCE_MAX_MS = 90_000;

/** A replica leaves a master that is silent for `repl-timeout` (60 s); Redis itself pings every 10 s. */
const PING_MS = 5_000;
const PING = Buffer.from('*1\r\n$4\r\nPING\r\n', 'latin1');

/** What a master gives its replica. */
export interface Offer {
  /** History under which the snapshot is offered, 40 hex characters. */
  readonly replid: string;
  readonly offset: number;
  /**
   * The RDB. It must end clean only when it is whole and sound: a Redis that loads a broken file may end itself. The memory of
   * each chunk is freed once it was sent.
   */
  readonly rdb: () => AsyncIterable<Uint8Array>;
  /** Commands that follow the snapshot, whole ones to the end, and the offset behind the last of them. */
  readonly stream?: { readonly open: () => AsyncIterable<Uint8Array>; readonly endOffset: number };
  /** Called before the first byte; what it throws ends the session. */
  readonly beforeServing: () => Promise<void>;
}

/**
 * The master's side of one replica link, as far as a full resynchronization needs it: answers the handshake, sends the
 * snapshot with an end mark, and waits until the replica acknowledges the offset, which it does once it has loaded.
 * The replica proves who it is by the history it names in PSYNC: only the target knows its own replid.
 */
export class ReplicaSession {
  readonly #socket: Socket;
  readonly #offer: Offer;
  readonly #isTarget: (replid: string) => boolean;
  readonly #parser = new RespParser({ keepAlives: true });
  #takesMark = false;
  #serving = false;
  #acknowledged = -1;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, offer: Offer, isTarget: (replid: string) => boolean) {
    this.#socket = socket;
    this.#offer = offer;
    this.#isTarget = isTarget;
    socket.setNoDelay(true);
    socket.setTimeout(SILENCE_MAX_MS);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('timeout', () =>
      this.fail(lost(`the target sent nothing for ${SILENCE_MAX_MS / 1000} s`, 'REDIS_TIMEOUT')),
    );
    socket.on('error', (error) => this.fail(lost(error.message)));
    socket.on('close', () => this.fail(lost('the target closed the replication link')));
    socket.on('drain', () => this.#wake());
  }

  /** Resolves with true when the peer has asked for the snapshot and is the target; false when it is not, or left. */
  async authenticated(): Promise<boolean> {
    while (!this.#serving && this.#failure === undefined) await this.#change();
    return this.#serving;
  }

  /** Sends the snapshot and what follows it, and resolves when the replica has loaded it all. */
  async serve(onBytes: (bytes: number) => void): Promise<void> {
    if (!this.#takesMark) {
      throw new LifeboatError(
        'REDIS_IMPORT_IMPOSSIBLE',
        'restore by replication: the target takes no snapshot of unknown length',
      );
    }
    const mark = randomBytes(20).toString('hex');
    await this.#offer.beforeServing();
    await this.#send(Buffer.from(`+FULLRESYNC ${this.#offer.replid} ${this.#offer.offset}\r\n`, 'latin1'));
    // The first bytes of the snapshot may take the repository a while; until they are there the link is kept alive.
    const keepAlive = setInterval(() => this.#socket.write('\n'), 1000);
    let started = false;
    try {
      for await (const chunk of this.#offer.rdb()) {
        clearInterval(keepAlive);
        if (!started) await this.#send(Buffer.from(`$EOF:${mark}\r\n`, 'latin1'));
        started = true;
        const sizeBytes = chunk.length;
        await this.#send(chunk, () => release(chunk));
        onBytes(sizeBytes);
      }
    } finally {
      clearInterval(keepAlive);
    }
    await this.#send(Buffer.from(mark, 'latin1'));
    // Behind the mark nothing may come before the replica has loaded: it looks for the mark at the end of what it reads.
    await this.#acknowledgement(this.#offer.offset);
    if (this.#offer.stream !== undefined) await this.#replay(this.#offer.stream, onBytes);
  }

  async #replay(stream: NonNullable<Offer['stream']>, onBytes: (bytes: number) => void): Promise<void> {
    for await (const chunk of stream.open()) {
      await this.#send(chunk);
      onBytes(chunk.length);
    }
    await this.#acknowledgement(stream.endOffset);
  }

  async #acknowledgement(offset: number): Promise<void> {
    while (this.#acknowledged < offset) {
      this.#throwIfFailed();
      await this.#change();
    }
  }

  /** Keeps the loaded replica on its link while `work` runs, and fails when the link is lost meanwhile. */
  async whileLinked<T>(work: () => Promise<T>): Promise<T> {
    const pings = setInterval(() => this.#socket.write(PING), PING_MS);
    try {
      const done = await work();
      this.#throwIfFailed();
      return done;
    } finally {
      clearInterval(pings);
    }
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    this.#wake();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #send(bytes: Uint8Array, onWritten?: () => void): Promise<void> {
    this.#throwIfFailed();
    // Not before: the system reads from this very memory.
    if (this.#socket.write(bytes, (error) => (error ? undefined : onWritten?.()))) return;
    while (this.#socket.writableNeedDrain) {
      await this.#change();
      this.#throwIfFailed();
    }
  }

  #onData(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
      for (let value = this.#parser.next(); value !== undefined; value = this.#parser.next()) this.#onCommand(value);
    } catch (error) {
      this.fail(lost(`not a replica: ${error instanceof Error ? error.message : String(error)}`));
    }
  }

  #onCommand(value: RespValue): void {
    const words = Array.isArray(value)
      ? value.map((word) => (word instanceof Buffer ? word.toString('latin1') : ''))
      : [];
    const [name = '', first = '', second = ''] = words;
    switch (name.toUpperCase()) {
      case 'PING':
        this.#socket.write('+PONG\r\n');
        break;
      case 'AUTH':
        // A target with `masterauth` sends it to every master; who it is we learn from PSYNC.
        this.#socket.write('+OK\r\n');
        break;
      case 'REPLCONF':
        this.#onReplconf(words, first, second);
        break;
      case 'PSYNC':
        this.#onPsync(first);
        break;
      default:
        this.#socket.write('-ERR unknown command\r\n');
    }
  }

  #onReplconf(words: readonly string[], first: string, second: string): void {
    if (first.toUpperCase() === 'ACK') {
      this.#acknowledged = Math.max(this.#acknowledged, Number(second));
      this.#wake();
      return;
    }
    if (words.some((word, index) => word === 'eof' && words[index - 1] === 'capa')) this.#takesMark = true;
    this.#socket.write('+OK\r\n');
  }

  #onPsync(replid: string): void {
    if (this.#serving || !this.#isTarget(replid)) {
      this.fail(lost('a replica other than the target asked for the snapshot'));
      return;
    }
    this.#serving = true;
    this.#wake();
  }
}

function lost(what: string, code: 'REDIS_CONNECTION_LOST' | 'REDIS_TIMEOUT' = 'REDIS_CONNECTION_LOST'): LifeboatError {
  return new LifeboatError(code, `restore by replication: ${what}`);
}
