export { backupWorkflow } from './backup.ts';
export { catalogWorkflow } from './catalog.ts';
export { journalWorkflow } from './journal.ts';
export { restoreWorkflow } from './restore.ts';
export { restoreToDirectoryWorkflow } from './restore-to-directory.ts';
export { undoRestoreWorkflow } from './undo-restore.ts';
export { verifyWorkflow } from './verify.ts';
