import type { Config } from '../../config/schema/config.ts';
import { countUses, type KeyReport } from '../../domain/key-report.ts';
import type { Operation } from '../../domain/operation.ts';
import { type Keyring, loadKeyring } from '../../encryption/keyring.ts';
import { openConfiguredReader } from '../../assembly/open-repository.ts';
import type { CommandContext } from '../command.ts';

/** One key of the keyring, or an escrow key that was met, and for how much it is needed. */
export interface CountedKey {
  readonly id: string;
  /** null: not of the keyring. */
  readonly state: string | null;
  /** Data keys that are wrapped for it. */
  readonly dataKeys: number;
}

/** Opens every data key of the repository with a keyring of this machine. @throws LifeboatError KEY_FILE_*, STORE_*, REPOSITORY_* */
export async function checkKeysWith(
  context: CommandContext,
  { config, keyring }: { readonly config: Config; readonly keyring: Keyring },
): Promise<KeyReport> {
  const reader = await openConfiguredReader(config, keyring);
  const operation: Operation = {
    signal: context.signal,
    onProgress: (progress) => context.progress.update([{ name: 'key verify', progress }]),
  };
  return reader.keys.check(operation);
}

/** The keys of a configuration: of its file, and of its KMS. `without`: as if this one were retired. */
export async function configuredKeyring({ encryption }: Config, without?: string): Promise<Keyring> {
  const { kms } = encryption;
  return loadKeyring(encryption.keyPath, { kms, ...(without === undefined ? {} : { without }) });
}

export function countKeys({ keys }: Keyring, { opened }: KeyReport): readonly CountedKey[] {
  const counts = countUses(opened);
  const own = keys.map(({ id, state }) => ({ id, state, dataKeys: counts.get(id) ?? 0 }));
  const others = [...counts].filter(([id]) => !keys.some((key) => key.id === id));
  return [...own, ...others.map(([id, dataKeys]) => ({ id, state: null, dataKeys }))];
}
