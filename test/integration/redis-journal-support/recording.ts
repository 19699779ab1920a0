/** What a journal would store: events of a followed server, kept in memory, confirmed as a store would do it. */
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisFacts } from '../../../src/domain/backup.ts';
import type { RedisStreamState } from '../../../src/domain/journal.ts';
import { createRedisJournal } from '../../../src/redis/journal/create-redis-journal.ts';
import type {
  FollowStream,
  StreamChunk,
  StreamEvent,
  StreamPosition,
  StreamSource,
} from '../../../src/redis/journal/journal.ts';
import type { RedisTarget } from '../../../src/redis/redis.ts';
import type { TestRedis } from '../../support/servers.ts';

export const journal = createRedisJournal();
export const SPILL = { directory: tmpdir(), maxBytes: 256 * 1024 ** 2 };
const PATIENCE_MS = 30_000;

export interface Recording {
  readonly events: StreamEvent[];
  readonly chunks: (StreamChunk & { readonly to: number; readonly toMs: number; readonly state: RedisStreamState })[];
  /** Of the last snapshot. */
  readonly facts: RedisFacts;
  readonly snapshot: () => AsyncIterable<Uint8Array>;
  readonly stream: StreamSource;
  /** Bytes of all chunks. */
  readonly bytes: () => Buffer;
  readonly position: () => StreamPosition;
  /** Resolves when everything before this offset has been recorded. */
  reached(offset: number): Promise<void>;
  until(found: (event: StreamEvent) => boolean): Promise<StreamEvent>;
  /** Aborts; gives the error it ended with. */
  stop(): Promise<unknown>;
  /** Settles when it has ended by itself: with the error, or undefined. */
  readonly ended: Promise<unknown>;
}

export interface RecordOptions extends Partial<Omit<FollowStream, 'target'>> {
  /** Like a store that is slow: called before each confirmation. */
  readonly beforeCommit?: (event: StreamEvent) => Promise<void>;
}

export async function record(target: RedisTarget, options: RecordOptions = {}): Promise<Recording> {
  const { beforeCommit, ...request } = options;
  const aborter = new AbortController();
  const events: StreamEvent[] = [];
  const chunks: Recording['chunks'] = [];
  let position: StreamPosition = request.resume ?? noPosition();
  let facts: RedisFacts | undefined;
  let rdb: Buffer[] = [];
  const reception = journal.follow(
    { target, resume: null, flushMs: 50, spill: SPILL, ...request },
    {
      operation: { signal: aborter.signal, onProgress: () => undefined },
      sink: async (_artifact, source) => {
        rdb = [];
        for await (const piece of source) rdb.push(Buffer.from(piece));
      },
    },
  );
  const take = async (event: StreamEvent): Promise<void> => {
    await beforeCommit?.(event);
    if (event.event === 'chunk') {
      chunks.push({ ...event, bytes: Buffer.from(event.bytes) });
      position = { replid: position.replid, offset: event.to, state: event.state };
    } else if (event.event === 'resynced') {
      facts = event.facts;
      const state = { database: 0, insideMulti: false, unfinishedBytes: 0 };
      position = { replid: event.facts.replid, offset: event.facts.offset, state };
    } else if (event.event === 'continued') {
      position = { ...position, replid: event.replid };
    }
    events.push(event.event === 'chunk' ? { ...event, bytes: Buffer.alloc(0) } : event);
    reception.confirm(position.offset);
  };
  const ended = (async () => {
    for await (const event of reception) await take(event);
  })().then(
    () => undefined,
    (error: unknown) => error ?? new Error('ended with nothing'),
  );
  const wait = async (done: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + PATIENCE_MS; !done(); await delay(5)) {
      const early = await Promise.race([ended, delay(0, 'running')]);
      if (early !== 'running' && !done()) throw early instanceof Error ? early : new Error('the stream ended');
      if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms; at ${position.offset}`);
    }
  };
  const recording: Recording = {
    events,
    chunks,
    get facts() {
      return facts!;
    },
    snapshot: async function* () {
      // Copies: a reader frees what it was given.
      for (const chunk of rdb) yield Uint8Array.from(chunk);
    },
    stream: async function* () {
      yield* chunks;
    },
    bytes: () => Buffer.concat(chunks.map(({ bytes }) => bytes)),
    position: () => position,
    reached: async (offset) => await wait(() => position.offset >= offset),
    async until(found) {
      await wait(() => events.some(found));
      return events.find(found)!;
    },
    async stop() {
      aborter.abort();
      return await ended;
    },
    ended,
  };
  await wait(() => events.length > 0);
  return recording;
}

function noPosition(): StreamPosition {
  return { replid: '', offset: 0, state: { database: 0, insideMulti: false, unfinishedBytes: 0 } };
}

export async function infoOf(server: TestRedis, section = 'replication'): Promise<ReadonlyMap<string, string>> {
  const text = await server.cli('INFO', section);
  return new Map(text.split(/\r?\n/).map((line) => [line.split(':')[0]!, line.split(':').slice(1).join(':')]));
}

export async function offsetOf(server: TestRedis): Promise<number> {
  return Number((await infoOf(server)).get('master_repl_offset'));
}
