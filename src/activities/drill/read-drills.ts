import type { DrillReport, DrillsKnown, DrillSummary } from '../../domain/drill/drill.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { mapBounded } from '../../repository/map-bounded.ts';
import type { Dependencies } from '../dependencies.ts';

/** A monthly drill: four years of them. */
const LISTED_MAX = 50;
/** A status waits for them. */
const READS_AT_ONCE = 16;

/** What the repository knows of drills, newest first; with an id the whole report of that one. */
export async function readDrills(deps: Dependencies, drillId: string | undefined): Promise<DrillsKnown> {
  const { reports } = await deps.repository();
  const { everyMs } = deps.settings.drill;
  if (drillId !== undefined) {
    const found = await reports.load(drillId === 'latest' ? await latest(reports) : drillId);
    return { drills: [summaryOf(found.report)], everyMs, report: found };
  }
  const ids = await reports.list(LISTED_MAX);
  return { drills: await mapBounded(ids, READS_AT_ONCE, async (id) => summaryOfId(reports, id)), everyMs };
}

type Reports = Awaited<ReturnType<Dependencies['repository']>>['reports'];

async function latest(reports: Reports): Promise<string> {
  const [id] = await reports.list(1);
  if (id !== undefined) return id;
  throw new LifeboatError('DRILL_NOT_FOUND', 'no drill has been done yet', {
    hint: 'do one with `lifeboat dr test`',
  });
}

/** One that cannot be trusted is listed as damaged, never left out. */
async function summaryOfId(reports: Reports, drillId: string): Promise<DrillSummary> {
  try {
    return summaryOf((await reports.load(drillId)).report);
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'RECORD_DAMAGED')) throw error;
    const at = drillId.replace(/^drill-(.+)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z$/, '$1T$2:$3:$4.$5Z');
    const unknown = { rtoMs: null, rpoMs: null, nextDueAt: null, backupId: null, pointTime: null };
    return { drillId, startedAt: at, finishedAt: at, verdict: 'damaged', reasons: [error.message], ...unknown };
  }
}

function summaryOf(report: DrillReport): DrillSummary {
  const { drillId, startedAt, finishedAt, verdict, reasons, rtoMs, rpoMs, nextDueAt, point } = report;
  return {
    drillId,
    startedAt,
    finishedAt,
    verdict,
    reasons,
    rtoMs,
    rpoMs,
    nextDueAt,
    backupId: point?.backupId ?? null,
    pointTime: point?.recoveryPoint.time ?? null,
  };
}
