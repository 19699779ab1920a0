import type { ReplaySources } from '../replay/replay-sources.ts';

/** What a restore into a directory needs beside its plan. */
export interface DirectoryContext {
  readonly sources: ReplaySources;
  /** A role of the cluster: its superuser is found through it. `postgres` is tried as well. */
  readonly user: string;
}
