import type { BackupResult } from '../../contract/messages.ts';

/** The incremental backup, or why a full one must be taken. */
export type TakenIncremental = { readonly result: BackupResult } | { readonly result: null; readonly reason: string };
