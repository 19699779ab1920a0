import { type ErrorCode, toLifeboatError } from '../domain/errors.ts';
import { compareTarget, type Copyable, type TargetFacts } from '../domain/target-facts.ts';
import type { CopyTarget, Dependencies } from './dependencies.ts';
import { within } from './within.ts';

/** For one target to say what it has: long enough for a thousand manifests over a slow line. */
const ANSWER_MS = 15_000;

interface Own {
  readonly id: string;
  readonly backups: readonly Copyable[];
}

/** What each target has of the repository, all asked at once. A target or repository that is away is said, and no error. */
export async function readTargets(deps: Pick<Dependencies, 'repository' | 'targets'>): Promise<TargetFacts[]> {
  const own = await readOwn(deps).catch((error: unknown) => toLifeboatError(error));
  return Promise.all(deps.targets.map(async (target) => lookAt(target, own)));
}

async function readOwn({ repository }: Pick<Dependencies, 'repository'>): Promise<Own> {
  const { id, list } = await repository();
  const backups = (await list()).filter(({ status }) => status === 'complete');
  return { id, backups };
}

async function lookAt(target: CopyTarget, own: Own | ReturnType<typeof toLifeboatError>): Promise<TargetFacts> {
  const { name, region } = target;
  const unknown = { backups: null, pending: null, pendingBackups: [], lagSeconds: null };
  let location = '';
  try {
    location = target.store().url;
    const there = await within(ANSWER_MS, { doing: `ask target ${name}` }, listThere(target));
    if ('code' in own) {
      const message = `the repository itself cannot be read: ${own.message}`;
      const backups = there?.ids.size ?? 0;
      return { name, region, location, ...unknown, state: 'in-sync', backups, lastError: message };
    }
    if (there !== null && there.repositoryId !== own.id) {
      const lastError = `it holds repository ${there.repositoryId}, not ${own.id}`;
      return { name, region, location, ...unknown, state: 'foreign', backups: there.ids.size, lastError };
    }
    return { name, region, location, ...compareTarget(own.backups, there?.ids ?? null, Date.now()), lastError: null };
  } catch (error) {
    const { code, message } = toLifeboatError(error);
    return { name, region, location, ...unknown, state: stateOf(code), lastError: `${code}: ${message}` };
  }
}

function stateOf(code: ErrorCode): TargetFacts['state'] {
  return code === 'REPOSITORY_GROUP_MISMATCH' ? 'foreign' : 'unreachable';
}

/** Null where nothing was copied yet. */
async function listThere(
  target: CopyTarget,
): Promise<{ readonly repositoryId: string; readonly ids: ReadonlySet<string> } | null> {
  try {
    const copies = await target.repository();
    const backups = (await copies.list()).filter(({ status }) => status === 'complete');
    return { repositoryId: copies.id, ids: new Set(backups.map(({ id }) => id)) };
  } catch (error) {
    if (toLifeboatError(error).code === 'REPOSITORY_MISSING') return null;
    throw error;
  }
}
