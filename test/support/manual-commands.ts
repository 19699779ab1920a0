import {
  choice,
  BACKUP_OR_LATEST,
  flag,
  many,
  optional,
  parsePair,
  required,
  value,
  values,
} from '../../src/cli/options.ts';
import { type Command, type CommandContext, defineCommand } from '../../src/cli/command.ts';
import { parseTime } from '../../src/cli/time.ts';

/** Commands with the shapes of the manual's, for tests of the framework: they answer what they were given. */
const frame = {
  examples: ['x'] as const,
  answers: [],
  exits: [],
  run: async (_context: CommandContext, input: object) => ({ json: { ...input }, text: () => JSON.stringify(input) }),
};

export const MANUAL_COMMANDS: readonly Command[] = [
  defineCommand({
    ...frame,
    name: 'backup full',
    summary: 'take a full backup',
    arguments: {},
    options: {
      postgres: flag('only PostgreSQL'),
      redis: flag('only Redis'),
      label: values('<key=value>', 'label', parsePair),
      hold: flag('keep it'),
    },
  }),
  defineCommand({
    ...frame,
    name: 'backup list',
    summary: 'list backups',
    arguments: {},
    options: { kind: choice(['full', 'incremental'], 'kind'), since: value('<time>', 'not older', parseTime) },
  }),
  defineCommand({
    ...frame,
    name: 'restore',
    summary: 'bring a backup back',
    arguments: { backup: required('backup id or latest', BACKUP_OR_LATEST) },
    options: {
      postgres: flag('only PostgreSQL'),
      redis: flag('only Redis'),
      dropExisting: flag('replace what is there'),
      targetDatabase: value('<name>', 'database that takes the data'),
      stopServices: flag('stop services around it'),
      toTime: value('<time>', 'instant to restore', parseTime),
      table: values('<schema.table>', 'single tables'),
      keys: value('<glob>', 'single keys'),
      dryRun: flag('only show the plan'),
      yes: flag('do not ask'),
    },
  }),
  defineCommand({
    ...frame,
    name: 'restore undo',
    summary: 'undo',
    arguments: { run: required('restore id') },
    options: {},
  }),
  defineCommand({
    ...frame,
    name: 'dr test',
    summary: 'drill',
    arguments: { plan: optional('plan') },
    options: { mode: choice(['graceful', 'ungraceful'], 'mode'), random: flag('a random point') },
  }),
  defineCommand({
    ...frame,
    name: 'replication sync',
    summary: 'sync targets',
    arguments: { targets: many('targets; all without one') },
    options: { dryRun: flag('only show what would be copied') },
  }),
];
