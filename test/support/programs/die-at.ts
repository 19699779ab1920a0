/**
 * Loaded before the worker: kill -9 at the boundaries that TEST_DIE_AT names (`beginBackup:before,copyRedis:after`), each once, in
 * whatever order they come. `before`: the activity was started and has done nothing; `after`: it has done its work, and nobody has
 * been told. A third word says who is killed: `worker` (this process, where nothing is said), `temporal` (the process that the file
 * TEST_DIE_TEMPORAL names) or `both`. TEST_DIE_MARKS is a folder that remembers.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker, type WorkerOptions } from '@temporalio/worker';

type Activity = (...args: readonly unknown[]) => Promise<unknown>;

/** Who is killed, by boundary. */
const points = new Map(
  (process.env['TEST_DIE_AT'] ?? '')
    .split(',')
    .filter(Boolean)
    .map((point) => point.split(':'))
    .map(([name, when, who = 'worker']) => [`${name}:${when}`, who]),
);
const marks = process.env['TEST_DIE_MARKS'] ?? '';

function dieAt(point: string): void {
  const who = points.get(point);
  if (who === undefined) return;
  const mark = join(marks, point.replace(':', '-'));
  if (existsSync(mark)) return;
  writeFileSync(mark, '');
  if (who !== 'worker') process.kill(Number(readFileSync(process.env['TEST_DIE_TEMPORAL'] ?? '', 'utf8')), 'SIGKILL');
  if (who !== 'temporal') process.kill(process.pid, 'SIGKILL');
}

function mortal(name: string, run: Activity): Activity {
  return async (...args) => {
    dieAt(`${name}:before`);
    const answer = await run(...args);
    dieAt(`${name}:after`);
    return answer;
  };
}

const create = Worker.create.bind(Worker);
Worker.create = (options: WorkerOptions) => {
  const activities = Object.entries((options.activities ?? {}) as Record<string, Activity>);
  return create({
    ...options,
    activities: Object.fromEntries(activities.map(([name, run]) => [name, mortal(name, run)])),
  });
};
