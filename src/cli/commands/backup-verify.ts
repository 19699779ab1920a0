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
    target: value('<name>', 'the copies of this target, instead of the repository'),
    detach: flag('start it and print the workflow id instead of waiting'),
  },
  examples: ['backup verify latest', 'backup verify all --json', 'backup verify latest --target us-west-2'],
  answers: ['verified[]', 'problems[{backupId, key, code, message}]', 'from', 'workflowId', 'runId', 'durationMs'],
  exits: [4, 5, 7, 130],
  run: (context, input) =>
    runOperation(context, {
      detach: input.options.detach,
      start: (manager) =>
        manager.startVerify(
          input.arguments.id,
          input.options.target === undefined ? {} : { fromTarget: input.options.target },
        ),
      answer({ verified, problems, from = null, notice }, durationMs) {
        if (notice != null) context.output.warn(notice);
        const seconds = (durationMs / 1_000).toFixed(1);
        const lines = verified.map(
          (id) => `${id}  ${problems.some((problem) => isOf(id, problem)) ? 'DAMAGED' : 'sound'}`,
        );
        return {
          json: { verified, problems, from },
          text: () => [...lines, ...problems.map(describeProblem), `read back in ${seconds} s`].join('\n'),
          ...(problems.length === 0 ? {} : { failure: damaged(problems) }),
        };
      },
    }),
});
