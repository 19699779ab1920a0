import type { AwaitedJournal, MarkedPoint } from '../../contract/activities.ts';
import { data } from './activity-options.ts';
import { allOrCancel } from './cancellation.ts';

/** Until both journals hold a point; why a full backup must be taken instead, where one of them can never, else null. */
export async function awaitJournals({ postgres, redis, time: at }: MarkedPoint): Promise<string | null> {
  const tasks: (() => Promise<AwaitedJournal>)[] = [];
  if (postgres !== null) {
    const wait = data(`WAL durable through ${postgres.lsn}`);
    tasks.push(() => wait.awaitJournal({ kind: 'postgres', through: postgres.lsn, at }));
  }
  if (redis !== null) {
    const wait = data(`stream durable through ${redis.offset}`);
    tasks.push(() => wait.awaitJournal({ kind: 'redis', through: String(redis.offset), at }));
  }
  const journals = await allOrCancel<AwaitedJournal[]>(tasks);
  const broken = journals.find(({ end }) => end === 'new-base-needed');
  return broken?.end === 'new-base-needed' ? broken.message : null;
}

export function describePoint({ postgres, redis }: MarkedPoint): string {
  if (postgres === null && redis === null) return 'for no journal: Redis is copied by its digests';
  const parts = [postgres && `WAL through ${postgres.lsn}`, redis && `the Redis stream through ${redis.offset}`];
  return `until the journals hold ${parts.filter((part) => part !== null).join(' and ')}`;
}
