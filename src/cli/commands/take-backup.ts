import { defineCommand } from '../command.ts';
import type { BackupKind } from '../../domain/backup.ts';
import type { NativeOutcome } from '../../domain/native-incremental.ts';
import type { Command } from '../command.ts';
import { flag, parsePair, value, values } from '../options.ts';
import { chosenComponents, describeBackup } from './describe-backup.ts';
import { runOperation } from './run-operation.ts';

/** `backup full` and `backup incremental`: take one and wait. */
function takeBackup(kind: BackupKind, words: Pick<Command, 'summary' | 'description'>): Command {
  return defineCommand({
    name: `backup ${kind}`,
    ...words,
    arguments: {},
    options: {
      postgres: flag('only PostgreSQL'),
      redis: flag('only Redis'),
      label: values('<key=value>', 'label of the backup, repeatable', parsePair),
      hold: value('<reason>', 'pin the backup against cleanup'),
      detach: flag('start it and print the workflow id instead of waiting'),
    },
    examples: [`backup ${kind}`, `backup ${kind} --label release=2026-11 --json`, `backup ${kind} --redis --detach`],
    answers: [
      'backup',
      'warnings[]',
      'native {parentId, obstacle {code, reason}}',
      'workflowId',
      'runId',
      'durationMs',
    ],
    exits: [6, 7, 130],
    run: (context, { options }) =>
      runOperation(context, {
        detach: options.detach,
        start: (manager) => {
          const components = chosenComponents(options);
          return manager.startBackup(kind, {
            label: Object.fromEntries(options.label),
            ...(components === undefined ? {} : { components }),
            ...(options.hold === undefined ? {} : { hold: options.hold }),
          });
        },
        answer({ backup, warnings, native }, durationMs) {
          for (const warning of warnings) context.output.warn(warning);
          return {
            json: { backup, warnings, ...(native && { native }) },
            text: () =>
              `${describeBackup(backup)}${describeBlocks(native)}\n  took ${(durationMs / 1_000).toFixed(1)} s`,
          };
        },
      }),
  });
}

function describeBlocks(native: NativeOutcome | undefined): string {
  return native?.parentId == null ? '' : `\n  holds the blocks that changed since ${native.parentId}`;
}

export const backupFull = takeBackup('full', {
  summary: 'take a full backup of PostgreSQL and Redis',
  description:
    'Both databases are copied at once. The backup is listed when its signed manifest is written, last; what fails before is removed again.',
});

export const backupIncremental = takeBackup('incremental', {
  summary: 'take an incremental backup; without a journal a full one',
  description:
    'An incremental backup stands on a journal that runs. Where none does, a full backup is taken and a warning says so. Of a Redis that allows no replication the keys that changed are stored.',
});
