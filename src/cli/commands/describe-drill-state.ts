import type { DrillState } from '../../domain/drill/drill-state.ts';
import type { Colors } from '../output.ts';

/** Lines of `status`; none where drills are neither asked for nor done. */
export function describeDrillState({ last, dueAt, overdue }: DrillState, colors: Colors): string[] {
  const late = colors.red('overdue');
  if (last === null) return overdue ? [`drills: none was done yet, ${late}: \`lifeboat dr test\``] : [];
  const { drillId, verdict, reasons } = last;
  const shown = verdict === 'pass' ? colors.green(verdict) : colors.red(verdict);
  const why = reasons[0] === undefined ? '' : `: ${reasons[0]}`;
  const next = dueAt === null ? '' : overdue ? `; the next one was due ${dueAt}, ${late}` : `; next due ${dueAt}`;
  return [`last drill: ${drillId}, ${shown}${why}${overdue && dueAt === null ? `; ${late}` : next}`];
}
