import { isTakenAside, type Manifest } from '../../domain/backup.ts';
import { type ChosenPoint, drawPoint, newestPoint, type Restorable } from '../../domain/drill/choose-point.ts';
import type { DrillChoice, DrillPlan } from '../../domain/drill/drill.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import { readRecoveryCatalog } from '../read-catalog.ts';
import { type ReplayRequest, resolveReplay } from '../replay/resolve-replay.ts';
import type { ReplaySources } from '../replay/replay-sources.ts';

/** WAL, temporary files and what grows while indexes are built. */
const ROOM = 1.2;

/**
 * Chooses the point of a drill and finds what is restored for it. Looks only.
 * @param request `draw` decides where `how` is `random`: at least 0 and below 1
 * @throws LifeboatError DRILL_NOTHING_RESTORABLE, BACKUP_NOT_FOUND, JOURNAL_TARGET_OUTSIDE, MANIFEST_* and the like
 */
export async function planDrill(
  sources: ReplaySources,
  request: { readonly choice: DrillChoice; readonly drillId: string; readonly draw: number },
  operation: Operation,
): Promise<DrillPlan> {
  const { choice, drillId, draw } = request;
  const repository = await sources.repository();
  const catalog = await readRecoveryCatalog(repository, sources.components, operation);
  const restorable: Restorable = {
    window: recoveryWindow(catalog),
    backups: catalog.backups
      .filter((backup) => backup.status === 'complete' && !isTakenAside(backup))
      .map(({ id, recoveryPoint }) => ({ backupId: id, timeMs: Date.parse(recoveryPoint.time) })),
  };
  const newest = newestPoint(restorable);
  const wanted =
    choice.how === 'given'
      ? requestOf(choice)
      : requestFor(choice.how === 'newest' ? newest : drawPoint(restorable, draw));
  const { manifest, components, replay } = await resolveReplay(sources, wanted, operation, catalog);
  const { recoveryPoint } = manifest;
  const newestMs = Math.max(newest?.timeMs ?? 0, Date.parse(recoveryPoint.time));
  return {
    drillId,
    how: choice.how,
    backupId: manifest.id,
    recoveryPoint,
    components,
    replay,
    newestAt: new Date(newestMs).toISOString(),
    scratchBytes: scratchBytesOf(manifest),
  };
}

function requestOf({ backup, to }: Extract<DrillChoice, { how: 'given' }>): ReplayRequest {
  return { backup, components: 'stored', to };
}

function requestFor(point: ChosenPoint | undefined): ReplayRequest {
  if (point === undefined)
    throw new LifeboatError('DRILL_NOTHING_RESTORABLE', 'the repository holds no backup to restore');
  const { backupId, timeMs } = point;
  if (backupId !== null) return { backup: backupId, components: 'stored' };
  return { backup: 'latest', components: 'stored', to: { time: new Date(timeMs).toISOString() } };
}

/** The data directory as it was, the database once more where the dump is loaded beside it, and the keys. */
function scratchBytesOf({ components: { postgres, redis } }: Manifest): number {
  const directory = postgres?.base?.bytes ?? 0;
  const dump = postgres?.method.includes('logical') === true ? postgres.databaseBytes : 0;
  return Math.ceil((directory + dump + (redis?.bytes ?? 0)) * ROOM);
}
