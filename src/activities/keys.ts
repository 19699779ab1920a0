import type { KeyControl, KeyData } from '../contract/keys.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';

/** Keeps an answer far below Temporal's 2 MB limit on a payload. */
const MAX_PROBLEMS = 1_000;

export function createKeyActivities(deps: Dependencies): KeyControl & KeyData {
  const { settings } = deps;
  return {
    planRewrap: () =>
      withOperation(settings, async () => {
        const { keys } = await deps.repository();
        return { keyId: await keys.activeId() };
      }),
    rewrapKeys: ({ keyId }) =>
      withOperation(settings, async (operation) => {
        const { keys } = await deps.repository();
        const { problems, ...report } = await keys.rewrap(keyId, operation);
        return { ...report, problems: problems.slice(0, MAX_PROBLEMS), problemsTotal: problems.length };
      }),
  };
}
