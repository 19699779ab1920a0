import { join } from 'node:path';
import type { SelectionData } from '../../contract/selection.ts';
import type { KeySelectionMessage } from '../../contract/selection-record.ts';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { withPrivateFolder } from '../../platform/files.ts';
import { materialise, readPieces } from '../../redis/journal/replay/load-through-scratch.ts';
import { openRedisSnapshot } from '../../recovery/open-redis-snapshot.ts';
import { openRedisReplay } from '../../recovery/replay/open-redis-replay.ts';
import { createRedisSelection } from '../../redis/select/create-selection.ts';
import type { KeySelection, KeySource, KeySurvey } from '../../redis/select/selected-keys.ts';
import type { Dependencies } from '../dependencies.ts';
import { readingFrom } from '../read-source.ts';
import { findRedisCut } from '../replay/replay-redis.ts';
import { redisTarget } from '../sources.ts';

type Cut = KeySelectionMessage['cut'];
const selections = createRedisSelection();

export async function surveySelectedKeys(
  deps: Dependencies,
  message: KeySelectionMessage,
  operation: Operation,
): ReturnType<SelectionData['surveyKeys']> {
  const { patterns, backupId } = message;
  return withSelection(deps, message, operation, async (selection, cut) => {
    const found = await selections.survey(selection, operation);
    const check = requireAllKeys(backupId, found, selection);
    if (found.matching === 0) {
      const where = cut === null ? backupId : `redis at ${new Date(cut.timeMs).toISOString()}`;
      throw new LifeboatError('RESTORE_KEYS_NOT_FOUND', `${where} has no key that matches ${patterns.join(', ')}`);
    }
    const { matching, replaced, present } = found;
    return { matching, replaced, present, check, cut };
  });
}

/** A snapshot that reads back clean must also hold what its record says. */
function requireAllKeys(backupId: string, { keys }: KeySurvey, { facts }: KeySelection): Check {
  if (keys === facts.keys) {
    const count = `${keys} keys`;
    return { name: 'redis snapshot read to its end', status: 'pass', expected: count, actual: count, message: '' };
  }
  const fact = `the redis snapshot holds ${keys} keys, its record says ${facts.keys}`;
  throw new LifeboatError('RESTORE_CONTENT_MISMATCH', `${backupId}: ${fact}`);
}

export async function loadSelectedKeys(
  deps: Dependencies,
  message: KeySelectionMessage & { readonly replace: boolean },
  operation: Operation,
): ReturnType<SelectionData['loadKeys']> {
  const { replace } = message;
  return withSelection(deps, message, operation, (selection) => selections.load({ ...selection, replace }, operation));
}

export async function revertSelectedKeys(
  deps: Dependencies,
  message: KeySelectionMessage & { readonly savedAs: string | null },
  operation: Operation,
): ReturnType<SelectionData['revertKeys']> {
  const { savedAs, patterns } = message;
  const saved = savedAs === null ? null : await storedKeys(deps, savedAs, patterns, operation);
  return withSelection(deps, message, operation, (selection) => selections.revert(selection, saved, operation));
}

/** The snapshot of a backup, or one that is made of a snapshot and the stream behind it, for as long as `use` runs. */
async function withSelection<T>(
  live: Dependencies,
  { backupId, patterns, replay, cut: known, from }: KeySelectionMessage,
  operation: Operation,
  use: (selection: KeySelection, cut: Cut) => Promise<T>,
): Promise<T> {
  const deps = readingFrom(live, from);
  const target = redisTarget(deps.settings);
  if (replay === null) return use({ target, ...(await storedKeys(deps, backupId, patterns, operation)) }, null);
  const cut = known ?? (await findRedisCut(deps, replay, operation));
  const { facts, snapshot, stream } = await openRedisReplay(deps, replay, operation);
  return withPrivateFolder('lifeboat-keys', async (folder) => {
    const rdb = join(folder, 'at-cut.rdb');
    const serverPath = await deps.redisServer();
    const atCut = await materialise({ facts, cut, serverPath }, { snapshot, stream, operation }, { folder, rdb });
    return use({ target, format: 'redis-rdb', facts: atCut, patterns, open: () => readPieces(rdb) }, cut);
  });
}

async function storedKeys(
  deps: Dependencies,
  backupId: string,
  patterns: readonly string[],
  operation: Operation,
): Promise<KeySource> {
  const repository = await deps.repository();
  const manifest = await repository.load(backupId);
  const { format, facts, open } = await openRedisSnapshot(repository, manifest, operation);
  return { format, facts, patterns, open };
}
