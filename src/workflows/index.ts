export { backupWorkflow } from './backup.ts';
export { catalogWorkflow } from './catalog.ts';
export { restoreWorkflow } from './restore.ts';
export { undoRestoreWorkflow } from './undo-restore.ts';
export { verifyWorkflow } from './verify.ts';
