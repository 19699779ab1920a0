import type { Config } from '../../config/schema/config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { defineCommand } from '../command.ts';

/** `key rotate`: a new key that wraps from now on. */
export const keyRotate = defineCommand({
  name: 'key rotate',
  summary: 'make a new active key in the keyring; the ones before go on opening',
  description:
    'Only the keyring file of this machine changes; workers that use it take the new key for the next backup, without a restart. Copy the file to the other workers, and to the places where you keep it, before you rewrap: from then on the copies of before open nothing new.',
  arguments: {},
  options: {},
  examples: ['key rotate'],
  answers: ['keys[] {purpose, id, state, created, path}', 'activeId', 'previousId'],
  exits: [],
  async run(context) {
    const { config } = await context.config();
    refuseKms(config);
    const [{ rotateKeyring }, { listKeyFiles }] = await Promise.all([
      import('../../encryption/change-keyring.ts'),
      import('./list-key-files.ts'),
    ]);
    const { keyPath } = config.encryption;
    const { activeId, previousId } = await rotateKeyring(keyPath);
    return {
      json: { keys: await listKeyFiles(config), activeId, previousId },
      text: () =>
        [
          `${activeId} is active in ${keyPath}; ${previousId} goes on opening`,
          'Copy the file to the other workers and to where you keep it, then run `lifeboat key rewrap`.',
        ].join('\n'),
    };
  },
});

/** A new key in the file would wrap nothing. @throws LifeboatError KMS_KEY_NOT_OURS */
function refuseKms({ encryption }: Config): void {
  const arn = encryption.kms?.keyArn;
  if (arn !== undefined)
    throw new LifeboatError('KMS_KEY_NOT_OURS', `rotate the key: ${arn} wraps`, { details: { arn } });
}
