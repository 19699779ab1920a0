import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { ObjectRow } from '../contract/messages.ts';
import type { Manifest } from '../domain/backup.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';

/** Rows of one answer: about 300 bytes each keeps it far below Temporal's 2 MB limit on a payload. */
const MAX_OBJECT_ROWS = 2_000;
/** About 1.2 KB a record. */
const MAX_BACKUPS = 1_000;
const MAX_PROBLEMS = 1_000;

type CatalogActivities = Pick<ControlActivities, 'readCatalog'> &
  Pick<DataActivities, 'planVerification' | 'verifyBackup'>;

export function createCatalogActivities(deps: Dependencies): CatalogActivities {
  const { settings } = deps;
  return {
    readCatalog: (input) =>
      withOperation(settings, async () => {
        const repository = await deps.repository();
        const { location } = repository;
        if (input.ask === 'list') {
          const backups = (await repository.list()).slice(0, MAX_BACKUPS);
          return { backups, objects: [], objectsTotal: 0, location };
        }
        const manifest = await repository.load(input.backup);
        const objects = objectRows(manifest);
        const backups = [await repository.record(manifest)];
        return { backups, objects: objects.slice(0, MAX_OBJECT_ROWS), objectsTotal: objects.length, location };
      }),

    planVerification: ({ backup }) =>
      withOperation(settings, async () => {
        const repository = await deps.repository();
        const problems = (await repository.verifyChain()).slice(0, MAX_PROBLEMS);
        if (backup !== 'all') return { backupIds: [await resolveId(deps, backup)], problems };
        return { backupIds: (await repository.list()).map(({ id }) => id).toReversed(), problems };
      }),

    verifyBackup: ({ backupId }) =>
      withOperation(settings, async (operation) => {
        const repository = await deps.repository();
        return { problems: (await repository.verify(backupId, operation)).slice(0, MAX_PROBLEMS) };
      }),
  };
}

/** `latest` as an id; an id as it is, also when its manifest is damaged: verification is there to say so. */
async function resolveId(deps: Dependencies, backup: string): Promise<string> {
  const repository = await deps.repository();
  return backup === 'latest' ? (await repository.load('latest')).id : backup;
}

function objectRows(manifest: Manifest): ObjectRow[] {
  return (['postgres', 'redis'] as const).flatMap((component) =>
    (manifest.components[component]?.artifacts ?? []).flatMap((artifact) =>
      artifact.objects.map((object) => ({ component, artifact: artifact.name, ...object })),
    ),
  );
}
