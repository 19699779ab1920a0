import type { VerificationData } from '../contract/verification.ts';
import { oldestFirst } from '../domain/oldest-first.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';

/** About 150 bytes each; both keep an answer far below Temporal's 2 MB limit on a payload. A run that reads so many is a long one. */
const MAX_DUE = 2_000;
const MAX_PROBLEMS = 1_000;

export function createVerificationActivities(deps: Dependencies): VerificationData {
  return {
    planOldestVerification: () =>
      withOperation(deps.settings, async () => {
        const repository = await deps.repository();
        const due = oldestFirst(await repository.list());
        const problems = (await repository.verifyChain()).slice(0, MAX_PROBLEMS);
        return { due: due.slice(0, MAX_DUE), total: due.length, problems };
      }),
  };
}
