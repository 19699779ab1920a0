import type { ControlActivities, CopyResult, DataActivities } from '../contract/activities.ts';
import type { Artifact, ComponentName, PostgresFacts, RedisFacts } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';
import { joinRecoveryPoints } from '../domain/recovery-point.ts';
import type { Codec, Repository } from '../repository/repository.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';
import { configured, surveySources } from './sources.ts';

type BackupControl = Pick<ControlActivities, 'surveySources' | 'beginBackup' | 'publishBackup' | 'discardBackup'>;
type BackupData = Pick<DataActivities, 'copyPostgres' | 'copyRedis'>;

export function createBackupActivities(deps: Dependencies): BackupControl & BackupData {
  const { settings } = deps;
  return {
    surveySources: (input) => withOperation(settings, () => surveySources(deps, input)),

    beginBackup: ({ request, createdAt, owner }) =>
      withOperation(settings, async () => {
        const { codec } = settings;
        const repository = await deps.repository();
        const { backupId } = await repository.beginBackup({ kind: request.kind, createdAt, owner, codec });
        return { backupId, codec };
      }),

    copyPostgres: ({ backupId, codec }) =>
      withOperation(settings, async (operation) => {
        const { target, jobs, bigTableBytes, zstdLevel } = configured(settings, 'postgres');
        const postgres = await deps.postgres();
        const component = await openComponent(
          await deps.repository(),
          { backupId, name: 'postgres', codec },
          operation,
        );
        const context = { sink: component.write, operation };
        const facts = await postgres.dump(target, { jobs, bigTableBytes, zstdLevel }, context);
        const { timeline, lsn, snapshotAt } = facts;
        return component.close(facts, { time: snapshotAt, postgres: { timeline, lsn } });
      }),

    copyRedis: ({ backupId, codec, method }) =>
      withOperation(settings, async (operation) => {
        const { target } = configured(settings, 'redis');
        const component = await openComponent(await deps.repository(), { backupId, name: 'redis', codec }, operation);
        const facts = await deps.redis.exportSnapshot(target, method, { sink: component.write, operation });
        const { replid, offset, snapshotAt } = facts;
        return component.close(facts, { time: snapshotAt, redis: { replid, offset } });
      }),

    publishBackup: ({ backupId, codec, createdAt, request, copies, warnings }) =>
      withOperation(settings, async () => {
        const repository = await deps.repository();
        const manifest = await repository.publish({
          backupId,
          codec,
          createdAt,
          kind: request.kind,
          label: request.label,
          holds: request.hold === null ? [] : [request.hold],
          components: copies.map((copy) => copy.ref),
          recoveryPoint: joinRecoveryPoints(copies.map((copy) => copy.point)),
          finishedAt: new Date().toISOString(),
          warnings,
        });
        return repository.record(manifest);
      }),

    discardBackup: ({ backupId }) => withOperation(settings, async () => (await deps.repository()).discard(backupId)),
  };
}

/** The artifacts of one component as they come in, under an attempt number of their own. */
interface OpenComponent {
  write(
    artifact: Pick<Artifact, 'name' | 'format' | 'attributes'> & { readonly producerCompression?: string },
    source: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  close(facts: PostgresFacts | RedisFacts, point: CopyResult['point']): Promise<CopyResult>;
}

async function openComponent(
  repository: Repository,
  { backupId, name, codec }: { readonly backupId: string; readonly name: ComponentName; readonly codec: Codec },
  operation: Operation,
): Promise<OpenComponent> {
  const attempt = await repository.claimAttempt(backupId, name);
  const artifacts: Artifact[] = [];
  return {
    async write(artifact, source) {
      const request = { backupId, component: name, attempt, codec, ...artifact };
      artifacts.push(await repository.writeArtifact(request, source, operation));
    },
    async close(facts, point) {
      artifacts.sort((a, b) => a.name.localeCompare(b.name));
      const ref = await repository.writeComponent({ backupId, component: name, attempt, facts, artifacts });
      const bytes = artifacts.reduce((sum, artifact) => sum + artifact.plainBytes, 0);
      return { ref, point, bytes, warnings: [] };
    },
  };
}
