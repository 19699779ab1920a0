import type { Config } from '../../config/schema/config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { setKeyState } from '../../encryption/change-keyring.ts';
import { isKmsArn } from '../../encryption/kms-keys.ts';
import type { CommandContext } from '../command.ts';
import { checkKeysWith, configuredKeyring } from './check-keys.ts';

/**
 * Retires a key that nothing needs. One of a KMS is only looked at: it is the configuration that names it. Looks before and after: what a backup wrapped with it between the two looks takes it back.
 * @throws LifeboatError KEY_IN_USE naming what needs it, KEYS_NOT_OPENED, KEY_NOT_FOUND, KEY_FILE_*, STORE_*
 */
export async function retireKey(
  context: CommandContext,
  retire: { readonly config: Config; readonly id: string },
): Promise<{ readonly opened: number }> {
  const { id, config } = retire;
  const path = config.encryption.keyPath;
  const keyring = await configuredKeyring(config);
  if (id === keyring.activeId) throw new LifeboatError('KEY_IN_USE', `retire ${id}: it is the active key`);
  if (!keyring.keys.some((key) => key.id === id)) {
    throw new LifeboatError('KEY_NOT_FOUND', `retire ${id}: not in ${path}`, { details: { id } });
  }
  const unused = await requireUnused(context, retire);
  if (isKmsArn(id)) return unused;
  await setKeyState(path, id, 'retired');
  try {
    return await requireUnused(context, retire);
  } catch (error) {
    await setKeyState(path, id, 'decrypt-only');
    throw error;
  }
}

export async function reviveKey({ encryption }: Config, id: string): Promise<{ readonly opened: null }> {
  if (isKmsArn(id)) throw new LifeboatError('KMS_KEY_NOT_OURS', `let ${id} open again: it is of a KMS`);
  await setKeyState(encryption.keyPath, id, 'decrypt-only');
  return { opened: null };
}

/** What stays closed without the key either needs it, or is damaged: nobody can tell then what it needs. */
async function requireUnused(
  context: CommandContext,
  { config, id }: { readonly config: Config; readonly id: string },
): Promise<{ readonly opened: number }> {
  const keyring = await configuredKeyring(config, id);
  const { opened, problems } = await checkKeysWith(context, { config, keyring });
  if (problems.length === 0) return { opened: opened.length };
  const needing = problems.filter(({ code }) => code === 'KEY_MISMATCH').map(({ backupId }) => backupId);
  const [code, names] =
    needing.length > 0
      ? (['KEY_IN_USE', needing] as const)
      : (['KEYS_NOT_OPENED', problems.map((problem) => problem.backupId)] as const);
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  throw new LifeboatError(code, `retire ${id}: not opened without it: ${names.slice(0, NAMED).join(', ')}${more}`, {
    details: { id, needing: names },
  });
}

const NAMED = 5;
