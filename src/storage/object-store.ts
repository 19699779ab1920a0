import type { Readable } from 'node:stream';

export interface ObjectHead {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** Of `head`: what `ifMatch` takes; another one after each `put`. */
  readonly version?: string;
}

export interface PutOptions {
  /** Fail with STORE_KEY_EXISTS when the key is taken; decided by the store, atomically. */
  readonly ifNoneMatch?: boolean;
  /** Fail with STORE_KEY_CHANGED when the object is gone or of another `version`; with small objects only. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface GetOptions {
  readonly signal?: AbortSignal;
}

/**
 * Bytes under keys. Keys are `/`-separated segments of `[A-Za-z0-9._-]+`, never empty, `.` or `..`.
 *
 * - `put` MUST make the whole object visible at once and durable before it resolves, or leave nothing: a source that
 *   throws, an abort and a crash leave no object under the key (at most something `list` does not show).
 * - `put` asks for the next chunk of a body only when it is done with the one before, or has copied it: whoever gives the
 *   chunks may use their memory again then.
 * - `put` over an existing key replaces it, unless `ifNoneMatch`.
 * - `put` with `ifMatch` replaces exactly the version that `head` gave: of writers that do it at once with the same version one wins.
 *   A directory holds that among processes of one host.
 * - `get` of a missing key rejects with STORE_KEY_MISSING before any byte is given; a short or failed read MUST end
 *   the stream with an error, never with a clean end.
 * - `head` gives undefined for a missing key. `remove` of a missing key resolves.
 * - `list` gives every object under the prefix (a string prefix) exactly once, in ascending key order (by code unit).
 * - `folders` gives the names between the prefix (which ends in `/`) and the next `/`, each once, ascending: what holds
 *   at least one object, without reading the objects' names below it.
 * - `removeLeftovers` removes what interrupted writes left under the prefix (temporary files, unfinished uploads) and
 *   gives their number; writes younger than `olderThanMs` are let alone, an older one that still runs then rejects.
 * - `copyFrom` lets the provider copy an object of another store under the same key, without its bytes coming here; it
 *   gives undefined where that cannot be, and then the caller reads and puts. `ifNoneMatch` is decided by the store as in `put`.
 * - Errors are LifeboatErrors with STORE_* codes.
 */
export interface ObjectStore {
  /** For people and reports; carries no secret. */
  readonly url: string;
  put(key: string, body: AsyncIterable<Uint8Array> | Uint8Array, options?: PutOptions): Promise<{ sizeBytes: number }>;
  get(key: string, options?: GetOptions): Promise<Readable>;
  head(key: string): Promise<ObjectHead | undefined>;
  list(prefix: string): AsyncIterable<ObjectHead>;
  folders(prefix: string): AsyncIterable<string>;
  remove(key: string): Promise<void>;
  removeLeftovers(prefix: string, olderThanMs: number): Promise<number>;
  /** Where a store can be told to copy by itself. */
  copyFrom?(source: ObjectStore, key: string, options?: PutOptions): Promise<{ sizeBytes: number } | undefined>;
  /** Free and total bytes, where the store can tell. */
  space?(): Promise<{ freeBytes: number; totalBytes: number }>;
}
