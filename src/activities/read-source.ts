import { LifeboatError, toLifeboatError } from '../domain/errors.ts';
import { targetNamed } from './copy-to-target.ts';
import type { Dependencies } from './dependencies.ts';
import { openExisting } from './lost-repository.ts';
import { within } from './within.ts';

/** For a store to say that it has a backup; one that is away is passed over after that. */
const ANSWER_MS = 20_000;

/** Where an operation reads backups and journals from. */
export interface ReadSource {
  /** As ours, but with the target's repository in the place of the own one where `from` names it. */
  readonly deps: Dependencies;
  /** The target; undefined for the repository itself. */
  readonly from: string | undefined;
  /** Why it is a target that nobody asked for; null otherwise. */
  readonly notice: string | null;
}

/** Reads from a target from now on; from the repository itself where `from` is undefined. @throws LifeboatError TARGET_UNKNOWN */
export function readingFrom(deps: Dependencies, from: string | undefined): Dependencies {
  if (from === undefined) return deps;
  const target = targetNamed(deps, from);
  return { ...deps, repository: async () => target.repository() };
}

/**
 * The target that is asked for; else the repository itself; else, where that is gone or holds nothing, the first target that has a
 * backup of the group. Only reads.
 * @throws LifeboatError TARGET_UNKNOWN
 */
export async function chooseSource(deps: Dependencies, asked: string | undefined): Promise<ReadSource> {
  if (asked !== undefined) return { deps: readingFrom(deps, asked), from: asked, notice: null };
  const itself = { deps, from: undefined, notice: null };
  if (deps.targets.length === 0) return itself;
  const gone = await whyGone(async () => openExisting(deps));
  if (gone === null) return itself;
  const answers = await Promise.all(deps.targets.map(async ({ repository }) => whyGone(repository)));
  const found = deps.targets[answers.indexOf(null)];
  if (found === undefined) return itself;
  const notice = `the repository has no backup that can be read (${gone}): reading the copies of target ${found.name}`;
  return { deps: readingFrom(deps, found.name), from: found.name, notice };
}

/** Null where a backup can be had, or one is damaged, which is another matter. */
async function whyGone(repository: Dependencies['repository']): Promise<string | null> {
  try {
    const opened = repository().then(async (one) => one.load('latest'));
    await within(ANSWER_MS, { doing: 'ask for the newest backup' }, opened);
    return null;
  } catch (error) {
    const { code, message } = toLifeboatError(error);
    if (code === 'BACKUP_NOT_FOUND' || code === 'REPOSITORY_MISSING' || code.startsWith('STORE_')) return message;
    if (error instanceof LifeboatError && error.rule.exit === 4) return null;
    throw error;
  }
}
