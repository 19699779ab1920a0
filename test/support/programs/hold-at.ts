/**
 * Loaded before the worker: the activity that TEST_HOLD_AT names writes the file TEST_HOLD_FILE before it does anything, and waits until there is one with
 * `.go` behind its name.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type WorkerOptions } from '@temporalio/worker';

type Activity = (...args: readonly unknown[]) => Promise<unknown>;

const name = process.env['TEST_HOLD_AT'] ?? '';
const file = process.env['TEST_HOLD_FILE'] ?? '';

const create = Worker.create.bind(Worker);
Worker.create = (options: WorkerOptions) => {
  const activities = { ...(options.activities as Record<string, Activity> | undefined) };
  const run = activities[name];
  if (run === undefined) return create(options);
  activities[name] = async (...args) => {
    writeFileSync(file, '');
    while (!existsSync(`${file}.go`)) await delay(50);
    return run(...args);
  };
  return create({ ...options, activities });
};
