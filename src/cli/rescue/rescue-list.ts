import { defineCommand } from '../command.ts';
import { formatBytes } from '../units.ts';
import { describeWindow } from '../commands/describe-window.ts';
import { RESCUE_OPTIONS } from './rescue-options.ts';

/** `rescue list`: what a repository holds, read by this process. */
export const rescueList = defineCommand({
  name: 'rescue list',
  summary: 'list the backups of a repository, without Temporal and without configuration',
  arguments: {},
  options: RESCUE_OPTIONS,
  examples: ['rescue list --store /mnt/backups --trusted-key signing.pub'],
  answers: ['backups[]', 'window {from, to, gaps[], spans[], postgres, redis, omitted}'],
  exits: [4, 5, 7],
  async run(context, { options }) {
    const { openRescue, rescueOperation } = await import('./open-rescue.ts');
    const { readRecoveryCatalog } = await import('../../recovery/read-catalog.ts');
    const { recoveryWindow } = await import('../../domain/recovery-window.ts');
    const { viewWindow } = await import('../../domain/window-view.ts');
    const repository = await openRescue(context, options);
    const catalog = await readRecoveryCatalog(repository, 'stored', rescueOperation(context, 'read journals'));
    const { backups, problems } = catalog;
    for (const { key, message } of problems) context.output.warn(`${key}: ${message}`);
    const window = viewWindow(recoveryWindow(catalog));
    const rows = backups.map(({ id, kind, status, components, storedBytes, encrypted, signed }) => [
      id,
      kind,
      status,
      Object.keys(components).join(' + '),
      formatBytes(storedBytes),
      encrypted ? 'yes' : 'no',
      signed ? 'yes' : 'no',
    ]);
    const headings = ['id', 'kind', 'status', 'holds', 'stored', 'encrypted', 'signed'];
    return {
      json: { backups, window },
      text: async () =>
        rows.length === 0
          ? 'no backups'
          : [await context.output.table(headings, rows), '', ...describeWindow(window)].join('\n'),
    };
  },
});
