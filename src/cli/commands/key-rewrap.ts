import { defineCommand } from '../command.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { RewrapResult } from '../../contract/keys.ts';
import { flag } from '../options.ts';
import { describeProblem } from './damage.ts';
import { runOperation } from './run-operation.ts';

/** `key rewrap`: all data keys for the active key. */
export const keyRewrap = defineCommand({
  name: 'key rewrap',
  summary: 'wrap the data keys of all backups and journals for the active key',
  description:
    'Runs on a worker, with its keyring, and rewrites nothing but the wrapped keys: no data is read. Do it after `key rotate`, and after encryption.escrow changed. Killed at any moment, it is continued by its next attempt or run; every backup stays readable meanwhile.',
  arguments: {},
  options: { detach: flag('start it and print the workflow id instead of waiting') },
  examples: ['key rewrap', 'key rewrap --json'],
  answers: [
    'keyId',
    'escrowIds[]',
    'total',
    'rewrapped',
    'problems[{backupId, key, code, message}]',
    'problemsTotal',
    'workflowId',
    'runId',
    'durationMs',
  ],
  exits: [4, 6, 7, 130],
  run: (context, input) =>
    runOperation(context, {
      detach: input.options.detach,
      start: (manager) => manager.startRewrap(),
      answer: (result) => ({
        json: { ...result },
        text: () => describeRewrap(result),
        ...(result.problemsTotal === 0 ? {} : { failure: notOpened(result) }),
      }),
    }),
});

function describeRewrap({ keyId, escrowIds, total, rewrapped, problems, problemsTotal }: RewrapResult): string {
  const names = [keyId, ...escrowIds].join(' and ');
  const more = problemsTotal > problems.length ? [`  … and ${problemsTotal - problems.length} more`] : [];
  return [
    `${rewrapped} of ${total} data keys wrapped again; ${total - problemsTotal} open with ${names}`,
    ...problems.map(describeProblem),
    ...more,
  ].join('\n');
}

function notOpened({ problems, problemsTotal, total }: RewrapResult): LifeboatError {
  return new LifeboatError('KEYS_NOT_OPENED', `rewrap: ${problemsTotal} of ${total} data keys were left as they are`, {
    details: { problems: problems.slice(0, 20).map(({ key, code }) => `${code} ${key}`) },
  });
}
