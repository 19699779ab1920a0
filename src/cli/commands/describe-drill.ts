import type { DrillResult } from '../../contract/drill.ts';
import { describeDuration } from '../../domain/drill/describe-duration.ts';
import type { DrillReport } from '../../domain/drill/drill.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import type { Colors } from '../output.ts';
import { describeChecks } from './describe-backup.ts';

/** What a drill found: exit code 4 for `fail`, 3 for `incomplete`. */
export function answerDrill({ output }: CommandContext, result: DrillResult): CommandResult {
  const { report, sha256, location } = result;
  const { drillId, verdict, reasons, point, checks, phases, objectives, nextDueAt } = report;
  const { rtoMs, rpoMs, behindNewestMs, readWhole } = report;
  const reportPath = `${location}report.html`;
  return {
    json: {
      drillId,
      verdict,
      reasons,
      checks,
      rtoMs,
      rpoMs,
      reportPath,
      sha256,
      point,
      phases,
      behindNewestMs,
      objectives,
      readWhole,
      nextDueAt,
    },
    text: () => describeDrill(report, reportPath, output.colors).join('\n'),
    ...(verdict === 'pass' ? {} : { failure: failureOf(report) }),
  };
}

export function describeDrill(report: DrillReport, reportPath: string, colors: Colors): string[] {
  const { drillId, verdict, point, phases, checks, nextDueAt } = report;
  const paint = { pass: colors.green, fail: colors.red, incomplete: colors.yellow }[verdict];
  return [
    `${drillId}  ${paint(verdict)}`,
    ...(point === null
      ? []
      : [
          `  ${point.how} point ${point.recoveryPoint.time}, from ${point.backupId}${point.replay ? ' and the journals' : ''}`,
        ]),
    ...phases.map(
      ({ name, component, durationMs }) =>
        `  ${describeDuration(durationMs).padStart(12)}  ${[component, name].filter((part) => part !== null).join(': ')}`,
    ),
    ...describeChecks(checks, colors),
    `  recovered in ${durationOr(report.rtoMs)}; would have lost ${durationOr(report.rpoMs)}`,
    `  report: ${reportPath}`,
    ...(nextDueAt === null ? [] : [`  next drill due ${nextDueAt}`]),
  ];
}

function durationOr(ms: number | null): string {
  return ms === null ? 'a time that was not measured' : describeDuration(ms);
}

function failureOf({ drillId, verdict, reasons }: DrillReport): LifeboatError {
  const code = verdict === 'fail' ? 'DRILL_FAILED' : 'DRILL_INCOMPLETE';
  const more = reasons.length > 1 ? `, and ${reasons.length - 1} more` : '';
  return new LifeboatError(code, `${drillId}: ${reasons[0] ?? verdict}${more}`, { details: { drillId, reasons } });
}
