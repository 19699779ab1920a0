import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { log, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../../contract/names.ts';

const PHASE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);
const BACKUP_ID = defineSearchAttributeKey(SEARCH_ATTRIBUTES.backupId, SearchAttributeType.KEYWORD);

const GROUP = defineSearchAttributeKey(SEARCH_ATTRIBUTES.group, SearchAttributeType.KEYWORD);
const KIND = defineSearchAttributeKey(SEARCH_ATTRIBUTES.kind, SearchAttributeType.KEYWORD);

/** What an operation that a workflow starts is found by, as for one that a person starts. */
export function operationAttributes(group: string, kind: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: GROUP, value: group },
    { key: KIND, value: kind },
  ]);
}

/** Says in the Temporal Web UI where an operation is: search attributes, and current details in Markdown. */
export interface WorkflowProgress {
  /** A new phase; `what` says in one sentence what happens in it. */
  enter(phase: string, what: string): void;
  /** The backup that this run makes or uses. */
  concerns(backupId: string): void;
  /** A fact that stays in the details until the run ends. */
  note(line: string): void;
}

export function trackProgress(heading: string): WorkflowProgress {
  const notes: string[] = [];
  let now = '';
  const show = (): void => {
    setCurrentDetails([`**${heading}**`, now, ...notes.map((note) => `- ${note}`)].filter(Boolean).join('\n\n'));
  };
  return {
    enter(phase, what) {
      now = `${phase}: ${what}`;
      upsertSearchAttributes([{ key: PHASE, value: phase }]);
      log.info('entering phase', { phase });
      show();
    },
    concerns(backupId) {
      upsertSearchAttributes([{ key: BACKUP_ID, value: backupId }]);
      notes.push(`backup \`${backupId}\``);
      show();
    },
    note(line) {
      notes.push(line);
      show();
    },
  };
}
