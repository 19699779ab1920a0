import type { HoldInput, HoldResult } from '../contract/cleanup.ts';
import { control } from './support/activity-options.ts';
import { trackProgress } from './support/progress.ts';

/** Pins a backup against cleanup, or releases it; under the group's lock, so that no cleanup decides meanwhile. */
export async function holdWorkflow(input: HoldInput): Promise<HoldResult> {
  const { backup, reason } = input;
  const progress = trackProgress(reason === null ? `release of ${backup}` : `hold of ${backup}`);
  progress.enter('holding', reason ?? 'nothing holds it any more');
  const result = await control('decide', `change the holds of ${backup}`).changeHold({ request: input });
  progress.concerns(result.backup.id);
  progress.enter('done', `${result.backup.holds.length} holds`);
  return result;
}
