import type { DrillOptions } from '../../client/drill-manager.ts';
import { defineCommand, type Command, type CommandContext, type CommandResult } from '../command.ts';
import { BACKUP_OR_LATEST, flag, optional, value } from '../options.ts';
import { parseTime } from '../time.ts';
import { answerDrill } from './describe-drill.ts';
import { answerOperation } from './run-operation.ts';
import { withDrills } from './with-drills.ts';

const ANSWERS = [
  'drillId',
  'verdict: pass|fail|incomplete',
  'reasons[]',
  'checks[]',
  'rtoMs',
  'rpoMs',
  'reportPath',
  'sha256',
  'point {how, backupId, recoveryPoint, components, replay, from}',
  'phases[] {name, component, startMs, durationMs}',
  'behindNewestMs',
  'objectives {rtoMs, rpoMs}',
  'readWhole[]',
  'nextDueAt',
  'workflowId',
  'runId',
  'durationMs',
] as const;
const DETACH = flag('start it and print the workflow id instead of waiting');
const FROM_TARGET = value('<name>', 'read the copies of this target, instead of the repository');
const EXITS = [3, 4, 5, 6, 7, 130] as const;

/** `dr test`: a drill of what a disaster would leave. */
export const drTest: Command = defineCommand({
  name: 'dr test',
  summary: 'rehearse a recovery in a scratch place, check it, measure it, remove it',
  description:
    'Restores the newest point that can be had into servers of its own, without touching anything live: starts them, reads every row, compares indexes with tables, compares keys, runs the checks of the configuration, and leaves a report in the repository. The exit code is 4 where anything is wrong, and 3 where something could not be tried.',
  arguments: {},
  options: {
    random: flag('a point by lot, instead of the newest'),
    backup: value('<id>', 'this backup as it is, instead of the newest point'),
    toTime: value('<time>', 'an instant in the recovery window', parseTime),
    fromTarget: FROM_TARGET,
    detach: DETACH,
  },
  examples: [
    'dr test',
    'dr test --random --json',
    'dr test --to-time now-2h',
    'dr test --backup latest --from-target us-west-2',
  ],
  answers: ANSWERS,
  exits: EXITS,
  run: (context, { options: { random, backup, toTime, fromTarget, detach } }) =>
    runDrill(context, detach, {
      ...(random ? { point: 'random' } : {}),
      ...(backup === undefined ? {} : { backup }),
      ...(toTime === undefined ? {} : { toTime }),
      ...(fromTarget === undefined ? {} : { fromTarget }),
    }),
});

/** `backup test`: takes one and proves that it can be restored. */
export const backupTest: Command = defineCommand({
  name: 'backup test',
  summary: 'take a full backup, restore it into a scratch place, compare, remove the scratch place',
  description:
    'Live data is only read. The backup that was taken stays, as any other. With an id nothing is taken: that backup is restored and compared.',
  arguments: { id: optional('backup id or latest: test this one instead of a new one', BACKUP_OR_LATEST) },
  options: { fromTarget: FROM_TARGET, detach: DETACH },
  examples: ['backup test', 'backup test latest --json'],
  answers: ANSWERS,
  exits: EXITS,
  run: (context, { arguments: { id }, options: { fromTarget, detach } }) =>
    runDrill(context, detach, {
      ...(id === undefined ? { backupFirst: true } : { backup: id }),
      ...(fromTarget === undefined ? {} : { fromTarget }),
    }),
});

async function runDrill(context: CommandContext, detach: boolean, options: DrillOptions): Promise<CommandResult> {
  return withDrills(context, async (manager) => {
    const startedAt = Date.now();
    const started = await manager.startDrill(options);
    return answerOperation(context, started, {
      detach,
      startedAt,
      answer: (result) => answerDrill(context, result),
    });
  });
}
