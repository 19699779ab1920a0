import { LifeboatError } from '../domain/errors.ts';
import { withLock } from '../platform/lock.ts';
import { replaceSecretFile } from './key-file.ts';
import { formatKeyEntries, type KeyEntries, type KeyInfo, newKeyEntry, readKeyEntries } from './keyring-file.ts';

export interface RotatedKeyring {
  readonly activeId: string;
  /** The key that was active before; it goes on opening. */
  readonly previousId: string;
}

/**
 * Adds a random key that wraps from now on; the one before goes on opening. A bare key becomes a keyring of two.
 * @throws LifeboatError KEY_FILE_*
 */
export async function rotateKeyring(path: string): Promise<RotatedKeyring> {
  return change(path, ({ active, entries }) => {
    const key = newKeyEntry();
    const others = entries.map((entry) => (entry.id === active ? { ...entry, state: 'decrypt-only' as const } : entry));
    // A bare key's file does not say when it was made: what is known is since when it is in a keyring.
    const dated = others.map((entry) => ({ ...entry, created: entry.created || key.created }));
    return [
      { active: key.id, entries: [key, ...dated] },
      { activeId: key.id, previousId: active },
    ];
  });
}

/**
 * Sets whether a key that is not active opens. Its material stays in the file, so that `decrypt-only` takes a retirement back.
 * @throws LifeboatError KEY_NOT_FOUND, KEY_IN_USE for the active one, KEY_FILE_*
 */
export async function setKeyState(path: string, id: string, state: 'decrypt-only' | 'retired'): Promise<KeyInfo> {
  return change(path, ({ active, entries }) => {
    requireNotActive({ active, entries }, id);
    const changed = entries.map((entry) => (entry.id === id ? { ...entry, state } : entry));
    const created = entries.find((entry) => entry.id === id)?.created ?? '';
    return [
      { active, entries: changed },
      { id, created, state },
    ];
  });
}

/** @throws LifeboatError KEY_NOT_FOUND, KEY_IN_USE */
function requireNotActive({ active, entries }: KeyEntries, id: string): void {
  if (id === active) throw new LifeboatError('KEY_IN_USE', `retire ${id}: it is the active key`, { details: { id } });
  if (entries.some((entry) => entry.id === id)) return;
  throw new LifeboatError('KEY_NOT_FOUND', `find key ${id}: not in the keyring`, { details: { id } });
}

/** One change at a time: two rotations at once would otherwise lose the key of one, and with it what it wrapped. */
async function change<T>(path: string, next: (now: KeyEntries) => readonly [KeyEntries, T]): Promise<T> {
  return withLock(path, async () => {
    const [entries, result] = next(await readKeyEntries(path));
    await replaceSecretFile(path, formatKeyEntries(entries));
    return result;
  });
}
