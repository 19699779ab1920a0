import type { RedisFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { releaseLarge } from '../dump/large-payload.ts';
import { type DumpedFunctions, readFunctions } from '../dump/read-functions.ts';
import type { ScannedKey } from '../dump/scan/scan-database.ts';
import type { DumpHeader } from '../dump/stream/format.ts';
import type { ChangesBase, ChangesContext, RedisTarget } from '../redis.ts';
import { type ChangesWritten, writeChanges } from './write-changes.ts';
import { KeyHasher } from '../dump/scan/key-hasher.ts';
import { type KeySource, openKeySource } from '../dump/scan/key-source.ts';
import { DELETIONS, DIGEST_INDEX, writeRecordList } from './record-list.ts';
import { INDEX_VALUE_BYTES, recordId, recordValue, SORTED_VALUE_BYTES } from './record.ts';
import { SortedRuns } from './sorted-runs.ts';
import { SpooledList } from './spooled-list.ts';

/**
 * Copies what changed since the base: reads every key of the server by SCAN and DUMP, compares its digest with that of
 * the base, and reads those that differ once more. Gives three artifacts: `changes` (a redis-dump), `deletions` and
 * `digests`, the index that says of each key where its value is. What is true of `exportByDump` is true of this: value and expiry of
 * one key belong together, different keys are of different moments. Memory does not grow with the keys.
 *
 * Needs the rights of `exportByDump`. @throws LifeboatError as that does, REDIS_INDEX_DAMAGED, REDIS_SCRATCH_FAILED,
 * REDIS_VALUE_TYPE_UNKNOWN
 */
export async function exportChanges(
  target: RedisTarget,
  base: ChangesBase,
  context: ChangesContext,
): Promise<RedisFacts> {
  const { operation, scratchDirectory } = context;
  const source = await openKeySource(target, operation);
  const runs = new SortedRuns(scratchDirectory, SORTED_VALUE_BYTES);
  const open: { close(): unknown }[] = [source, runs];
  try {
    const header: DumpHeader = { server: source.view.version, startedAt: new Date().toISOString() };
    const functions = await readFunctions(source.socket);
    const rdbVersion = Math.max(
      base.rdbVersion,
      functions?.rdbVersion ?? 0,
      await readDigests(source, runs, operation),
    );
    const index = await SpooledList.open(scratchDirectory, INDEX_VALUE_BYTES);
    open.push(index);
    const deletions = await SpooledList.open(scratchDirectory, DELETIONS.valueBytes);
    open.push(deletions);
    const written = await store(context, { source, base, runs, header, functions, index, deletions });
    return factsOf(header, { base, written, functions, deleted: deletions.records, rdbVersion });
  } finally {
    for (const one of open) await one.close();
  }
}

/** Hashes all keys into `runs`; gives the highest RDB version seen. */
async function readDigests(source: KeySource, runs: SortedRuns, operation: Operation): Promise<number> {
  const hasher = new KeyHasher();
  let [items, bytes, highest] = [0, 0, 0];
  for (const db of source.databases) {
    for await (const batch of source.all(db)) {
      const hashed = batch.map((scanned) => ({ scanned, ...comparable(() => hasher.hash(db, scanned)) }));
      await addDigests(runs, db, hashed);
      highest = Math.max(highest, ...hashed.map(({ rdbVersion }) => rdbVersion));
      bytes += batch.reduce((sum, { payload }) => sum + payload.length, 0);
      items += batch.length;
      releaseLarge(batch);
      operation.onProgress({ phase: 'comparing', object: `db${db}`, bytes, items });
    }
  }
  return highest;
}

async function addDigests(
  runs: SortedRuns,
  db: number,
  hashed: readonly { readonly scanned: ScannedKey; readonly hash: string }[],
): Promise<void> {
  for (const { scanned, hash } of hashed) {
    // Where a value is stored is not known yet.
    const value = recordValue(hash, { layer: 0, ordinal: 0 });
    const writing = runs.add({ id: recordId(db, scanned.key), value });
    if (writing !== undefined) await writing;
  }
}

function comparable<T>(hash: () => T): T {
  try {
    return hash();
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'REDIS_VALUE_TYPE_UNKNOWN')) throw error;
    const hint = 'its changes cannot be told: take full backups, `lifeboat backup full`, while there are such keys';
    throw new LifeboatError(error.code, error.message, { cause: error, details: error.details, hint });
  }
}

interface Storing {
  readonly source: KeySource;
  readonly base: ChangesBase;
  readonly runs: SortedRuns;
  readonly header: DumpHeader;
  readonly functions: DumpedFunctions | undefined;
  readonly index: SpooledList;
  readonly deletions: SpooledList;
}

async function store({ sink, operation }: ChangesContext, storing: Storing): Promise<ChangesWritten> {
  const { header, index, deletions } = storing;
  let written: ChangesWritten | undefined;
  const changes = writeChanges({ ...storing, operation, onEnd: (end) => (written = end) });
  const attributes = { server: header.server, consistent: 'false' };
  await sink({ name: 'changes', format: 'redis-dump', attributes }, changes);
  if (written === undefined) throw new LifeboatError('INTERNAL', 'export redis changes: the sink left before the end');
  const gone = writeRecordList(DELETIONS, deletions.read());
  await sink({ name: 'deletions', format: 'redis-deletions', attributes: {} }, gone);
  const places = writeRecordList(DIGEST_INDEX, index.read());
  await sink({ name: 'digests', format: 'redis-digest-index', attributes: {} }, places);
  return written;
}

function factsOf(
  { server, startedAt }: DumpHeader,
  facts: Pick<Storing, 'base' | 'functions'> & {
    readonly written: ChangesWritten;
    readonly deleted: number;
    readonly rdbVersion: number;
  },
): RedisFacts {
  const { base, written, functions, deleted, rdbVersion } = facts;
  return {
    server,
    method: 'dump-incremental',
    consistent: false,
    keys: written.keys,
    databases: written.databases,
    functions: functions?.libraries.length ?? 0,
    replid: '',
    offset: 0,
    rdbVersion,
    digest: written.digest,
    snapshotAt: startedAt,
    digests: { layers: base.layers, changed: written.changed, deleted },
  };
}
