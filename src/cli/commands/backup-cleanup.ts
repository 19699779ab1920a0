import { defineCommand } from '../command.ts';
import { flag } from '../options.ts';
import { cleanupJson, describeCleanup } from './describe-cleanup.ts';
import { describeTargetCleanup, failureOfTargets, targetCleanupJson } from './describe-target-cleanup.ts';
import { runOperation } from './run-operation.ts';

/** `backup cleanup`: applies retention. */
export const backupCleanup = defineCommand({
  name: 'backup cleanup',
  summary: 'remove what retention does not keep, and say why each backup stays or goes',
  description:
    'Removal has two halves. A removed backup is no longer listed at once; its objects go with the first cleanup after retention.grace (24 h), and until then `backup hold ID` brings it back. What kept backups stand on stays, and so do the journals since the oldest of them. What interrupted runs left, and databases whose restore can no longer be undone, go as well. Each target is cleaned up at the same time by rules of its own (stores.NAME.retention), else by those of the group; one that fails holds up no other, and the exit code is 3.',
  arguments: {},
  options: {
    dryRun: flag('say what would be removed, and change nothing'),
    includeDamaged: flag('remove damaged backups as well, whatever their age and whether or not others were verified'),
    detach: flag('start it and print the workflow id instead of waiting'),
  },
  examples: ['backup cleanup --dry-run', 'backup cleanup --json'],
  answers: [
    'removed[] {id, reasons[] {code, message}}',
    'kept[] {id, reasons[]}',
    'freedBytes',
    'freedLaterBytes',
    'windowBefore',
    'windowAfter',
    'purged[]',
    'waiting[] {id, dueAt}',
    'locked[] {what, until} (kept by the Object Lock of the store; goes later)',
    'journals {removed[], purged[]}',
    'unreferenced {abandoned[], leftovers}',
    'databases[]',
    'tables[] {database, schema} (that restores replaced in place)',
    'targets[] {name, state: done|failed|unused, removed[], kept[], purged[], waiting[], locked[], freedBytes, freedLaterBytes, windowBefore, windowAfter, error {code, message, hint}}',
    'dryRun',
    'workflowId',
    'runId',
    'durationMs',
  ],
  exits: [3, 6, 7, 130],
  run: (context, { options }) =>
    runOperation(context, {
      detach: options.detach,
      start: ({ startCleanup }) => startCleanup({ dryRun: options.dryRun, includeDamaged: options.includeDamaged }),
      async answer(result, _durationMs, manager) {
        for (const warning of result.plan.warnings) context.output.warn(warning);
        const targets = await manager.awaitTargetCleanups(result);
        return {
          json: { ...cleanupJson(result), targets: targets.map(targetCleanupJson) },
          text: () => [describeCleanup(result), ...targets.map(describeTargetCleanup)].join('\n'),
          ...failureOfTargets(targets),
        };
      },
    }),
});
