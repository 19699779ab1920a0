import type { RewrapInput, RewrapResult } from '../contract/keys.ts';
import { control, data } from './support/activity-options.ts';
import { cancellable } from './support/cancellation.ts';
import { trackProgress } from './support/progress.ts';

/**
 * Wraps every data key again for the key that is active now. Nothing else is read or written, so it runs beside the group's lock; its
 * id lets one run at a time. Which key that is is decided once: a rotation meanwhile ends the run instead of mixing two.
 */
export async function rewrapWorkflow(input: RewrapInput): Promise<RewrapResult> {
  const progress = trackProgress('wrapping all data keys again');
  return cancellable(progress, async () => {
    progress.enter('planning', 'asking the keyring which key is active');
    const { keyId } = await control('decide', 'find the active key').planRewrap({ group: input.group });
    progress.note(`for key \`${keyId}\``);
    progress.enter('rewrapping', `wrapping every data key for ${keyId}`);
    const result = await data(`wrap data keys for ${keyId}`).rewrapKeys({ keyId });
    progress.enter('done', `${result.rewrapped} of ${result.total} wrapped again, ${result.problemsTotal} problems`);
    return result;
  });
}
