import { checkStored } from './check-snapshot.ts';
import { exportChanges } from './digests/export-changes.ts';
import { exportByDump } from './dump/export-by-dump.ts';
import { exportByReplication } from './export-snapshot.ts';
import { removeSnapshot } from './import/remove-snapshot.ts';
import { importSnapshot } from './import-snapshot.ts';
import { inspectSource, surveyTarget } from './inspect.ts';
import type { Redis } from './redis.ts';

/** The Redis data plane; it holds no connection and no state between calls. */
export function createRedis(): Redis {
  return {
    inspect: inspectSource,
    exportSnapshot: (target, method, context) =>
      method === 'replication' ? exportByReplication(target, context) : exportByDump(target, context),
    exportChanges,
    checkSnapshot: async (format, source, operation) => {
      const { keys, databases, digest } = await checkStored(format, source, { operation, phase: 'checking' });
      return { keys, databases, digest };
    },
    surveyTarget,
    importSnapshot: (request, { open, operation }) => importSnapshot({ request, open, operation }),
    removeSnapshot,
  };
}
