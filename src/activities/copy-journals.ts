import { setTimeout as delay } from 'node:timers/promises';
import type { CopyActivities, CopyJournalsEnd } from '../contract/replication.ts';
import type { Problem } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import { createCopyMemory } from '../repository/replicate/copy-memory.ts';
import type { CopyTarget, Dependencies } from './dependencies.ts';
import { orHandedOver } from './or-handed-over.ts';
import { withOperation } from './operation.ts';

/** Between two passes: what is durable in the repository is at a target that keeps up within this, and the time of the copy itself. */
const PAUSE_MS = 15_000;
/** An attempt hands over after this time, well before its time-out. */
const HAND_OVER_MS = 6 * 3_600_000;
/** Of one answer. */
const MAX_PROBLEMS = 20;

/** See CopyActivities.copyJournals. It takes no turn with copies of backups: those may last for hours. */
export function createJournalCopyActivities(deps: Dependencies): Pick<CopyActivities, 'copyJournals'> {
  return {
    copyJournals: ({ target: name }) =>
      orHandedOver<CopyJournalsEnd>({ end: 'handed-over', problems: [] }, () =>
        withOperation(deps.settings, async (operation) => {
          const target = deps.targets.find((one) => one.name === name);
          if (target === undefined) return { end: 'not-configured', problems: [] };
          return { end: 'handed-over', problems: await follow(deps, target, operation) };
        }),
      ),
  };
}

async function follow(deps: Dependencies, target: CopyTarget, operation: Operation): Promise<readonly Problem[]> {
  const deadline = Date.now() + HAND_OVER_MS;
  const memory = createCopyMemory();
  const found = new Map<string, Problem>();
  for (let pass = 1; Date.now() < deadline; pass += 1) {
    // A repository that is not there yet, or not any more, is not made.
    if (await deps.hasRepository()) {
      const repository = await deps.repository();
      const { problems } = await repository.replicateJournals(target.store(), { memory, operation });
      for (const problem of problems) found.set(problem.key, problem);
    }
    operation.onProgress({ phase: 'following the journals', bytes: 0, items: pass });
    await delay(PAUSE_MS, undefined, { signal: operation.signal });
  }
  return [...found.values()].slice(0, MAX_PROBLEMS);
}
