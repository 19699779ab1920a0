import type { ErrorTable } from './rule.ts';

/** Errors of drills. */
export const DRILL_ERRORS = {
  DRILL_FAILED: {
    retry: 'never',
    exit: 4,
    when: 'A drill found that what was restored is damaged, wrong, late or too old.',
    hint: 'read the reasons in the report (`lifeboat dr report ID`); take a full backup if the stored one is damaged, and drill again',
  },
  DRILL_INCOMPLETE: {
    retry: 'never',
    exit: 3,
    when: 'A drill could not try all that it should: a component, a configured check, or the restore itself.',
    hint: 'remove what stood in the way, which the reasons name, and drill again: nothing is proven until then',
  },
  DRILL_NO_SPACE: {
    retry: 'never',
    exit: 1,
    when: 'The folder for scratch places has less room than the restored data takes.',
    hint: 'set restore.scratchDir to a folder on a disk with room',
  },
  DRILL_AMCHECK_FAILED: {
    retry: 'never',
    exit: 1,
    when: 'pg_amcheck ended without saying whether indexes and tables agree.',
    hint: 'its last words stand in the message; the rest of the drill counts',
  },
  DRILL_NOTHING_RESTORABLE: {
    retry: 'never',
    exit: 5,
    when: 'There is no backup that a drill could restore.',
    hint: 'take a full backup first',
  },
  DRILL_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No drill with this id has a report in the repository.',
    hint: 'list them with `lifeboat dr drills`',
  },
} as const satisfies ErrorTable;
