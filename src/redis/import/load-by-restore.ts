import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import { abortError } from '../connect.ts';
import { importByRestore } from '../dump/import-by-restore.ts';
import { readDumpInPieces } from '../dump/stream/read-dump.ts';
import type { RestoreItem } from '../dump/stream/format.ts';
import { IN_PIECES_BYTES } from '../rdb/capture.ts';
import { dumpPayload } from '../rdb/payload.ts';
import { canLoad, rdbReaderOf, stampFor, unreadableTypes } from '../rdb/versions.ts';
import { countRdb } from '../rdb/walk.ts';
import type { RedisImport } from '../redis.ts';
import type { RedisSocket } from '../socket.ts';
import { markerKeyOf } from './identity.ts';
import type { ImportJob } from './job.ts';
import { rdbItems } from './rdb-items.ts';
import type { TargetState } from './target-state.ts';

/**
 * Empties the target and writes key by key. A marker key stands on the target meanwhile, so that an attempt that dies is
 * known by the next one as our own. What cannot work is refused before anything is dropped.
 */
export async function loadByRestore(redis: RedisSocket, job: ImportJob, state: TargetState): Promise<void> {
  const version = await chooseStamp(job, state);
  if (job.request.facts.functions > 0) await requireFunctions(redis, state);
  try {
    if (state.occupied) await dropAll(redis, state);
    await redis.command('RESTORE', markerKeyOf(job.request.facts), 0, marker(version), 'REPLACE');
    await importByRestore(job.request.target, items(job, version), { operation: job.operation, replace: true });
    // An expiry in the past takes the key away: the only right that is needed stays +restore.
    await redis.command('RESTORE', markerKeyOf(job.request.facts), 1, marker(version), 'REPLACE', 'ABSTTL');
  } catch (error) {
    const { signal } = job.operation;
    const known = signal.aborted ? abortError(signal, 'restore key by key') : toLifeboatError(error);
    throw new LifeboatError(known.code, known.message, {
      cause: error,
      details: { ...known.details, targetData: 'undefined' },
      hint: `${known.hint}; the target holds a part of the keys now: run the restore again, or load its saved previous state`,
    });
  }
}

function items(job: ImportJob, version: number): AsyncIterable<RestoreItem> {
  const source = job.open();
  return job.request.format === 'redis-rdb' ? rdbItems(source, version) : readDumpInPieces(source, IN_PIECES_BYTES);
}

/** The RDB version to stamp on payloads. REDIS_IMPORT_IMPOSSIBLE when values need a newer server. */
export async function chooseStamp(
  job: Pick<ImportJob, 'open'> & { readonly request: Pick<RedisImport, 'facts' | 'format'> },
  { view }: Pick<TargetState, 'view'>,
): Promise<number> {
  const version = job.request.facts.rdbVersion;
  const reader = rdbReaderOf(view.product, view.version);
  // An unknown server: it says itself what it does not read, at the first such key.
  if (reader === undefined || canLoad(reader, version)) return version;
  if (job.request.format === 'redis-rdb') {
    const { types } = await countRdb(job.open());
    const unreadable = unreadableTypes(reader, Object.keys(types).map(Number));
    if (unreadable.length === 0) return stampFor(reader, version);
  }
  throw new LifeboatError(
    'REDIS_IMPORT_IMPOSSIBLE',
    `restore rdb version ${version}: ${view.product} ${view.version} reads up to ${reader.version}`,
    { details: { rdbVersion: version, server: view.version } },
  );
}

async function requireFunctions(redis: RedisSocket, { view }: TargetState): Promise<void> {
  if (view.version === '' || Number.parseInt(view.version, 10) >= 7) return;
  throw new LifeboatError(
    'REDIS_IMPORT_IMPOSSIBLE',
    `restore functions: redis ${redis.name} is ${view.version} and knows none`,
  );
}

async function dropAll(redis: RedisSocket, { view }: TargetState): Promise<void> {
  await redis.command('FLUSHALL');
  if (view.functions > 0) await redis.command('FUNCTION', 'FLUSH');
}

/** The string `1`: length byte and text. */
function marker(version: number): Buffer {
  return dumpPayload({ type: 0, value: Buffer.from([1, 0x31]) }, version);
}
