import type { BackupRecord, Check, ComponentName } from '../../domain/backup.ts';
import type { Colors } from '../output.ts';
import { formatBytes } from '../units.ts';

/** One line per component: `postgres  auth  PostgreSQL 18.6  1.6 GiB → 322 MiB  at 0/16B3748`. */
export function describeComponents({ components }: BackupRecord): string[] {
  const { postgres, redis } = components;
  const lines: string[] = [];
  if (postgres) {
    const size = `${formatBytes(postgres.databaseBytes)} → ${formatBytes(postgres.storedBytes)}`;
    lines.push(
      `  postgres  ${postgres.database}, ${postgres.tables} tables, ${size}, PostgreSQL ${postgres.server}, at ${postgres.lsn}`,
    );
  }
  if (redis) {
    const size = `${formatBytes(redis.bytes)} → ${formatBytes(redis.storedBytes)}`;
    lines.push(`  redis     ${redis.keys} keys, ${size}, Redis ${redis.server}, by ${redis.method}`);
  }
  return lines;
}

export function describeBackup(backup: BackupRecord): string {
  const protection = [backup.encrypted ? 'encrypted' : 'not encrypted', backup.signed ? 'signed' : 'not signed'].join(
    ', ',
  );
  return [
    `${backup.id}  ${backup.kind}, ${protection}, ${formatBytes(backup.storedBytes)} in ${backup.location}`,
    ...describeComponents(backup),
    `  restores to ${backup.recoveryPoint.time}`,
  ].join('\n');
}

/** `ok rows of public.users  200000`. */
export function describeChecks(checks: readonly Check[], colors: Colors): string[] {
  const mark = { pass: colors.green('pass'), fail: colors.red('fail'), skip: colors.yellow('skip') };
  return checks.map(
    ({ name, status, actual, message }) =>
      `  ${mark[status]}  ${name}  ${[actual, message].filter(Boolean).join('  ')}`,
  );
}

/** `--postgres` and `--redis` as components; neither means all. */
export function chosenComponents(options: { postgres: boolean; redis: boolean }): readonly ComponentName[] | undefined {
  const chosen = (['postgres', 'redis'] as const).filter((name) => options[name]);
  return chosen.length === 0 ? undefined : chosen;
}
