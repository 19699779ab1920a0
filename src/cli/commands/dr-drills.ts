import type { DrillsKnown } from '../../domain/drill/drill.ts';
import { describeDuration } from '../../domain/drill/describe-duration.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';
import { required, value } from '../options.ts';
import { describeDrill } from './describe-drill.ts';
import { withDrills } from './with-drills.ts';

/** `dr drills`: what was rehearsed, and how it ended. */
export const drDrills = defineCommand({
  name: 'dr drills',
  summary: 'drills, newest first, with their verdicts',
  arguments: {},
  options: {},
  examples: ['dr drills', 'dr drills --json'],
  answers: [
    'drills[] {drillId, startedAt, finishedAt, verdict, reasons[], backupId, pointTime, rtoMs, rpoMs, nextDueAt}',
    'everyMs',
  ],
  exits: [7],
  run: (context) =>
    withDrills(context, async (manager) => {
      const { drills, everyMs } = await manager.readDrills();
      return {
        json: { drills, everyMs },
        text: async () =>
          drills.length === 0
            ? 'no drill has been done yet: `lifeboat dr test` does one'
            : context.output.table(
                ['drill', 'verdict', 'point', 'recovered in', 'why'],
                drills.map(({ drillId, verdict, pointTime, rtoMs, reasons }) => [
                  drillId,
                  verdict,
                  pointTime ?? '',
                  rtoMs === null ? '' : describeDuration(rtoMs),
                  reasons[0] ?? '',
                ]),
              ),
      };
    }),
});

/** `dr report ID|latest`: one report, on the screen or as a page. */
export const drReport = defineCommand({
  name: 'dr report',
  summary: 'the report of a drill',
  arguments: { id: required('id of a drill, or latest') },
  options: { html: value('<file>', 'write it as a page that needs nothing else; an existing file is replaced') },
  examples: ['dr report latest', 'dr report latest --html drill.html', 'dr report latest --json'],
  answers: ['report', 'sha256', 'reportPath', 'html'],
  exits: [4, 5, 7],
  run: (context, { arguments: { id }, options: { html } }) =>
    withDrills(context, async (manager) => {
      const { report, sha256, location } = requireReport(await manager.readDrills(id), id);
      const reportPath = `${location}report.html`;
      if (html !== undefined) {
        const { renderDrillReport } = await import('../../domain/drill/report-html.ts');
        await writePage(context.cwd, html, renderDrillReport(report, sha256));
      }
      return {
        json: { report, sha256, reportPath, ...(html === undefined ? {} : { html }) },
        text: () =>
          [
            ...describeDrill(report, reportPath, context.output.colors),
            ...(html === undefined ? [] : [`written: ${html}`]),
          ].join('\n'),
      };
    }),
});

function requireReport({ report }: DrillsKnown, id: string): NonNullable<DrillsKnown['report']> {
  if (report !== undefined) return report;
  throw new LifeboatError('WORKER_MISSING', `report of ${id}: the worker knows no drills`, {
    hint: 'restart the workers: they are of an earlier version',
  });
}

async function writePage(cwd: string, file: string, page: string): Promise<void> {
  const [{ resolve }, { writeFileAtomic }] = await Promise.all([
    import('node:path'),
    import('../../platform/files.ts'),
  ]);
  await writeFileAtomic(resolve(cwd, file), page, { mode: 0o644 });
}
