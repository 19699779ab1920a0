import type { Problem } from '../../domain/backup.ts';
import { defineCommand } from '../command.ts';
import { required } from '../options.ts';
import { damaged, describeProblem } from '../commands/damage.ts';
import { RESCUE_OPTIONS } from './rescue-options.ts';

/** `rescue verify ID|latest|all`: reads everything back in this process. */
export const rescueVerify = defineCommand({
  name: 'rescue verify',
  summary: 'read every object of a backup back, without Temporal and without configuration',
  arguments: { id: required('backup id, latest or all') },
  options: RESCUE_OPTIONS,
  examples: ['rescue verify latest --store /mnt/backups --key keyring.json --trusted-key signing.pub'],
  answers: ['verified[]', 'problems[{backupId, key, code, message}]'],
  exits: [4, 5, 7],
  async run(context, { arguments: { id }, options }) {
    const { openRescue, rescueOperation } = await import('./open-rescue.ts');
    const repository = await openRescue(context, options);
    const ids = id === 'all' ? (await repository.list()).map((backup) => backup.id) : [await resolve(repository, id)];
    const problems: Problem[] = [...(await repository.verifyChain())];
    for (const one of ids) problems.push(...(await repository.verify(one, rescueOperation(context, `verify ${one}`))));
    return {
      json: { verified: ids, problems },
      text: () =>
        [
          ...ids.map((one) => `${one}  ${problems.some(({ backupId }) => backupId === one) ? 'DAMAGED' : 'sound'}`),
          ...problems.map(describeProblem),
        ].join('\n'),
      ...(problems.length === 0 ? {} : { failure: damaged(problems) }),
    };
  },
});

async function resolve(repository: { load(id: string): Promise<{ id: string }> }, id: string): Promise<string> {
  return id === 'latest' ? (await repository.load(id)).id : id;
}
