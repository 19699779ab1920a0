/**
 * Loaded before the worker: kill -9 of its own process before each of the removals of a backup's object that TEST_DIE_AT_UNLINK counts
 * (`1,5,9`), each once over all processes. TEST_DIE_MARKS is a folder that remembers.
 */
import { existsSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const counts = (process.env['TEST_DIE_AT_UNLINK'] ?? '').split(',').filter(Boolean).map(Number);
const marks = process.env['TEST_DIE_MARKS'] ?? '';
const { unlink } = promises;
let removals = 0;

promises.unlink = async (path) => {
  if (/\/backups\/backup-[^~]*$/.test(String(path))) {
    removals += 1;
    const next = counts.find((count) => !existsSync(join(marks, `unlink-${count}`)));
    if (next !== undefined && removals >= next) {
      writeFileSync(join(marks, `unlink-${next}`), '');
      process.kill(process.pid, 'SIGKILL');
    }
  }
  return unlink(path);
};
syncBuiltinESMExports();
