import { JOURNAL_START } from '../../domain/backup.ts';
import type { RedisFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { SnapshotSink } from '../../redis/redis.ts';
import type { Dependencies } from '../dependencies.ts';
import { openComponent } from '../open-component.ts';
import type { OpenComponent } from '../open-component.ts';

/**
 * The snapshot that a journal stands on, as an ordinary backup of Redis alone: listed, verified and restored like any other.
 * It begins when the server gives one, and is published when the snapshot has been read to its end.
 */
export function snapshotBackup(
  deps: Dependencies,
  operation: Operation,
): { readonly sink: SnapshotSink; publish(facts: RedisFacts): Promise<void> } {
  let begun: { readonly backupId: string; readonly createdAt: string; readonly component: OpenComponent } | undefined;
  const { codec } = deps.settings;
  return {
    async sink(artifact, source) {
      const repository = await deps.repository();
      const createdAt = new Date().toISOString();
      const owner = `journal-redis/${createdAt}`;
      const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner, codec });
      const component = await openComponent(repository, { backupId, name: 'redis', codec }, operation);
      begun = { backupId, createdAt, component };
      try {
        await component.write(artifact, source);
      } catch (error) {
        await repository.discard(backupId);
        throw error;
      }
    },
    async publish(facts) {
      if (begun === undefined) throw new LifeboatError('INTERNAL', 'redis journal: resynced without a snapshot');
      const { backupId, createdAt, component } = begun;
      const { replid, offset, snapshotAt } = facts;
      const point = { time: snapshotAt, redis: { replid, offset } };
      const { ref } = await component.close(facts, point);
      await (
        await deps.repository()
      ).publish({
        backupId,
        createdAt,
        kind: 'full',
        codec,
        label: { reason: JOURNAL_START },
        holds: [],
        components: [ref],
        recoveryPoint: point,
        finishedAt: new Date().toISOString(),
        warnings: [],
      });
    },
  };
}
