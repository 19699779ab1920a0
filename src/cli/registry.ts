import type { Command } from './command.ts';
import { alertsList } from './commands/alerts/alerts-list.ts';
import { alertsTest } from './commands/alerts/alerts-test.ts';
import { attach } from './commands/attach.ts';
import { backupCleanup } from './commands/backup-cleanup.ts';
import { backupHold, backupRelease } from './commands/backup-hold.ts';
import { backupList } from './commands/backup-list.ts';
import { backupShow } from './commands/backup-show.ts';
import { backupVerify } from './commands/backup-verify.ts';
import { drDrills, drReport } from './commands/dr-drills.ts';
import { backupTest, drTest } from './commands/dr-test.ts';
import { cancel } from './commands/cancel.ts';
import { backupFull, backupIncremental } from './commands/take-backup.ts';
import { journalStatus } from './commands/journal-status.ts';
import { drExecute } from './commands/dr/dr-execute.ts';
import { drListPlans } from './commands/dr/dr-list-plans.ts';
import { drShow } from './commands/dr/dr-show.ts';
import { drStatus } from './commands/dr/dr-status.ts';
import { STEERING_COMMANDS } from './commands/dr/dr-steer.ts';
import { drValidate } from './commands/dr/dr-validate.ts';
import { replicationStatus } from './commands/replication-status.ts';
import { replicationSync } from './commands/replication-sync.ts';
import { restore } from './commands/restore.ts';
import { restoreUndo } from './commands/restore-undo.ts';
import { SCHEDULE_COMMANDS } from './commands/schedule/schedule-commands.ts';
import { status } from './commands/status.ts';
import { demo } from './local/demo.ts';
import { down } from './local/down.ts';
import { storeDoctor } from './local/store-doctor.ts';
import { up } from './local/up.ts';
import { walFetch } from './local/wal-fetch.ts';
import { walPush } from './local/wal-push.ts';
import { worker } from './local/worker.ts';
import { rescueList } from './rescue/rescue-list.ts';
import { rescueRestore } from './rescue/rescue-restore.ts';
import { rescueVerify } from './rescue/rescue-verify.ts';
import { configValidate } from './commands/config-validate.ts';
import { completion } from './local/completion.ts';
import { configShow } from './local/config-show.ts';
import { keyRewrap } from './commands/key-rewrap.ts';
import { keyGenerate } from './local/key-generate.ts';
import { keyList } from './local/key-list.ts';
import { keyRetire } from './local/key-retire.ts';
import { keyRotate } from './local/key-rotate.ts';
import { keyVerify } from './local/key-verify.ts';

/** What the first words of commands that come in families stand for. */
export const GROUPS: Readonly<Record<string, string>> = {
  backup: 'Take, list, check and remove backups.',
  restore: 'Bring a backup back.',
  dr: 'Recovery: plans, their runs, and drills before they are needed.',
  schedule: 'What runs by itself.',
  config: 'Look at the configuration and try it.',
  alerts: 'What is wrong, and who is told.',
  journal: 'Journals: what makes any second of the window restorable.',
  key: 'Keys that encrypt and sign.',
  replication: 'Copies in other places.',
  store: 'Where backups are kept.',
  wal: 'The ends of archive_command and restore_command.',
  rescue: 'Read a repository without Temporal.',
};

/** Every command, in the order of --help. Add one: write its file, import it here. */
export const COMMANDS: readonly Command[] = [
  backupFull,
  backupIncremental,
  backupList,
  backupShow,
  backupVerify,
  backupTest,
  backupHold,
  backupRelease,
  backupCleanup,
  restore,
  restoreUndo,
  drListPlans,
  drShow,
  drValidate,
  drExecute,
  drStatus,
  ...STEERING_COMMANDS,
  drTest,
  drDrills,
  drReport,
  attach,
  cancel,
  status,
  ...SCHEDULE_COMMANDS,
  alertsList,
  alertsTest,
  journalStatus,
  replicationStatus,
  replicationSync,
  configValidate,
  configShow,
  keyGenerate,
  keyList,
  keyRotate,
  keyRewrap,
  keyVerify,
  keyRetire,
  storeDoctor,
  up,
  down,
  demo,
  worker,
  walPush,
  walFetch,
  rescueList,
  rescueVerify,
  rescueRestore,
  completion,
];
