import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError, messageOf } from '../../domain/errors.ts';

const CIPHER = 'aes-256-ctr';
const CIPHER_BLOCK_BYTES = 16;
const READ_BYTES = 64 * 1024;

/** Bytes of a scratch file, `from` to `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * A file for what does not fit into memory: it has no name, so that the system takes it back however this process ends,
 * and is encrypted with a key that is only in memory, for names of keys may be secret.
 */
export class ScratchFile {
  readonly #file: FileHandle;
  readonly #key = randomBytes(32);
  readonly #cipher = createCipheriv(CIPHER, this.#key, counterAt(0));
  #sizeBytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** @throws LifeboatError REDIS_SCRATCH_FAILED */
  static async open(directory: string): Promise<ScratchFile> {
    const path = join(directory, `redis-digests-${randomBytes(6).toString('hex')}.scratch`);
    return await explained('make a scratch file', async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = await open(path, 'wx+', 0o600);
      await unlink(path);
      return new ScratchFile(file);
    });
  }

  /** Bytes written so far: where the next ones will stand. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** One writer at a time. */
  async write(bytes: Buffer): Promise<void> {
    const sealed = this.#cipher.update(bytes);
    const at = this.#sizeBytes;
    this.#sizeBytes += sealed.length;
    await explained('write a scratch file', async () => {
      for (let done = 0; done < sealed.length;) {
        done += (await this.#file.write(sealed, done, sealed.length - done, at + done)).bytesWritten;
      }
    });
  }

  async *read({ from, to }: Range): AsyncGenerator<Buffer, void, undefined> {
    const skipped = from % CIPHER_BLOCK_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#key, counterAt(from - skipped));
    decipher.update(Buffer.alloc(skipped));
    for (let at = from; at < to;) {
      const sealed = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at));
      const { bytesRead } = await explained('read a scratch file', async () =>
        this.#file.read(sealed, 0, sealed.length, at),
      );
      if (bytesRead === 0) throw failed('read a scratch file', new Error('it is too short'));
      at += bytesRead;
      yield decipher.update(sealed.subarray(0, bytesRead));
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The counter of the cipher at a multiple of its block. */
function counterAt(position: number): Buffer {
  const counter = Buffer.alloc(CIPHER_BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(position / CIPHER_BLOCK_BYTES), 8);
  return counter;
}

async function explained<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw failed(doing, cause);
  }
}

function failed(doing: string, cause: unknown): LifeboatError {
  return new LifeboatError('REDIS_SCRATCH_FAILED', `${doing} for digests of redis keys: ${messageOf(cause)}`, {
    cause,
  });
}
