import { open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../platform/system-error.ts';

/**
 * System identifier of the data directory that a path of `%p` lies in (`pg_wal/…`): the first eight bytes of its control file, in
 * every version. Undefined where there is none beside it.
 */
export async function systemIdentifierBeside(walPath: string): Promise<string | undefined> {
  const control = join(dirname(dirname(walPath)), 'global', 'pg_control');
  try {
    const file = await open(control, 'r');
    try {
      const head = Buffer.alloc(8);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      if (bytesRead < head.length) return undefined;
      return String(endianness() === 'LE' ? head.readBigUInt64LE() : head.readBigUInt64BE());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    // Not a data directory, or not for us to read: the caller has another way to know, or says that it has none.
    return undefined;
  }
}
