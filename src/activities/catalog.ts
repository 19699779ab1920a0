import type { ControlActivities, DataActivities } from '../contract/activities.ts';
import type { CatalogInput, CatalogResult, ObjectRow } from '../contract/messages.ts';
import type { BackupRecord, Manifest, Problem } from '../domain/backup.ts';
import { byId, neededBy } from '../domain/lineage.ts';
import type { Operation } from '../domain/operation.ts';
import { recoveryWindow } from '../domain/recovery-window.ts';
import { planRetention } from '../domain/retention/plan-retention.ts';
import { viewWindow } from '../domain/window-view.ts';
import { readRecoveryCatalog } from '../recovery/read-catalog.ts';
import { undoUntil } from '../recovery/cleanup/restore-expiry.ts';
import { planVerification } from '../recovery/plan-verification.ts';
import { verifyJournalRange } from '../recovery/verify-range.ts';
import type { Dependencies } from './dependencies.ts';
import { chooseSource, readingFrom } from './read-source.ts';
import { readDrills } from './drill/read-drills.ts';
import { withCopies } from './read-copies.ts';
import { readTargets } from './read-targets.ts';
import { readJournalFacts } from './journal/journal-facts.ts';
import { withOperation } from './operation.ts';
import { configuredComponents } from './sources.ts';

/** Rows of one answer: about 300 bytes each keeps it far below Temporal's 2 MB limit on a payload. */
const MAX_OBJECT_ROWS = 2_000;
/** About 1.2 KB a record. */
const MAX_BACKUPS = 1_000;
const MAX_PROBLEMS = 1_000;

type CatalogActivities = Pick<ControlActivities, 'readCatalog'> &
  Pick<DataActivities, 'planVerification' | 'verifyBackup' | 'verifyJournal'>;

export function createCatalogActivities(deps: Dependencies): CatalogActivities {
  const { settings } = deps;
  return {
    readCatalog: (input) => withOperation(settings, (operation) => readCatalog(deps, input, operation)),
    planVerification: ({ backup, target }) =>
      withOperation(settings, async () => {
        const { deps: source, from, notice } = await chooseSource(deps, target);
        const plan = await planVerification(await source.repository(), backup);
        const read = from === undefined ? {} : { from, notice };
        return { ...plan, problems: plan.problems.slice(0, MAX_PROBLEMS), ...read };
      }),
    verifyBackup: ({ backupId, from }) =>
      withOperation(settings, async (operation) => {
        const repository = await readingFrom(deps, from).repository();
        return { problems: (await repository.verify(backupId, operation)).slice(0, MAX_PROBLEMS) };
      }),
    verifyJournal: ({ kind, backupId, from }) =>
      withOperation(settings, async (operation) => {
        const repository = await readingFrom(deps, from).repository();
        const problems =
          backupId === undefined
            ? await repository.journals.verify(kind, operation)
            : await verifyJournalRange(repository, { backupId, kind }, operation);
        return { problems: problems.slice(0, MAX_PROBLEMS) };
      }),
  };
}

async function readCatalog(deps: Dependencies, input: CatalogInput, operation: Operation): Promise<CatalogResult> {
  if (input.ask === 'targets') {
    return { ...NOTHING, targets: await readTargets(deps, operation) };
  }
  if (input.ask === 'drills') return { ...NOTHING, drills: await readDrills(deps, input.drill) };
  if (input.ask === 'journals') return readRepository(deps, input, operation);
  const source = await chooseSource(deps, input.target);
  const read = await readRepository(source.deps, input, operation);
  const { from, notice } = source;
  const backups = await withCopies(deps, (await source.deps.repository()).id, read.backups);
  const warnings = [...(notice === null ? [] : [notice]), ...(read.warnings ?? [])];
  return { ...read, backups, warnings, ...(from === undefined ? {} : { from }) };
}

const NOTHING = { backups: [], objects: [], objectsTotal: 0, location: '' };

type RepositoryQuestion = Exclude<CatalogInput, { readonly ask: 'targets' | 'drills' }>;

async function readRepository(
  deps: Dependencies,
  input: RepositoryQuestion,
  operation: Operation,
): Promise<CatalogResult> {
  const repository = await deps.repository();
  const { location } = repository;
  const nothing = { backups: [], objects: [], objectsTotal: 0, location };
  if (input.ask === 'journals') return { ...nothing, journals: await readJournalFacts(deps, operation) };
  if (input.ask === 'show') {
    const manifest = await repository.load(input.backup);
    const objects = objectRows(manifest);
    const backups = [await repository.record(manifest)];
    const listed = await repository.list();
    const lineage = neededBy(manifest.id, byId(listed));
    const rows = { objects: objects.slice(0, MAX_OBJECT_ROWS), objectsTotal: objects.length };
    return { ...nothing, ...rows, backups, lineage, ...(await retentionOf(deps, manifest.id, listed)) };
  }
  const catalog = await readRecoveryCatalog(repository, configuredComponents(deps.settings), operation);
  const warnings = catalog.problems.length === 0 ? [] : [describeProblems(catalog.problems)];
  const backups = catalog.backups.slice(0, MAX_BACKUPS);
  return { ...nothing, backups, window: viewWindow(recoveryWindow(catalog)), warnings };
}

/** What the next cleanup would say of a backup; nothing of one that a cleanup has removed. */
async function retentionOf(
  deps: Dependencies,
  backupId: string,
  listed: readonly BackupRecord[],
): Promise<Pick<CatalogResult, 'retention'>> {
  const { cleanup } = await deps.repository();
  const undoUntilMs = undoUntil(await cleanup.restores());
  const decisions = planRetention(listed, deps.settings.cleanup.retention, { nowMs: Date.now(), undoUntilMs });
  const found = decisions.find(({ id }) => id === backupId);
  return found === undefined ? {} : { retention: { keep: found.keep, reasons: found.reasons } };
}

/** What is damaged is used for nothing: the window may be smaller than it was. */
function describeProblems(problems: readonly Problem[]): string {
  const [first] = problems;
  const more = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  return `the journals are damaged: ${first?.message}${more}; \`lifeboat backup verify all\` names all of it`;
}

function objectRows(manifest: Manifest): ObjectRow[] {
  return (['postgres', 'redis'] as const).flatMap((component) =>
    (manifest.components[component]?.artifacts ?? []).flatMap((artifact) =>
      artifact.objects.map((object) => ({ component, artifact: artifact.name, ...object })),
    ),
  );
}
