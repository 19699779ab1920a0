import type { JournalDurable, JournalEntry, RedisStreamState } from '../../domain/journal.ts';
import { patiently } from './patience.ts';
import type { Operation } from '../../domain/operation.ts';
import type { EntryFacts, JournalWriter } from '../../repository/journals/journals.ts';

/** Objects on their way to the store at a time: each may be a WAL segment of 16 MiB. */
const IN_FLIGHT_MAX = 3;

/** Puts objects ahead of each other and commits them together. */
export interface JournalRecord {
  /** Takes over `bytes`: the caller may use its memory again when this resolves. */
  put(facts: EntryFacts, bytes: Uint8Array): Promise<void>;
  /** Waits for all that was put, then names it. Only then may a server be told. */
  commit(durable: JournalDurable, stream?: RedisStreamState): Promise<void>;
  readonly commits: number;
  readonly bytes: number;
}

/**
 * Memory for copies, used again: a new one for each segment of 16 MiB cost a third of what following a busy server does, in
 * page faults and in collections of garbage that V8 believed to be there (measured).
 */
function createCopies(): { take(source: Uint8Array): Uint8Array; giveBack(copy: Uint8Array): void } {
  let free: ArrayBufferLike[] = [];
  return {
    take(source) {
      const at = free.findIndex(({ byteLength }) => byteLength >= source.byteLength);
      const [memory = new ArrayBuffer(source.byteLength)] = at < 0 ? [] : free.splice(at, 1);
      const copy = new Uint8Array(memory, 0, source.byteLength);
      copy.set(source);
      return copy;
    },
    giveBack({ buffer }) {
      free.push(buffer);
      // Sizes differ, and those that are of use are the large ones.
      free = free.toSorted((one, other) => other.byteLength - one.byteLength).slice(0, IN_FLIGHT_MAX);
    },
  };
}

export function recordJournal(writer: JournalWriter, operation: Operation): JournalRecord {
  const pending: Promise<JournalEntry>[] = [];
  const copies = createCopies();
  let commits = 0;
  let bytes = 0;
  const report = (object: string): void => operation.onProgress({ phase: 'following', object, bytes, items: commits });
  return {
    async put(facts, source) {
      if (pending.length >= IN_FLIGHT_MAX) await pending.shift();
      const copy = copies.take(source);
      const stored = patiently(operation, () => writer.put(facts, copy, operation.signal));
      // Awaited by the next commit; a failure before that must not count as unhandled, and its memory may still be read.
      stored.then(
        () => copies.giveBack(copy),
        () => undefined,
      );
      pending.push(stored);
      bytes += source.byteLength;
      report(facts.to);
    },
    async commit(durable, stream) {
      await Promise.all(pending);
      pending.length = 0;
      await patiently(operation, () => writer.commit(durable, stream));
      commits += 1;
      report(durable.at);
    },
    get commits() {
      return commits;
    },
    get bytes() {
      return bytes;
    },
  };
}
