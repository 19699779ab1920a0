import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { JournalActivities } from '../contract/journal.ts';
import type { CopyActivities } from '../contract/replication.ts';
import { createAlertActivities } from './alerts/alert-activities.ts';
import { createBackupActivities } from './backup.ts';
import { createCleanupActivities } from './cleanup/cleanup-activities.ts';
import { createCatalogActivities } from './catalog.ts';
import { createDrillActivities } from './drill/drill-activities.ts';
import type { Dependencies } from './dependencies.ts';
import { createFailoverActivities } from './failover/failover-activities.ts';
import { createIncrementalActivities } from './journal/incremental.ts';
import { createJournalActivities } from './journal/journal-activities.ts';
import { createKeyActivities } from './keys.ts';
import { createPlanActivities } from './plan/plan-activities.ts';
import { createRestoreActivities } from './restore.ts';
import { createDirectoryActivities } from './restore-to-directory.ts';
import { createJournalCopyActivities } from './copy-journals.ts';
import { createCopyActivities } from './copy-to-target.ts';
import { createScheduleActivities } from './schedule/schedule-activities.ts';
import { createVerificationActivities } from './verification.ts';
import { createSelectionActivities } from './select/selection-activities.ts';

/** All activities; a worker registers them on the queues of its roles. */
export function createActivities(
  deps: Dependencies,
): ControlActivities & DataActivities & JournalActivities & CopyActivities {
  return {
    ...createBackupActivities(deps),
    ...createRestoreActivities(deps),
    ...createDirectoryActivities(deps),
    ...createSelectionActivities(deps),
    ...createCleanupActivities(deps),
    ...createCatalogActivities(deps),
    ...createIncrementalActivities(deps),
    ...createJournalActivities(deps),
    ...createCopyActivities(deps),
    ...createJournalCopyActivities(deps),
    ...createKeyActivities(deps),
    ...createPlanActivities(deps),
    ...createVerificationActivities(deps),
    ...createDrillActivities(deps),
    ...createFailoverActivities(deps),
    ...createScheduleActivities(deps),
    ...createAlertActivities(deps),
  };
}
