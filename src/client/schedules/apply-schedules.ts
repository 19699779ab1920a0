import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription, ScheduleHandle } from '@temporalio/client';
import type { ConfiguredSchedule } from '../../config/schedules/schedule-definitions.ts';
import { scheduleId, SEARCH_ATTRIBUTES } from '../../contract/names.ts';
import type { ScheduleDefinition } from '../../domain/schedule/schedule.ts';
import { digestIn, digestOf, scheduleOptions } from './schedule-options.ts';

/** What was done about one schedule. */
export interface AppliedSchedule {
  readonly name: string;
  readonly change: 'created' | 'updated' | 'unchanged' | 'removed';
}

/** Several workers begin at once: whoever comes second finds the schedule there. */
const TRIES = 3;

/**
 * Makes Temporal's schedules of a group what is configured: those that lack are made, those that differ are changed, those that are no
 * longer configured are removed. One that nobody has changed is left alone, and a pause stays, whoever made it. Safe to repeat.
 */
export async function applySchedules(
  client: Client,
  group: string,
  configured: readonly ConfiguredSchedule[],
): Promise<readonly AppliedSchedule[]> {
  const wanted = configured.filter(({ enabled }) => enabled).map(({ definition }) => definition);
  const applied: AppliedSchedule[] = [];
  for (const definition of wanted) applied.push(await applyOne(client, group, definition));
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of await listOwn(client, group)) {
    if (!names.has(name) && (await removeOwn(client, group, name))) applied.push({ name, change: 'removed' });
  }
  return applied;
}

async function applyOne(client: Client, group: string, definition: ScheduleDefinition): Promise<AppliedSchedule> {
  const { name } = definition;
  const options = scheduleOptions(group, definition);
  for (let tries = 1; ; tries += 1) {
    const handle = client.schedule.getHandle(options.scheduleId);
    const found = await describeOrNone(handle);
    if (found !== undefined) {
      if (digestIn(found.action.memo) === digestOf(definition)) return { name, change: 'unchanged' };
      const { spec, action, policies = {}, typedSearchAttributes = [] } = options;
      await handle.update(({ state }) => ({ spec, action, policies, typedSearchAttributes, state }));
      return { name, change: 'updated' };
    }
    try {
      await client.schedule.create(options);
      return { name, change: 'created' };
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning) || tries === TRIES) throw error;
    }
  }
}

/** Undefined where Temporal has no such schedule. */
export async function describeOrNone(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** Names of the schedules below our prefix; a new one may lack for a moment. */
export async function listOwn(client: Client, group: string): Promise<readonly string[]> {
  const prefix = scheduleId(group, '');
  const names: string[] = [];
  for await (const { scheduleId: id } of client.schedule.list({ query: `${SEARCH_ATTRIBUTES.group} = '${group}'` })) {
    if (id.startsWith(prefix)) names.push(id.slice(prefix.length));
  }
  return names.toSorted();
}

/** One that we did not make stays. */
async function removeOwn(client: Client, group: string, name: string): Promise<boolean> {
  const handle = client.schedule.getHandle(scheduleId(group, name));
  const found = await describeOrNone(handle);
  if (found === undefined || digestIn(found.action.memo) === undefined) return false;
  try {
    await handle.delete();
  } catch (error) {
    // Another worker was faster.
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  return true;
}
