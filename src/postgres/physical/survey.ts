import { isErrorCode, LifeboatError, type ErrorCode } from '../../domain/errors.ts';
import { withSession, type Session } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';
import type { Wal } from '../wal/wal.ts';
import type { PhysicalSurvey } from './physical.ts';

interface Server {
  readonly serverVersion: number;
  readonly walLevel: string;
  readonly walSegmentBytes: number;
  readonly inRecovery: boolean;
  readonly dataChecksums: boolean;
  readonly summarizesWal: boolean;
  readonly replication: boolean;
  readonly sendersMax: number;
  readonly sendersUsed: number;
  readonly slotsMax: number;
  readonly slotsUsed: number;
  readonly clusterBytes: string;
  readonly tablespaces: readonly string[];
}

/** Sizes of databases that the role may not look at are left out: the sum is for progress and for people. */
const SERVER = `
  SELECT current_setting('server_version_num')::int AS "serverVersion", current_setting('wal_level') AS "walLevel",
    (SELECT setting::int8 * CASE unit WHEN '8kB' THEN 8192 WHEN 'kB' THEN 1024 ELSE 1 END FROM pg_settings
      WHERE name = 'wal_segment_size')::int AS "walSegmentBytes",
    pg_is_in_recovery() AS "inRecovery", current_setting('data_checksums') = 'on' AS "dataChecksums",
    coalesce(current_setting('summarize_wal', true), 'off') = 'on' AS "summarizesWal", r.rolsuper OR r.rolreplication AS replication,
    current_setting('max_wal_senders')::int AS "sendersMax", (SELECT count(*)::int FROM pg_stat_replication) AS "sendersUsed",
    current_setting('max_replication_slots')::int AS "slotsMax", (SELECT count(*)::int FROM pg_replication_slots) AS "slotsUsed",
    (SELECT coalesce(sum(pg_database_size(d.oid)), 0)::text FROM pg_database d
      WHERE has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')) AS "clusterBytes",
    ARRAY(SELECT spcname::text FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY 1) AS tablespaces
  FROM pg_roles r WHERE r.rolname = current_user`;

export interface Look {
  /** Of pg_basebackup, which refuses newer servers. */
  readonly toolMajor: number;
  readonly identify: Wal['identify'];
}

/** See PhysicalBackup.survey. Its last question opens a connection for replication: pg_hba.conf has lines of its own for these. */
export async function surveyPhysical(target: PostgresTarget, look: Look): Promise<PhysicalSurvey> {
  const doing = `look whether a base backup of ${target.host}:${target.port} is possible`;
  const server = await withSession(target, { doing }, readServer);
  const obstacle = findObstacle(server, target, look.toolMajor) ?? (await replicationObstacle(target, look));
  return {
    possible: obstacle === undefined,
    reason: obstacle?.reason ?? '',
    code: obstacle?.code ?? '',
    walSegmentBytes: server.walSegmentBytes,
    inRecovery: server.inRecovery,
    clusterBytes: Number(server.clusterBytes),
    summarizesWal: server.summarizesWal,
    dataChecksums: server.dataChecksums,
  };
}

/** @throws LifeboatError with the code and the reason of the survey */
export async function requirePhysical(target: PostgresTarget, look: Look): Promise<PhysicalSurvey> {
  const survey = await surveyPhysical(target, look);
  if (survey.possible) return survey;
  throw new LifeboatError(codeOf(survey), `take a base backup: ${survey.reason}`);
}

function codeOf({ code }: PhysicalSurvey): ErrorCode {
  return isErrorCode(code) ? code : 'POSTGRES_BASE_IMPOSSIBLE';
}

async function readServer(session: Session): Promise<Server> {
  return session.one<Server & Record<string, unknown>>(SERVER);
}

async function replicationObstacle(target: PostgresTarget, { identify }: Look): Promise<Obstacle | undefined> {
  try {
    await identify(target);
    return undefined;
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.code !== 'POSTGRES_AUTH_FAILED') throw error;
    return { code: 'POSTGRES_BASE_IMPOSSIBLE', reason: `no connection for replication: ${error.message}` };
  }
}

interface Obstacle {
  readonly code: ErrorCode;
  readonly reason: string;
}

function findObstacle(server: Server, { user }: PostgresTarget, toolMajor: number): Obstacle | undefined {
  const { walLevel, tablespaces, sendersMax, slotsMax } = server;
  const serverMajor = Math.floor(server.serverVersion / 10_000);
  const named = tablespaces.map((name) => `"${name}"`).join(', ');
  const obstacles: readonly (Obstacle & { readonly when: boolean })[] = [
    {
      when: tablespaces.length > 0,
      code: 'POSTGRES_TABLESPACES',
      reason: `tablespace${tablespaces.length > 1 ? 's' : ''} ${named} outside the data directory`,
    },
    {
      when: walLevel === 'minimal',
      code: 'POSTGRES_BASE_IMPOSSIBLE',
      reason:
        'wal_level is minimal, which a base cannot be made consistent with; set it to replica and restart the server',
    },
    {
      when: !server.replication,
      code: 'POSTGRES_BASE_IMPOSSIBLE',
      reason: `role ${user} has not the attribute REPLICATION`,
    },
    {
      when: toolMajor < serverMajor,
      code: 'POSTGRES_TOOL_TOO_OLD',
      reason: `pg_basebackup is of version ${toolMajor}, the server of ${serverMajor}`,
    },
    {
      when: server.sendersUsed >= sendersMax,
      code: 'POSTGRES_BASE_BUSY',
      reason: `all ${sendersMax} connections of max_wal_senders are in use`,
    },
    {
      when: server.slotsUsed >= slotsMax,
      code: 'POSTGRES_BASE_BUSY',
      reason: `all ${slotsMax} slots of max_replication_slots are in use`,
    },
  ];
  return obstacles.find(({ when }) => when);
}
