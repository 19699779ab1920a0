import type { WrittenDirectory } from '../../domain/directory-plan.ts';

/** One line per component: what is where. */
export function describeWritten({ postgres, redis }: Pick<WrittenDirectory, 'postgres' | 'redis'>): string[] {
  return [
    ...(postgres
      ? [`  postgres  ${postgres.directory}  PostgreSQL ${postgres.server}, database ${postgres.database}`]
      : []),
    ...(redis ? [`  redis     ${redis.directory}  Redis ${redis.server}`] : []),
  ];
}
