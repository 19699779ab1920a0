import { defineCommand } from '../command.ts';
import { choice, value } from '../options.ts';
import { parseTime } from '../time.ts';
import { formatBytes } from '../units.ts';
import { countCopies, hasTargets } from './describe-copies.ts';
import { describeWindow } from './describe-window.ts';
import { withManager } from './run-operation.ts';

/** `backup list`: newest first. */
export const backupList = defineCommand({
  name: 'backup list',
  summary: 'list backups, newest first, and what can be restored',
  arguments: {},
  options: {
    kind: choice(['full', 'incremental'], 'only this kind'),
    target: value('<name>', 'the copies of this target, instead of the repository'),
    since: value('<time>', 'only those taken at or after this time', (text) => parseTime(text, new Date())),
  },
  examples: ['backup list', 'backup list --since now-1d --json', 'backup list --target us-west-2'],
  answers: [
    'backups[] {…, copies[] {target, state: present|missing|damaged|removed|unknown, verifiedAt}}',
    'from',
    'window {from, to, gaps[] {component, from, to, code, message}, spans[], postgres {spans[]}, redis {spans[]}, omitted}',
  ],
  exits: [5, 7],
  run: (context, { options }) =>
    withManager(context, async (manager) => {
      const {
        backups: all,
        window = null,
        warnings = [],
        from = null,
      } = await manager.readCatalog(options.target === undefined ? {} : { fromTarget: options.target });
      for (const warning of warnings) context.output.warn(warning);
      const backups = all.filter(
        ({ kind, createdAt }) =>
          (options.kind === undefined || kind === options.kind) &&
          (options.since === undefined || new Date(createdAt) >= options.since),
      );
      const rows = backups.map((backup) => [
        backup.id,
        backup.kind,
        backup.status,
        Object.keys(backup.components).join(' + '),
        formatBytes(backup.storedBytes),
        backup.encrypted ? 'yes' : 'no',
        backup.verifiedAt ?? 'never',
        ...(hasTargets(all) ? [countCopies(backup)] : []),
      ]);
      const headings = ['id', 'kind', 'status', 'holds', 'stored', 'encrypted', 'verified'];
      if (hasTargets(all)) headings.push('copies');
      return {
        json: { backups, window, from },
        text: async () =>
          all.length === 0
            ? 'no backups: take one with `lifeboat backup full`'
            : [
                rows.length === 0 ? 'no such backups' : await context.output.table(headings, rows),
                '',
                ...(window === null ? [] : describeWindow(window)),
              ].join('\n'),
      };
    }),
});
