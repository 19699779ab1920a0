import type { Client } from '@temporalio/client';
import type { RestoreSelectionInput, RestoreSelectionResult } from '../contract/selection.ts';
import { groupWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { formatTableName, parseTableName } from '../domain/table-name.ts';
import { startOperation } from './operation.ts';
import type { StartedOperation } from './operation.ts';

export interface SelectionOptions {
  /** `schema.table` as in SQL: `public."User Data"`. Parts of a partitioned table come with it. */
  readonly tables?: readonly string[];
  /** Schema that takes the tables; by default a new one named for the time. Not with `inPlace`. */
  readonly intoSchema?: string;
  /** Put the tables in the place of the live ones, which are kept in a schema of their own. */
  readonly inPlace?: boolean;
  /** Patterns as of KEYS. */
  readonly keys?: readonly string[];
  /** Keys of the backup replace present ones; without it present keys that match are a refusal. */
  readonly merge?: boolean;
  readonly dryRun?: boolean;
  readonly toTime?: Date;
  readonly toLsn?: string;
  /** Target that the backup is read from, instead of the repository. */
  readonly fromTarget?: string;
}

/** Starts a restore of single tables and keys. @throws LifeboatError USAGE_INVALID, GROUP_BUSY */
export async function startSelection(
  { client, ...asked }: { readonly client: Client; readonly group: string; readonly requestedBy: string },
  backup: string,
  options: SelectionOptions,
): Promise<StartedOperation<RestoreSelectionResult>> {
  const { keys = [], merge = false, inPlace = false, dryRun = false, intoSchema = null, toTime, toLsn } = options;
  const from = options.fromTarget === undefined ? {} : { fromTarget: options.fromTarget };
  const tables = (options.tables ?? []).map((name) => formatTableName(parseTableName(name)));
  const to = toTime ? { time: toTime.toISOString() } : toLsn === undefined ? null : { lsn: toLsn };
  const { group, requestedBy } = asked;
  const request = { tables: [...new Set(tables)], intoSchema, inPlace, keys: [...new Set(keys)], merge };
  const input: RestoreSelectionInput = { ...asked, ...request, backup, dryRun, to, ...from };
  const what = [tables.length > 0 && `${tables.length} tables`, keys.length > 0 && keys.join(', ')].filter(Boolean);
  return startOperation(client, {
    workflow: WORKFLOWS.restoreSelection,
    workflowId: groupWorkflowId(group),
    kind: 'restore',
    summary: `${dryRun ? 'dry run of a restore' : 'restore'} of ${what.join(' and ')} from ${backup}, asked for by ${requestedBy}`,
    input,
    ...asked,
  });
}
