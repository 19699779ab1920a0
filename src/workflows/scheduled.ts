import { sleep } from '@temporalio/workflow';
import type { ScheduledInput, ScheduledResult } from '../contract/schedule.ts';
import { formatDuration } from '../domain/duration.ts';
import { nextPause } from '../domain/schedule/pauses.ts';
import { WORK_NAMES } from '../domain/schedule/schedule.ts';
import { attempt } from './schedule/attempt.ts';
import { scheduledOperation } from './schedule/scheduled-operation.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * One run of a schedule. It starts what is scheduled as anybody would, under the id that excludes others, and waits for its end. While the
 * group is busy, and after what may pass, it tries again as long as its period lasts; then the period is given up, which its result or its
 * failure says. So a period has one operation that was done, or a run that says why not.
 */
export async function scheduledWorkflow(input: ScheduledInput): Promise<ScheduledResult> {
  const { schedule, work, patienceMs } = input;
  const progress = trackProgress(`schedule ${schedule}: ${WORK_NAMES[work.type]}`);
  return cancellable(progress, async () => {
    const operation = scheduledOperation(input);
    const deadlineMs = Date.now() + patienceMs;
    let begun = 0;
    let looksFirst = true;
    for (let tries = 1; ; tries += 1) {
      progress.enter('working', WORK_NAMES[work.type]);
      const tried = await attempt(operation, looksFirst);
      looksFirst = tried.end === 'again';
      if (tried.end !== 'busy') begun += 1;
      if (tried.end === 'done') {
        progress.enter(tried.found.outcome, tried.found.message);
        return { ...tried.found, attempts: begun };
      }
      if (tried.end === 'failed') throw tried.error;
      const pauseMs = nextPause(tried.end, tries, patienceMs);
      if (Date.now() + pauseMs > deadlineMs) {
        if (tried.end === 'again') throw tried.error;
        const message = `${operation.workflowId} was held by another operation for ${formatDuration(patienceMs)}`;
        progress.enter('skipped', message);
        return { outcome: 'skipped', message, attempts: begun, backupId: null };
      }
      progress.enter('waiting', `${tried.message}; tried again in ${formatDuration(pauseMs)}`);
      await sleep(pauseMs);
    }
  });
}
