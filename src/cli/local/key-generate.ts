import { defineCommand } from '../command.ts';
import { value } from '../options.ts';
import type { MadeKey } from './generate-keys.ts';

/** `key generate`: a keyring that encrypts and a key that signs, in new files. */
export const keyGenerate = defineCommand({
  name: 'key generate',
  summary: 'make the encryption keyring and the signing key',
  description:
    'An existing keyring is never written over: it may be the only key of old backups. An existing signing key is kept. ' +
    'Keep copies of both files away from the backups; without the keyring nobody can read an encrypted backup.',
  arguments: {},
  options: {
    encryptionKey: value('<file>', 'where the keyring goes (default: encryption.keyPath)'),
    signingKey: value('<file>', 'where the signing key goes (default: signing.keyPath)'),
    escrowKey: value('<file>', 'make only a key of last resort: its private half here, its public half in <file>.pub'),
  },
  examples: [
    'key generate',
    'key generate --encryption-key /etc/lifeboat/backup.key --signing-key /etc/lifeboat/signing.key',
    'key generate --escrow-key /media/safe/escrow.pem',
  ],
  answers: ['keys[] {purpose, path, id, publicKeyPath}'],
  exits: [],
  async run(context, { options }) {
    const { generateKeys, generateEscrow } = await import('./generate-keys.ts');
    if (options.escrowKey !== undefined) {
      const key = await generateEscrow(options.escrowKey);
      return { json: { keys: [key] }, text: () => describeEscrow(key) };
    }
    const { config } = await context.config();
    const keys = await generateKeys({
      keyringPath: options.encryptionKey ?? config.encryption.keyPath,
      signingPath: options.signingKey ?? config.signing.keyPath,
    });
    return {
      json: { keys },
      text: () =>
        [
          ...keys.map(({ purpose, path, id }) => `${purpose} key ${id} in ${path}`),
          'Keep copies of both away from the backups.',
          ...(config.encryption.enabled
            ? []
            : ['Backups are not encrypted yet: set encryption.enabled, or BACKUP_ENCRYPTION_ENABLED=true.']),
        ].join('\n'),
    };
  },
});

function describeEscrow({ id, path, publicKeyPath }: MadeKey): string {
  return [
    `escrow key ${id} in ${path}`,
    `Name ${publicKeyPath} in encryption.escrow, then run \`lifeboat key rewrap\`.`,
    `Then take ${path} away from this machine: it opens every backup by itself.`,
  ].join('\n');
}
