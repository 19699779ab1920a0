import type { Readiness } from '../../contract/schedule.ts';
import type { Check, ComponentName } from '../../domain/backup.ts';
import { describeDuration } from '../../domain/drill/describe-duration.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryPointAges, type RecoveryPointAges } from '../../domain/recovery-point-age.ts';
import { spaceNeeded } from '../../domain/space-needed.ts';
import { isFailing, type TargetFacts } from '../../domain/target-facts.ts';
import type { Dependencies } from '../dependencies.ts';
import { readJournalFacts } from '../journal/journal-facts.ts';
import { openExisting } from '../lost-repository.ts';
import { readTargets } from '../read-targets.ts';
import { configuredComponents, surveySources } from '../sources.ts';
import { look, type Looked, type Said } from './look.ts';

type Facts = Awaited<ReturnType<typeof readJournalFacts>>;

/** See ScheduleControl.surveyReadiness. */
export async function surveyReadiness(deps: Dependencies, operation: Operation): Promise<Readiness> {
  const components = configuredComponents(deps.settings);
  const servers: Looked<Said & { readonly bytes: number }>[] = [];
  for (const name of components) servers.push(await look(name, operation, async () => askServer(deps, name)));
  const databaseBytes = servers.reduce((sum, { found }) => sum + (found?.bytes ?? 0), 0);
  // Looking makes none: one that was lost must not begin anew because somebody asks how it is.
  const store = await look('store', operation, async () => askStore(deps, databaseBytes));
  const hasRepository = store.found !== undefined;
  const kept = hasRepository ? await lookAtKept(deps, components, operation) : { checks: [], ages: {} };
  operation.onProgress({ phase: 'asking targets', bytes: 0 });
  const targets = (await readTargets(deps, operation)).map(checkOfTarget);
  const checks = [...servers, store].map(({ check }) => check);
  return { checks: [...checks, ...kept.checks, ...targets], hasRepository, ages: kept.ages };
}

/** Journals and backups: how much would be lost. */
async function lookAtKept(
  deps: Dependencies,
  components: readonly ComponentName[],
  operation: Operation,
): Promise<Pick<Readiness, 'checks' | 'ages'>> {
  const journals = await look('journals', operation, async () => askJournals(deps, operation));
  const facts = journals.found?.facts ?? [];
  const backups = await look('backups', operation, async () => readAges(deps, components, facts));
  const checks = [...(deps.settings.journal.enabled ? [journals.check] : []), backups.check];
  return { checks, ages: backups.found?.ages ?? {} };
}

function checkOfTarget({ name, state, lastError, lagSeconds }: TargetFacts): Check {
  const actual = lagSeconds === null ? state : `${state}, ${lagSeconds} s behind`;
  const found = { name: `target ${name}`, expected: 'it answers', message: lastError ?? '' };
  return isFailing(state)
    ? { ...found, actual: 'TARGET_FAILED', status: 'fail' }
    : { ...found, actual, status: 'pass' };
}

/** Version, rights and what would be copied, as a backup asks. */
async function askServer(deps: Dependencies, name: ComponentName): Promise<Said & { readonly bytes: number }> {
  const { group } = deps.settings;
  const request = { group, requestedBy: 'evaluation', kind: 'full', label: {}, hold: null } as const;
  const { postgres, redis } = await surveySources(deps, { ...request, components: [name] });
  const bytes = postgres?.bytes ?? redis?.bytes ?? 0;
  const actual = postgres === null ? `Redis ${redis?.server ?? ''}` : `PostgreSQL ${postgres.server}`;
  return { expected: 'it answers, and can be backed up', actual, bytes };
}

async function askStore(deps: Dependencies, databaseBytes: number): Promise<Said> {
  const repository = await openExisting(deps);
  const space = await repository.space();
  const needed = spaceNeeded(databaseBytes);
  const expected = `room for a full backup: ${needed} bytes`;
  if (space === null) return { expected, actual: 'the store cannot tell' };
  const actual = `${space.freeBytes} bytes free of ${space.totalBytes}`;
  if (space.freeBytes >= needed) return { expected, actual };
  const message = `${actual}, where a full backup may need ${needed}`;
  return { expected, actual, problem: { code: 'STORE_FULL', message } };
}

/** A journal that does not follow loses what is written from now on. */
async function askJournals(deps: Dependencies, operation: Operation): Promise<Said & { readonly facts: Facts }> {
  const facts = await readJournalFacts(deps, operation);
  const kept = facts.filter(({ notKept }) => notKept == null);
  const lags = kept.map(({ kind, durable }) =>
    durable === null ? `${kind} has none yet` : `${kind} is ${describeDuration(ageOf(durable.time))} old`,
  );
  const wrong = kept.flatMap(({ kind, serverProblem, problems, gaps }) => [
    ...(serverProblem === null ? [] : [`${kind}: ${serverProblem.message}`]),
    ...(problems[0] === undefined ? [] : [`${kind}: ${problems[0].message}`]),
    ...gaps.filter(({ to }) => to === null).map(({ message }) => `${kind}: ${message}`),
  ]);
  const said = { expected: 'every second is kept', actual: lags.join(', '), facts };
  return wrong.length === 0 ? said : { ...said, problem: { code: 'JOURNAL_ALARM', message: wrong.join('; ') } };
}

const ageOf = (time: string): number => Math.max(0, Date.now() - Date.parse(time));

async function readAges(
  deps: Dependencies,
  components: readonly ComponentName[],
  journals: Facts,
): Promise<Said & { readonly ages: RecoveryPointAges }> {
  const backups = await (await deps.repository()).list();
  const all = recoveryPointAges(backups, journals, Date.now());
  const ages = Object.fromEntries(components.map((name) => [name, all[name]]));
  return { expected: 'the list of backups', actual: `${backups.length} backups`, ages };
}
