import type { Problem } from '../../domain/backup.ts';
import { defineCommand } from '../command.ts';
import { required } from '../options.ts';
import type { VerificationPlan } from '../../recovery/plan-verification.ts';
import type { RepositoryReader } from '../../repository/repository.ts';
import { damaged, describeProblem, isOf } from '../commands/damage.ts';
import { RESCUE_OPTIONS } from './rescue-options.ts';

/** `rescue verify ID|latest|all`: reads everything back in this process. */
export const rescueVerify = defineCommand({
  name: 'rescue verify',
  summary: 'read every object of a backup, or of all backups and journals, back, without Temporal and configuration',
  arguments: { id: required('backup id, latest or all') },
  options: RESCUE_OPTIONS,
  examples: ['rescue verify latest --store /mnt/backups --key keyring.json --trusted-key signing.pub'],
  answers: ['verified[]', 'problems[{backupId, key, code, message}]'],
  exits: [4, 5, 7],
  async run(context, { arguments: { id }, options }) {
    const { openRescue, rescueOperation } = await import('./open-rescue.ts');
    const repository = await openRescue(context, options);
    const { backupIds, journals, problems: found } = await plan(repository, id);
    const problems: Problem[] = [...found];
    for (const one of backupIds) {
      problems.push(...(await repository.verify(one, rescueOperation(context, `verify ${one}`))));
    }
    for (const { kind, backupId } of journals) {
      const operation = rescueOperation(context, `verify journal of ${kind}`);
      const { verifyJournalRange } = await import('../../recovery/verify-range.ts');
      problems.push(
        ...(backupId === undefined
          ? await repository.journals.verify(kind, operation)
          : await verifyJournalRange(repository, { backupId, kind }, operation)),
      );
    }
    const whole = journals.flatMap(({ kind, backupId }) => (backupId === undefined ? [`journals/${kind}`] : []));
    const verified = [...backupIds, ...whole];
    return {
      json: { verified, problems },
      text: () =>
        [
          ...verified.map((one) => `${one}  ${problems.some((problem) => isOf(one, problem)) ? 'DAMAGED' : 'sound'}`),
          ...problems.map(describeProblem),
        ].join('\n'),
      ...(problems.length === 0 ? {} : { failure: damaged(problems) }),
    };
  },
});

async function plan(repository: RepositoryReader, id: string): Promise<VerificationPlan> {
  const { planVerification } = await import('../../recovery/plan-verification.ts');
  return planVerification(repository, id);
}
