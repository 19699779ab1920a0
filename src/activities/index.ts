import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import { createBackupActivities } from './backup.ts';
import { createCatalogActivities } from './catalog.ts';
import type { Dependencies } from './dependencies.ts';
import { createRestoreActivities } from './restore.ts';

/** All activities; a worker registers them on the queues of its roles. */
export function createActivities(deps: Dependencies): ControlActivities & DataActivities {
  return { ...createBackupActivities(deps), ...createRestoreActivities(deps), ...createCatalogActivities(deps) };
}
