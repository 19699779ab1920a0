import type { RepositoryContext } from '../context.ts';
import { checkKeys } from './check-keys.ts';
import type { KeyReader, Keys } from './keys.ts';
import { activeKeyId, rewrapKeys } from './rewrap-keys.ts';
import { requireKeyring } from './wrapped-key.ts';

export function createKeyReader(context: RepositoryContext): KeyReader {
  return { check: async (operation) => checkKeys(context, operation) };
}

export function createKeys(context: RepositoryContext): Keys {
  return {
    ...createKeyReader(context),
    rewrap: async (keyId, operation) => rewrapKeys(context, keyId, operation),
    activeId: async () => activeKeyId(requireKeyring(context, { key: 'keys/', owner: { backupId: 'all backups' } })),
  };
}
