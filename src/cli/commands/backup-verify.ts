import type { StartedOperation } from '../../client/operation.ts';
import { parseSize } from '../../config/size.ts';
import type { VerifyResult } from '../../contract/messages.ts';
import type { VerifyOldestResult } from '../../contract/verification.ts';
import { parseDuration } from '../../domain/duration.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { VerificationBudget } from '../../domain/oldest-first.ts';
import { defineCommand } from '../command.ts';
import { flag, required, value } from '../options.ts';
import { damaged, describeProblem, isOf } from './damage.ts';
import { runOperation } from './run-operation.ts';

/** `backup verify ID|latest|all`: reads everything back. */
export const backupVerify = defineCommand({
  name: 'backup verify',
  summary: 'read every object of a backup, or of all backups and journals, back and check it',
  description:
    'Checks sizes, digests, encryption tags, compression checksums, signatures and the chain of manifests. `all` reads the journals as well; of an incremental backup all that it stands on is read, and what lies between it and its full backup in the journals.',
  arguments: { id: required('backup id, latest or all') },
  options: {
    detach: flag('start it and print the workflow id instead of waiting'),
    oldestFirst: flag('with all: the backup that was read back longest ago first; backups only, no journals'),
    budgetBytes: value(
      '<size>',
      'with all: oldest first, and begin no further one beyond so much (50GiB)',
      parseBudgetSize,
    ),
    budgetTime: value(
      '<duration>',
      'with all: oldest first, and begin no further one after so long (2h)',
      parseBudgetTime,
    ),
  },
  examples: [
    'backup verify latest',
    'backup verify all --json',
    'backup verify all --oldest-first --budget-bytes 50GiB --budget-time 2h',
  ],
  answers: [
    'verified[]',
    'problems[{backupId, key, code, message}]',
    'with a budget: storedBytes, remaining, oldest',
    'workflowId',
    'runId',
    'durationMs',
  ],
  exits: [4, 5, 7, 130],
  run: async (context, input) => {
    const budget = budgetOf(input.arguments.id, input.options);
    return runOperation(context, {
      detach: input.options.detach,
      start: (manager): Promise<StartedOperation<VerifyResult & Partial<VerifyOldestResult>>> =>
        budget === undefined ? manager.startVerify(input.arguments.id) : manager.startVerifyOldest(budget),
      answer({ verified, problems, ...reached }, durationMs) {
        const seconds = (durationMs / 1_000).toFixed(1);
        const lines = verified.map(
          (id) => `${id}  ${problems.some((problem) => isOf(id, problem)) ? 'DAMAGED' : 'sound'}`,
        );
        return {
          json: { verified, problems, ...reached },
          text: () =>
            [
              ...lines,
              ...problems.map(describeProblem),
              `read back in ${seconds} s`,
              ...(reached.remaining === undefined ? [] : [`${reached.remaining} left for later`]),
            ].join('\n'),
          ...(problems.length === 0 ? {} : { failure: damaged(problems) }),
        };
      },
    });
  },
});

/** Undefined where all that is asked for is read, in any order. @throws LifeboatError USAGE_INVALID */
function budgetOf(
  id: string,
  options: { oldestFirst: boolean; budgetBytes: number | undefined; budgetTime: number | undefined },
): VerificationBudget | undefined {
  const { oldestFirst, budgetBytes, budgetTime } = options;
  if (!oldestFirst && budgetBytes === undefined && budgetTime === undefined) return undefined;
  if (id === 'all') return { bytes: budgetBytes ?? null, ms: budgetTime ?? null };
  throw new LifeboatError('USAGE_INVALID', `verify ${id}: --oldest-first and budgets choose among all backups`, {
    hint: 'say `backup verify all`, or leave the budget out',
  });
}

function parseBudgetSize(text: string): number {
  return requireBudget(parseSize(text), text, 'a size such as 50GiB');
}

function parseBudgetTime(text: string): number {
  return requireBudget(parseDuration(text), text, 'a duration such as 2h');
}

function requireBudget(parsed: number | undefined, text: string, what: string): number {
  if (parsed !== undefined && parsed > 0) return parsed;
  throw new LifeboatError('USAGE_INVALID', `read ${JSON.stringify(text)}: not ${what}`);
}
