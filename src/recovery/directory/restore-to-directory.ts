import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryPlan, WrittenDirectory } from '../../domain/directory-plan.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { writeFileAtomic } from '../../platform/files.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { describeDirectory } from './describe-directory.ts';
import type { DirectoryContext } from './directory-context.ts';
import { requireFreeDirectory, wholeOrAbsent } from './whole-or-absent.ts';
import { POSTGRES_FOLDER, writePostgres } from './write-postgres.ts';
import { REDIS_FOLDER, writeRedis } from './write-redis.ts';

/** Beside the data: whose attempt it was, and what it came to. */
const RECORD = 'restored.json';
const READABLE = { mode: 0o644 };

interface Recorded {
  readonly plan: DirectoryPlan;
  readonly written: WrittenDirectory;
}

/**
 * Writes both components, beside `plan.directory` and then under that name. Repeated after an attempt that was lost behind its last
 * step, it gives what that one wrote.
 * @throws LifeboatError RESTORE_DIRECTORY_NOT_EMPTY, RESTORE_DIRECTORY_UNUSABLE, and what reading and replaying throw
 */
export async function restoreToDirectory(
  context: DirectoryContext,
  plan: DirectoryPlan,
  operation: Operation,
): Promise<WrittenDirectory> {
  try {
    return await write(context, plan, operation);
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.code !== 'RESTORE_DIRECTORY_NOT_EMPTY') throw error;
    // Perhaps an attempt that was given up has done it, before this one or while it worked.
    const recorded = await readRecord(plan.directory);
    if (recorded?.plan.restoreId === plan.restoreId) return recorded.written;
    throw error;
  }
}

async function write(context: DirectoryContext, plan: DirectoryPlan, operation: Operation): Promise<WrittenDirectory> {
  const directory = await requireFreeDirectory(plan.directory);
  return wholeOrAbsent(directory, async (folder) => {
    const written = await fill(context, { plan, folder, directory }, operation);
    const recorded: Recorded = { plan, written };
    await writeFileAtomic(join(folder, RECORD), `${JSON.stringify(recorded, null, 2)}\n`, READABLE);
    await writeFileAtomic(join(folder, 'README'), describeDirectory(plan, written), READABLE);
    return written;
  });
}

/** One after the other: each uses the disk and all cores by itself, and a failure of one has nothing to wait for. */
async function fill(
  context: DirectoryContext,
  place: { readonly plan: DirectoryPlan; readonly folder: string; readonly directory: string },
  operation: Operation,
): Promise<WrittenDirectory> {
  const { plan, folder, directory } = place;
  const redis = plan.redis && (await writeRedis(context, { plan: plan.redis, folder, place: directory }, operation));
  const postgres = plan.postgres && (await writePostgres(context, { plan: plan.postgres, folder }, operation));
  return {
    postgres: postgres && { ...postgres.facts, directory: join(directory, POSTGRES_FOLDER) },
    redis: redis && { ...redis.facts, directory: join(directory, REDIS_FOLDER) },
    checks: [...(postgres?.checks ?? []), ...(redis?.checks ?? [])],
  };
}

async function readRecord(directory: string): Promise<Recorded | undefined> {
  const text = await readFile(join(directory, RECORD), 'utf8').catch((cause: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(cause) ?? '')) return undefined;
    throw cause;
  });
  return text === undefined ? undefined : parseRecord(text);
}

/** A file of that name that is not ours belongs to whatever is in the directory, which is refused then. */
function parseRecord(text: string): Recorded | undefined {
  try {
    const found = JSON.parse(text) as Partial<Recorded> | null;
    return found?.plan && found.written ? (found as Recorded) : undefined;
  } catch {
    return undefined;
  }
}
