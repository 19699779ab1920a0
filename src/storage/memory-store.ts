import { Readable } from 'node:stream';
import { LifeboatError } from '../domain/errors.ts';
import { abortable } from './abortable.ts';
import { endOnAbort } from './local-read.ts';
import { requireKey, requirePrefix } from './object-key.ts';
import type { ObjectHead, ObjectStore } from './object-store.ts';

interface Held {
  readonly bytes: Buffer;
  readonly modifiedAt: Date;
  readonly version: string;
}

/** A store that lives and dies with its process: for tests and trials. */
export function createMemoryStore(): ObjectStore {
  const objects = new Map<string, Held>();
  let puts = 0;

  const headOf = (key: string): ObjectHead | undefined => {
    const held = objects.get(key);
    return held && { key, sizeBytes: held.bytes.length, modifiedAt: held.modifiedAt, version: held.version };
  };
  const keysUnder = (prefix: string): string[] =>
    [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();

  return {
    url: 'memory:',

    async put(key, body, options = {}) {
      requireKey(key);
      const bytes = body instanceof Uint8Array ? Buffer.from(body) : await collect(body, options.signal);
      options.signal?.throwIfAborted();
      // Nothing is awaited between the look and the write: the first of two writers at once wins.
      if (options.ifNoneMatch === true && objects.has(key)) {
        throw new LifeboatError('STORE_KEY_EXISTS', `put ${key}: taken`);
      }
      if (options.ifMatch !== undefined && objects.get(key)?.version !== options.ifMatch) {
        throw new LifeboatError('STORE_KEY_CHANGED', `put ${key}: not the version that was read`);
      }
      puts += 1;
      objects.set(key, { bytes, modifiedAt: new Date(), version: String(puts) });
      return { sizeBytes: bytes.length };
    },

    async get(key, options = {}) {
      options.signal?.throwIfAborted();
      const held = objects.get(requireKey(key));
      if (held === undefined) throw new LifeboatError('STORE_KEY_MISSING', `get ${key}: missing`);
      const stream = Readable.from([Buffer.from(held.bytes)], { objectMode: false });
      endOnAbort(stream, options.signal);
      return stream;
    },

    head: async (key) => headOf(requireKey(key)),

    async *list(prefix) {
      for (const key of keysUnder(requirePrefix(prefix))) {
        const head = headOf(key);
        if (head !== undefined) yield head;
      }
    },

    async *folders(prefix) {
      const names = keysUnder(requirePrefix(prefix))
        .map((key) => key.slice(prefix.length).split('/'))
        .filter((segments) => segments.length > 1)
        .map(([name]) => String(name));
      yield* new Set(names);
    },

    async remove(key) {
      objects.delete(requireKey(key));
    },

    async removeLeftovers() {
      return 0;
    },
  };
}

async function collect(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of abortable(body, signal)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
