import type { JournalKind } from '../domain/journal.ts';
import type { Requested } from './messages.ts';

export interface JournalInput extends Requested {
  readonly kind: JournalKind;
}

/** Why an activity that follows a server ended without an error. */
export type FollowEnd =
  /** Its time was up: the next one goes on where it stopped. */
  | { readonly end: 'handed-over' }
  /** The journal goes on, but what lies behind cannot be joined to it: a full backup must follow. */
  | { readonly end: 'new-base-needed'; readonly code: string; readonly message: string };

/** Streams that never end; task queue `journal`. A lost one is taken over by another worker, from what is durable. */
export interface JournalActivities {
  followPostgres(input: { readonly group: string }): Promise<FollowEnd>;
  followRedis(input: { readonly group: string }): Promise<FollowEnd>;
}
