import { defineCommand } from '../command.ts';
import { formatBytes } from '../units.ts';
import { RESCUE_OPTIONS } from './rescue-options.ts';

/** `rescue list`: what a repository holds, read by this process. */
export const rescueList = defineCommand({
  name: 'rescue list',
  summary: 'list the backups of a repository, without Temporal and without configuration',
  arguments: {},
  options: RESCUE_OPTIONS,
  examples: ['rescue list --store /mnt/backups --trusted-key signing.pub'],
  answers: ['backups[]'],
  exits: [4, 5, 7],
  async run(context, { options }) {
    const { openRescue } = await import('./open-rescue.ts');
    const backups = await (await openRescue(context, options)).list();
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
    return { json: { backups }, text: () => (rows.length === 0 ? 'no backups' : context.output.table(headings, rows)) };
  },
});
