import { resolve } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { KeyReport } from '../../domain/key-report.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import { describeProblem } from '../commands/damage.ts';
import { defineCommand } from '../command.ts';
import { value } from '../options.ts';

/** `key verify`: does the keyring open everything? */
export const keyVerify = defineCommand({
  name: 'key verify',
  summary: 'say of every backup and journal whether the keyring opens it',
  description:
    'Opens the data key of each and compares it with what is signed; no data is read. Works without Temporal. With --key it tries another keyring, or the private half of an escrow key: a copy that opens nothing is found before it is needed.',
  arguments: {},
  options: {
    key: value('<file>', 'keyring, private escrow key or ARN of KMS to try (default: those of the configuration)'),
  },
  examples: ['key verify', 'key verify --key /media/safe/escrow.pem', 'key verify --json'],
  answers: [
    'keys[] {id, state, dataKeys}',
    'opened[] {name, wrappedFor[]}',
    'problems[{backupId, key, code, message}]',
  ],
  exits: [4, 5, 7],
  async run(context, { options }) {
    const { config } = await context.config();
    const { checkKeysWith, configuredKeyring, countKeys } = await import('./check-keys.ts');
    const keyring = await (options.key === undefined ? configuredKeyring(config) : keyringAt(context.cwd, options.key));
    const report = await checkKeysWith(context, { config, keyring });
    const keys = countKeys(keyring, report);
    const { opened, problems } = report;
    return {
      json: { keys, opened, problems },
      text: async () =>
        [
          `${opened.length} data keys opened with ${options.key ?? 'the configured keys'}`,
          await context.output.table(
            ['key', 'state', 'data keys'],
            keys.map(({ id, state, dataKeys }) => [id, state ?? 'not in it', String(dataKeys)]),
          ),
          ...problems.map(describeProblem),
        ].join('\n'),
      ...(problems.length === 0 ? {} : { failure: notOpened(report) }),
    };
  },
});

async function keyringAt(cwd: string, named: string): Promise<Keyring> {
  const [{ loadKeyring }, { isKmsArn }] = await Promise.all([
    import('../../encryption/keyring.ts'),
    import('../../encryption/kms-keys.ts'),
  ]);
  return loadKeyring(isKmsArn(named) ? named : resolve(cwd, named));
}

function notOpened({ problems, opened }: KeyReport): LifeboatError {
  return new LifeboatError('KEYS_NOT_OPENED', `verify keys: ${problems.length} problems, ${opened.length} opened`, {
    details: { problems: problems.slice(0, 20).map(({ key, code }) => `${code} ${key}`) },
  });
}
