import type { Problem } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { KeyReport, KeyUse } from '../../domain/key-report.ts';
import type { Operation } from '../../domain/operation.ts';
import { inspectDataKey } from '../../encryption/data-key.ts';
import type { RepositoryContext } from '../context.ts';
import { journalBeginKey, type EpochPlace } from '../journals/journal-keys.ts';
import { BEGIN } from '../journals/journal-schema.ts';
import { listEpochs } from '../journals/list-epochs.ts';
import { openDocument } from '../journals/signed-document.ts';
import { listBackupIds, loadManifest } from '../manifest/load-manifest.ts';
import { mapBounded } from '../map-bounded.ts';
import { requireRepository } from '../repository-file.ts';
import { readSmallObject } from '../small-object.ts';
import { keyOfBackup, keyOfEpoch, type ListedKey, listKeys } from './list-keys.ts';
import { requireExpected } from './open-key.ts';
import { openedBy, findWrappedKey, nameOf, requireKeyring } from './wrapped-key.ts';

/** Hides a store's latency; each holds one manifest in memory. */
const CHECKS_AT_ONCE = 8;

/** Opens every wrapped key, and compares it with what is signed: the manifest of its backup, or the beginning of its epoch. */
export async function checkKeys(context: RepositoryContext, operation: Operation): Promise<KeyReport> {
  await requireRepository(context, 'check keys');
  const opened: KeyUse[] = [];
  const problems: Problem[] = [];
  let items = 0;
  await mapBounded((await allKeys(context)).values(), CHECKS_AT_ONCE, async (place) => {
    operation.signal.throwIfAborted();
    const use = await checkKey(context, place, problems);
    if (use !== undefined) opened.push(use);
    operation.onProgress({ phase: 'opening keys', object: nameOf(place), bytes: 0, items: (items += 1) });
  });
  const byName = opened.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { opened: byName, problems: problems.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
}

/** Those that are there, and those of backups and epochs that are there: their key may be missing. */
async function allKeys({ store }: RepositoryContext): Promise<ReadonlyMap<string, ListedKey>> {
  const all = new Map<string, ListedKey>();
  for await (const place of listKeys(store)) all.set(place.key, place);
  const others = (await listBackupIds(store)).map(keyOfBackup);
  for (const kind of ['postgres', 'redis'] as const) others.push(...(await listEpochs(store, kind)).map(keyOfEpoch));
  for (const place of others) all.set(place.key, place);
  return all;
}

async function checkKey(
  context: RepositoryContext,
  place: ListedKey,
  problems: Problem[],
): Promise<KeyUse | undefined> {
  const expected = await tryTo(place, problems, async () => expectedOf(context, place));
  return tryTo(place, problems, async () => {
    const wrapped = await findWrappedKey(context.store, place);
    if (wrapped === undefined) {
      if (typeof expected?.checkValue !== 'string') return undefined;
      throw new LifeboatError('KEY_MISSING', `read ${place.key}: missing`, { details: { key: place.key } });
    }
    const keyring = requireKeyring(context, place);
    const wrappedFor = await openedBy(inspectDataKey, keyring, { place, wrapped });
    if (typeof expected?.checkValue === 'string') requireExpected(place, wrapped.keyCheckValue, expected);
    return { name: nameOf(place), wrappedFor };
  });
}

interface Expected {
  /** Null where nothing is encrypted. */
  readonly checkValue: string | null;
  readonly by: string;
}

/** Undefined where nothing is published yet, or was never. */
async function expectedOf(context: RepositoryContext, { of }: ListedKey): Promise<Expected | undefined> {
  if ('epoch' in of) return expectedOfEpoch(context, of.epoch);
  try {
    const { manifest } = await loadManifest(context, of.backupId);
    return { checkValue: manifest.codec.keyCheckValue, by: 'manifest' };
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'BACKUP_NOT_FOUND') return undefined;
    throw error;
  }
}

async function expectedOfEpoch(context: RepositoryContext, epoch: EpochPlace): Promise<Expected | undefined> {
  const key = journalBeginKey(epoch);
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) return undefined;
  const { keyCheckValue } = openDocument(context, { key, bytes, shape: BEGIN });
  return { checkValue: keyCheckValue, by: 'begin.json' };
}

/** Damage becomes a problem; a store that cannot be read, or no keyring at all, stays an error. */
async function tryTo<T>(
  place: ListedKey,
  problems: Problem[],
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    problems.push(keyProblem(place, error));
    return undefined;
  }
}

export function keyProblem(place: ListedKey, error: unknown): Problem {
  const isDamage =
    error instanceof LifeboatError &&
    /^(KEY_(?:MISSING|DAMAGED|MISMATCH)|KMS_KEY_(?:UNKNOWN|UNUSABLE)|MANIFEST_|JOURNAL_)/.test(error.code);
  if (!isDamage) throw error;
  return { backupId: nameOf(place), key: place.key, code: error.code, message: error.message };
}
