import type { ComponentName } from '../../domain/backup.ts';
import type { PhysicalBackup, PostgresServerTools } from '../../postgres/physical/physical.ts';
import type { RepositoryReader } from '../../repository/repository.ts';

/** What a replay reads from and works with; the same for a worker and for rescue, which has no configuration. */
export interface ReplaySources {
  repository(): Promise<Pick<RepositoryReader, 'list' | 'load' | 'readArtifact' | 'journals'>>;
  /** For a server of this major version. @throws LifeboatError POSTGRES_SERVER_MISSING */
  physical(major: number): Promise<PhysicalBackup>;
  serverTools(major: number): Promise<PostgresServerTools>;
  /** Pieces of a base that are unpacked at once. */
  readonly jobs: number;
  /** What a request means that names no component, for an instant; `stored`: all that backups hold. */
  readonly components: readonly ComponentName[] | 'stored';
}
