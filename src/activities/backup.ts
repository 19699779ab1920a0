import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { PostgresFacts } from '../domain/backup.ts';
import { joinRecoveryPoints } from '../domain/recovery-point.ts';
import type { ArtifactSink } from '../postgres/postgres.ts';
import { releasing } from '../platform/release-memory.ts';
import { copyBase } from './copy-base.ts';
import type { Dependencies } from './dependencies.ts';
import { openComponent } from './open-component.ts';
import { withOperation } from './operation.ts';
import { withTargets } from './copy-to-target.ts';
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
        const { target, physical, ...options } = configured(settings, 'postgres');
        const postgres = await deps.postgres();
        const component = await openComponent(
          await deps.repository(),
          { backupId, name: 'postgres', codec },
          operation,
        );
        const { base, warnings } = await copyBase(deps, { target, physical, component }, operation);
        // What a child's pipe gave is nobody's once the repository has copied it.
        const sink: ArtifactSink = (artifact, source) => component.write(artifact, releasing(source));
        const dumped = await postgres.dump(target, options, { sink, operation });
        const facts: PostgresFacts = base === null ? dumped : { ...dumped, method: ['logical', 'physical'], base };
        const { timeline, lsn, snapshotAt } = facts;
        const copied = await component.close(facts, { time: snapshotAt, postgres: { timeline, lsn } });
        return { ...copied, warnings: [...copied.warnings, ...warnings] };
      }),

    copyRedis: ({ backupId, codec, method }) =>
      withOperation(settings, async (operation) => {
        const { target } = configured(settings, 'redis');
        const component = await openComponent(await deps.repository(), { backupId, name: 'redis', codec }, operation);
        const facts = await deps.redis.exportSnapshot(target, method, {
          sink: component.write,
          operation,
          indexDirectory: settings.journal.spillDirectory,
        });
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
        return withTargets(deps, await repository.record(manifest));
      }),

    discardBackup: ({ backupId }) => withOperation(settings, async () => (await deps.repository()).discard(backupId)),
  };
}
