import { continueAsNew, sleep } from '@temporalio/workflow';
import type { CopyJournalsEnd, CopyJournalsInput } from '../contract/replication.ts';
import { following } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { failureOf } from './support/compensation.ts';
import { trackProgress, type WorkflowProgress } from './support/progress.ts';

/** Rounds of one run: keeps a history below a few hundred events. */
const ROUNDS = 20;
/** Between two tries when a target cannot be copied to as it is (it holds another repository): somebody has to act first. */
const TROUBLE_PAUSE = '1 minute';

/**
 * Brings the journals to one target for ever, while they are written: one run for each target, so that a dead one holds up no other, and no
 * journal waits for any. Ends when the target is no longer configured.
 */
export async function copyJournalsWorkflow(input: CopyJournalsInput): Promise<CopyJournalsEnd> {
  const { target } = input;
  const progress = trackProgress(`journals to ${target}`);
  const ended = await cancellable(progress, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      progress.enter('following', `the journals, to ${target}`);
      const end = await follow(progress, target);
      if (end?.end === 'not-configured') return end;
      for (const { message } of end?.problems ?? []) progress.note(message);
    }
    return null;
  });
  return ended ?? continueAsNew<typeof copyJournalsWorkflow>(input);
}

/** One activity's time; undefined when it could not go on. */
async function follow(progress: WorkflowProgress, target: string): Promise<CopyJournalsEnd | undefined> {
  try {
    return await following(`bring the journals to ${target}`).copyJournals({ target });
  } catch (error) {
    const { message, type } = failureOf(error);
    progress.enter('alarm', `${type}: ${message}; tried again every ${TROUBLE_PAUSE}`);
    await sleep(TROUBLE_PAUSE);
    return undefined;
  }
}
