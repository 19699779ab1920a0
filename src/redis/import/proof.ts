import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { checkStored, type SnapshotCheck } from '../check-snapshot.ts';
import { dumpItems } from '../dump/check-dump.ts';
import { readRdb } from '../rdb/walk.ts';
import { openFullSync } from '../replication/full-sync.ts';
import { describeDifference, type SnapshotItem } from '../values/difference.ts';
import type { Strangers } from '../values/digest.ts';
import type { ImportJob } from './job.ts';
import { compareKnownKeys } from './membership.ts';
import { type ReadBack, readBack } from './read-back.ts';

/** So many differing keys are named in a failed check. */
const NAMED_DIFFERENCES = 5;
const DIGEST = 'redis digest';

export interface Proof {
  readonly checks: readonly Check[];
  /** Keys on the target. */
  readonly keys: number;
  /** How the target was read; undefined where it could not be. */
  readonly read: Pick<ReadBack, 'method' | 'liveAtMs'> | undefined;
}

/**
 * Compares the stored snapshot with one taken back from the target: keys per database, functions, and the digest over
 * every value. Keys that have expired meanwhile are left out on both sides. A user who cannot read the target gets
 * `skip`, never `pass`.
 */
export async function proveEqual(job: ImportJob): Promise<Proof> {
  const actual = await readBack(job.request.target, job.operation).catch(refusedTo);
  const liveAtMs = actual instanceof LifeboatError ? Date.now() : actual.liveAtMs;
  const expected = await checkStored(job.request.format, job.open(), {
    operation: job.operation,
    phase: 'reading the snapshot again',
    liveAtMs: () => liveAtMs,
  });
  const stored = storedCheck(job, expected);
  if (actual instanceof LifeboatError) {
    return { checks: [stored, skipped(expected, actual)], keys: expected.keys, read: undefined };
  }
  return { checks: [stored, ...compare(expected, actual)], keys: actual.keys, read: actual };
}

/**
 * As `proveEqual`, right after loading. Where clients could write meanwhile, keys that the snapshot does not hold are
 * tolerated and told, since only a client can have written them. A key of the snapshot with another value fails and is
 * named: whether a client changed it or it was loaded wrong cannot be told apart.
 *
 * @param open why clients could write to the target while it was loaded and read; empty where they could not
 */
export async function proveLoaded(job: ImportJob, open: string): Promise<Proof> {
  const proof = await proveEqual(job);
  if (proof.checks.every(({ status }) => status !== 'fail')) return proof;
  const known = open === '' ? undefined : await proveKnownKeys(job);
  if (known?.checks.every(({ status }) => status === 'pass') === true) return known;
  return proof.read?.method === 'replication' ? await withDifference(job, proof, open) : proof;
}

async function proveKnownKeys(job: ImportJob): Promise<Proof | undefined> {
  const known = await compareKnownKeys(job);
  if (known === undefined) return undefined;
  const { expected, actual } = known;
  const checks = [storedCheck(job, expected), ...compare(expected, actual)];
  return { checks: checks.map((check) => withStrangers(check, actual.strangers)), keys: actual.keys, read: actual };
}

function withStrangers(check: Check, { count, names }: Strangers): Check {
  if (check.name !== DIGEST || count === 0) return check;
  const more = count > names.length ? ', …' : '';
  return { ...check, message: `${check.message}; without ${count} that clients wrote: ${names.join(', ')}${more}` };
}

/** Names the keys that differ. */
async function withDifference(job: ImportJob, proof: Proof, open: string): Promise<Proof> {
  const named = await difference(job, proof.read?.liveAtMs ?? Date.now());
  const message = [named, ...(open === '' ? [] : [`clients could write meanwhile: ${open}`])].join('; ');
  const checks = proof.checks.map((check) =>
    check.name === DIGEST && check.status === 'fail' ? { ...check, message } : check,
  );
  return { ...proof, checks };
}

/** Only a missing right makes the proof impossible; anything else is a failure of the proof. */
function refusedTo(error: unknown): LifeboatError {
  if (error instanceof LifeboatError && error.rule.exit === 8) return error;
  throw error;
}

function storedCheck(job: ImportJob, snapshot: SnapshotCheck): Check {
  const expected = String(job.request.facts.keys);
  const actual = String(snapshot.keys + snapshot.expired);
  const message = `${snapshot.expired} of them have expired since`;
  return { name: 'redis snapshot keys', status: expected === actual ? 'pass' : 'fail', expected, actual, message };
}

function compare(expected: SnapshotCheck, actual: ReadBack): Check[] {
  const without = `${expected.expired} expired keys of the snapshot left out`;
  return [
    equal('redis keys per database', list(expected.databases), list(actual.databases), without),
    equal('redis functions', String(expected.functions), String(actual.functions), ''),
    equal(DIGEST, expected.digest, actual.digest, `every value and expiry, the target read by ${actual.method}`),
  ];
}

/** The keys that differ, by prefix and hash; writes of others since the load show up here too. */
async function difference(job: ImportJob, liveAtMs: number): Promise<string> {
  const { differences, more } = await describeDifference(
    () => storedItems(job),
    () => targetItems(job),
    { limit: NAMED_DIFFERENCES, liveAtMs, signal: job.operation.signal },
  );
  const named = differences.map(({ what, subject, db, name }) => `${what} ${subject} ${name} in db${db}`);
  return [...named, ...(more ? ['and more'] : [])].join('; ');
}

function storedItems(job: ImportJob): AsyncIterable<SnapshotItem> {
  return job.request.format === 'redis-rdb' ? readRdb(job.open()) : dumpItems(job.open());
}

async function* targetItems(job: ImportJob): AsyncGenerator<SnapshotItem, void, undefined> {
  const sync = await openFullSync(job.request.target, job.operation.signal);
  try {
    yield* readRdb(sync.rdb);
  } finally {
    sync.close();
  }
}

function skipped(expected: SnapshotCheck, reason: LifeboatError): Check {
  return { name: DIGEST, status: 'skip', expected: expected.digest, actual: '', message: reason.message };
}

function equal(name: string, expected: string, actual: string, message: string): Check {
  return { name, status: expected === actual ? 'pass' : 'fail', expected, actual, message };
}

function list(databases: Readonly<Record<string, number>>): string {
  const counts = Object.entries(databases).filter(([, keys]) => keys > 0);
  return counts.length === 0 ? 'none' : counts.map(([db, keys]) => `db${db}: ${keys}`).join(', ');
}
