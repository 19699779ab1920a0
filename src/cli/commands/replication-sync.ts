import type { CrossRegionManager, SyncOutcome, TargetStatus } from '../../client/cross-region-manager.ts';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import { defineCommand, type CommandContext, type CommandResult } from '../command.ts';
import { flag, many } from '../options.ts';
import type { ProgressRow } from '../progress.ts';
import { formatBytes } from '../units.ts';
import { rowsOf } from './await-operation.ts';
import { withTargets } from './with-targets.ts';

/** `replication sync [TARGET…]`: copies now, and reads back. */
export const replicationSync = defineCommand({
  name: 'replication sync',
  summary: 'copy all that targets lack now, and read back all that they have',
  description:
    'Every object of every backup is compared with its digest on the target; what is missing or wrong there is copied. Targets are served at the same time, and one that fails holds up no other: then the exit code is 3.',
  arguments: { target: many('names of targets; all of them without any') },
  options: { dryRun: flag('only say which backups are missing where') },
  examples: ['replication sync', 'replication sync us-west-2 --json', 'replication sync --dry-run'],
  answers: [
    'targets[] {name, state: synced|failed|pending, backups[], present, objects, bytes, problems[], error {code, message, hint}}',
    'dryRun',
  ],
  exits: [3, 7, 130],
  run: (context, { arguments: { target: names }, options: { dryRun } }) =>
    withTargets(context, async (manager) => {
      const targets = choose(await manager.getTargetsStatus(), names);
      if (dryRun) return describePending(targets);
      return describeOutcomes(await syncAll(context, manager, targets));
    }),
});

function choose(all: readonly TargetStatus[], names: readonly string[]): readonly TargetStatus[] {
  const known = all.map(({ name }) => name);
  if (known.length === 0) {
    throw new LifeboatError('TARGET_UNKNOWN', 'replication sync: no target is configured', {
      hint: 'name a bucket in storage.remoteStorage, or regions in crossRegion; docs/guides/copies.md says how',
    });
  }
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new LifeboatError('TARGET_UNKNOWN', `target ${unknown}: not one of ${known.join(', ')}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** Progress of all at once, a row for each. */
async function syncAll(
  context: CommandContext,
  manager: CrossRegionManager,
  targets: readonly TargetStatus[],
): Promise<readonly SyncOutcome[]> {
  const { follow } = await import('../../client/follow.ts');
  const rows = new Map<string, readonly ProgressRow[]>();
  context.onInterrupt(() => 'the copies go on; `lifeboat replication status` tells how far they are');
  const syncOne = async ({ name }: TargetStatus): Promise<SyncOutcome> => {
    try {
      const started = await manager.startSync(name);
      const result = started.result();
      await follow(started.handle, result, (view) => {
        const named = rowsOf(view).map((row) => ({ ...row, name }));
        rows.set(name, named);
        context.progress.update([...rows.values()].flat());
      });
      return { ...(await result), error: null };
    } catch (error) {
      context.signal.throwIfAborted();
      return { target: name, error: toLifeboatError(error) };
    }
  };
  const outcomes = await Promise.all(targets.map(syncOne));
  context.progress.stop();
  return outcomes;
}

function describePending(targets: readonly TargetStatus[]): CommandResult {
  const rows = targets.map(({ name, pending, pendingBackups, lastError }) => ({
    name,
    state: 'pending',
    pending,
    backups: pendingBackups,
    error: lastError,
  }));
  return {
    json: { targets: rows, dryRun: true },
    text: () =>
      rows
        .map(({ name, pending, backups, error }) => {
          const missing = pending === null ? `not known: ${error ?? ''}` : `${pending} backups would be copied`;
          return [`${name}: ${missing}`, ...backups.map((id) => `  ${id}`)].join('\n');
        })
        .join('\n'),
  };
}

function describeOutcomes(outcomes: readonly SyncOutcome[]): CommandResult {
  const rows = outcomes.map(rowOf);
  const failed = rows.filter(({ state }) => state === 'failed');
  const failure = new LifeboatError(
    'TARGET_FAILED',
    failed.map(({ name, error, problems }) => `${name}: ${error?.message ?? problems[0]?.message ?? ''}`).join('; '),
    { details: { targets: failed.map(({ name }) => name) } },
  );
  return {
    json: { targets: rows, dryRun: false },
    text: () =>
      rows
        .map(({ name, state, backups, present, objects, bytes, problems }) =>
          [
            `${name}: ${state}, ${backups.length} backups copied, ${present} there before; ${objects} objects, ${formatBytes(bytes)}`,
            ...problems.map(({ backupId, message }) => `  ${backupId}: ${message}`),
          ].join('\n'),
        )
        .join('\n'),
    ...(failed.length === 0 ? {} : { failure }),
  };
}

type Row = Omit<Extract<SyncOutcome, { error: null }>, 'error' | 'target'> & {
  readonly name: string;
  readonly state: 'synced' | 'failed';
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null;
};

function rowOf(outcome: SyncOutcome): Row {
  const nothing = { backups: [], backupsTotal: 0, present: 0, objects: 0, bytes: 0, problems: [] };
  if (outcome.error !== null) {
    const { code, message, hint } = outcome.error;
    return { name: outcome.target, state: 'failed', ...nothing, error: { code, message, hint } };
  }
  const { target: name, error: _error, ...copied } = outcome;
  return { name, state: copied.problems.length === 0 ? 'synced' : 'failed', ...copied, error: null };
}
