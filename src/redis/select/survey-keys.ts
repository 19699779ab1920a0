import type { Operation } from '../../domain/operation.ts';
import { checkSnapshot } from '../check-snapshot.ts';
import { listDatabases } from '../dump/scan/databases.ts';
import { readScanReply, type ScanReply } from '../dump/scan/scan-reply.ts';
import { requireCounts } from '../inspect.ts';
import type { RdbEntry } from '../rdb/walk.ts';
import type { RedisTarget } from '../redis.ts';
import { replyError } from '../reply-error.ts';
import { RespError } from '../resp.ts';
import { matcherOf } from '../scratch/glob.ts';
import { totalOf, viewServer } from '../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import type { KeyName } from './key-items.ts';
import type { KeySelection, KeySurvey } from './selected-keys.ts';

const SCAN_COUNT = 1000;
/** So many keys are asked about at once. */
const ASKED_AT_ONCE = 1000;

/** See RedisSelection.countMatching. */
export async function countMatching(
  target: RedisTarget,
  patterns: readonly string[],
  operation: Operation,
): Promise<number> {
  const wanted = matcherOf(patterns);
  const redis = await openRedisSocket(target, { signal: operation.signal });
  let [matching, items] = [0, 0];
  try {
    for (const db of await listDatabases(redis, await viewServer(redis))) {
      await redis.command('SELECT', db);
      for (let cursor: string | undefined = '0'; cursor !== undefined;) {
        const reply = await redis.command('SCAN', cursor, 'COUNT', SCAN_COUNT);
        const { next, keys }: ScanReply = readScanReply(reply, redis);
        matching += keys.filter(wanted).length;
        items += keys.length;
        operation.onProgress({ phase: 'looking for keys', object: `db${db}`, bytes: 0, items });
        cursor = next;
      }
    }
    return matching;
  } finally {
    redis.close();
  }
}

/** See RedisSelection.survey. */
export async function surveyKeys(selection: KeySelection, operation: Operation): Promise<KeySurvey> {
  const { target, patterns, format, facts } = selection;
  const wanted = matcherOf(patterns);
  const redis = await openRedisSocket(target, { signal: operation.signal });
  try {
    const present = totalOf(requireCounts(await viewServer(redis), redis));
    const waiting: KeyName[] = [];
    let replaced = 0;
    const settle = async (): Promise<void> => {
      replaced += await countExisting(redis, waiting.splice(0));
    };
    // Between two chunks, so that no more names wait than one chunk holds.
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of selection.open()) {
        yield chunk;
        if (waiting.length >= ASKED_AT_ONCE) await settle();
      }
    }
    const belongs = (_: string, entry?: RdbEntry): boolean => {
      if (entry === undefined || !wanted(entry.key)) return false;
      waiting.push({ db: entry.db, key: Buffer.from(entry.key) });
      return true;
    };
    const now = Date.now();
    const found = await checkSnapshot(format, source(), {
      operation,
      phase: 'reading the snapshot',
      liveAtMs: () => now,
      belongs,
    });
    await settle();
    const keys = found.keys + found.expired + found.strangers.count - facts.functions;
    return { matching: found.keys, replaced, present, keys };
  } finally {
    redis.close();
  }
}

async function countExisting(redis: RedisSocket, names: readonly KeyName[]): Promise<number> {
  let there = 0;
  for (let from = 0; from < names.length; from += ASKED_AT_ONCE) {
    const replies = await perDatabase(redis, names.slice(from, from + ASKED_AT_ONCE), 'EXISTS');
    there += replies.filter((reply) => reply === 1).length;
  }
  return there;
}

/** One command for each key, in the database of the key. Gives the replies to them. @throws LifeboatError of the first refusal */
export async function perDatabase(
  redis: RedisSocket,
  names: readonly KeyName[],
  command: 'EXISTS' | 'UNLINK',
): Promise<readonly unknown[]> {
  const commands: (readonly (string | number | Buffer)[])[] = [];
  const answers: number[] = [];
  let db = -1;
  for (const name of names) {
    if (name.db !== db) commands.push(['SELECT', name.db]);
    db = name.db;
    answers.push(commands.length);
    commands.push([command, name.key]);
  }
  if (commands.length === 0) return [];
  const replies = await redis.pipeline(commands);
  for (const reply of replies) {
    if (reply instanceof RespError) throw replyError(reply, `${command.toLowerCase()} at redis ${redis.name}`);
  }
  return answers.map((place) => replies[place]);
}
