/**
 * Loaded before the worker: kill -9 of its own process at the boundaries that TEST_DIE_AT names
 * (`beginBackup:before,copyRedis:after`), each once, in whatever order they come. `before`: the activity was started and has
 * done nothing; `after`: it has done its work, and nobody has been told. TEST_DIE_MARKS is a folder that remembers.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker, type WorkerOptions } from '@temporalio/worker';

type Activity = (...args: readonly unknown[]) => Promise<unknown>;

const points = new Set((process.env['TEST_DIE_AT'] ?? '').split(',').filter(Boolean));
const marks = process.env['TEST_DIE_MARKS'] ?? '';

function dieAt(point: string): void {
  if (!points.has(point)) return;
  const mark = join(marks, point.replace(':', '-'));
  if (existsSync(mark)) return;
  writeFileSync(mark, '');
  process.kill(process.pid, 'SIGKILL');
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
