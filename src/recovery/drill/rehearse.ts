import type { Check } from '../../domain/backup.ts';
import type { DrillOutcome, DrillPlan } from '../../domain/drill/drill.ts';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { freeSpaceBytes } from '../../platform/files.ts';
import { createClosers } from './closers.ts';
import type { DrillContext } from './drill-context.ts';
import { noteReads } from './noted-reads.ts';
import { rehearsePostgres, type Rehearsal } from './rehearse-postgres.ts';
import { rehearseRedis } from './rehearse-redis.ts';
import { openScratchPlace, type PlaceOwner, sweepScratch } from './scratch-place.ts';
import { createStages } from './stages.ts';
import { type Rehearsed, runUserCheck } from './user-checks.ts';

/** Whole read: recorded by whoever owns the repository. */
type Recorder = (manifests: ReturnType<ReturnType<typeof noteReads>['whole']>, startedAt: string) => Promise<void>;

/**
 * Restores what was planned into a scratch place, starts it, checks it, and removes it, whatever happens. What is wrong with the data is the
 * answer; what may pass is thrown, with nothing left behind. Nothing is contacted but the repository and the servers that are started here.
 */
export async function rehearse(
  context: DrillContext,
  run: { readonly plan: DrillPlan; readonly owner: PlaceOwner; readonly record: Recorder },
  operation: Operation,
): Promise<DrillOutcome> {
  const { plan, owner, record } = run;
  const { removed: orphans } = await sweepScratch(context.scratchParent);
  const place = await openScratchPlace(context.scratchParent, owner);
  const closers = createClosers();
  closers.add('remove the scratch place', async () => place.remove());
  const startedAt = new Date().toISOString();
  const stages = createStages(operation);
  const reads = noteReads(context.sources);
  try {
    await requireSpace(context, plan);
    const rehearsal = { context: { ...context, sources: reads.sources }, plan, place, stages, closers, operation };
    await runChecks(rehearsal, {
      postgres: plan.components.includes('postgres') ? await rehearsePostgres(rehearsal) : undefined,
      redis: plan.components.includes('redis') ? await rehearseRedis(rehearsal) : undefined,
    });
  } catch (error) {
    throw withLeft(error, await closers.run());
  }
  const rtoMs = stages.elapsedMs();
  const left = await stages.time({ name: 'removing', component: null }, async () => closers.run());
  const whole = reads.whole();
  await record(whole, startedAt);
  const { phases, untried } = stages;
  const checks = [...stages.checks, removal(left)];
  return { phases, checks, rtoMs, untried, readWhole: whole.map(({ id }) => id), orphansRemoved: orphans.length };
}

/** A drill must not fill a disk that others need. */
async function requireSpace({ scratchParent }: DrillContext, { scratchBytes }: DrillPlan): Promise<void> {
  const free = await freeSpaceBytes(scratchParent);
  if (free >= scratchBytes) return;
  const what = `a drill takes ${scratchBytes} bytes in ${scratchParent}, which has ${free}`;
  throw new LifeboatError('DRILL_NO_SPACE', what, { details: { scratchBytes, freeBytes: free } });
}

async function runChecks({ context, plan, stages, operation }: Rehearsal, servers: Rehearsed): Promise<void> {
  if (context.checks.length === 0) return;
  await stages.time({ name: 'your checks', component: null }, async () => {
    for (const check of context.checks) {
      const found = await runUserCheck(check, servers, operation);
      if (found !== null) stages.note(found);
      else
        stages.skipped(`${check.name}: not run, because what it asks was not restored (${plan.components.join(', ')})`);
    }
  });
}

/** What could not be removed is told beside what went wrong; the mark stays, so that the next sweep tries again. */
function withLeft(error: unknown, left: readonly string[]): unknown {
  if (left.length === 0) return error;
  const { code, message, hint, details } = toLifeboatError(error);
  return new LifeboatError(code, `${message}; and left behind: ${left.join('; ')}`, { cause: error, hint, details });
}

function removal(left: readonly string[]): Check {
  const status = left.length === 0 ? 'pass' : 'fail';
  const actual = left.length === 0 ? 'nothing' : 'something';
  return { name: 'left behind', status, expected: 'nothing', actual, message: left.join('; ') };
}
