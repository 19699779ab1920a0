import type { Operation } from '../../domain/operation.ts';
import { importByRestore } from '../dump/import-by-restore.ts';
import { nameHash } from '../import/membership.ts';
import { matcherOf } from '../scratch/glob.ts';
import { openRedisSocket } from '../socket.ts';
import { wantedItems, type KeyName } from './key-items.ts';
import { namesFor, stampFor } from './load-keys.ts';
import type { KeySelection, KeySource } from './selected-keys.ts';
import { perDatabase } from './survey-keys.ts';

const REMOVED_AT_ONCE = 1000;

/** See RedisSelection.revert. */
export async function revertKeys(
  selection: KeySelection,
  saved: KeySource | null,
  operation: Operation,
): Promise<{ readonly keys: number }> {
  const { target } = selection;
  const names = namesFor(selection);
  await removeKeys(selection, operation, (name) => names?.add(nameHash(name)));
  if (saved === null) return { keys: 0 };
  const matches = matcherOf(selection.patterns);
  const brought = (name: KeyName): boolean => matches(name.key) && (names?.has(nameHash(name)) ?? true);
  const items = wantedItems(saved, await stampFor(target, saved), brought);
  const { keys } = await importByRestore(target, items, { operation, replace: true });
  return { keys };
}

async function removeKeys(
  selection: KeySelection,
  operation: Operation,
  onName: (name: KeyName) => void,
): Promise<void> {
  const matches = matcherOf(selection.patterns);
  const redis = await openRedisSocket(selection.target, { signal: operation.signal });
  let batch: KeyName[] = [];
  try {
    for await (const item of wantedItems(selection, selection.facts.rdbVersion, ({ key }) => matches(key))) {
      if (item.kind !== 'key' && item.kind !== 'large key') continue;
      const name = { db: item.db, key: Buffer.from(item.key) };
      onName(name);
      batch.push(name);
      if (batch.length < REMOVED_AT_ONCE) continue;
      await perDatabase(redis, batch, 'UNLINK');
      batch = [];
      operation.onProgress({ phase: 'removing keys', bytes: 0, items: REMOVED_AT_ONCE });
    }
    await perDatabase(redis, batch, 'UNLINK');
  } finally {
    redis.close();
  }
}
