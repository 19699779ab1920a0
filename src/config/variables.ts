/**
 * Environment variables and the key that each one sets. Variables of secret keys may also be written NAME_FILE, with the
 * path of a file that holds the value. docs/reference/configuration.md is generated from this table.
 */
export const VARIABLES: Readonly<Record<string, string>> = {
  BACKUP_PATH: 'storage.localPath',
  BACKUP_SCHEDULE_ENABLED: 'schedule.enabled',
  BACKUP_SCHEDULE_INTERVAL: 'schedule.interval',
  BACKUP_SCHEDULE_TYPE: 'schedule.type',
  BACKUP_COMPRESSION_ENABLED: 'compression.enabled',
  BACKUP_COMPRESSION_LEVEL: 'compression.level',
  BACKUP_RETENTION_DAYS: 'retention.days',
  BACKUP_MAX_COUNT: 'retention.maxBackups',
  BACKUP_ENCRYPTION_ENABLED: 'encryption.enabled',
  BACKUP_ENCRYPTION_ALGORITHM: 'encryption.algorithm',
  BACKUP_ENCRYPTION_KEY_PATH: 'encryption.keyPath',
  REMOTE_STORAGE_ENABLED: 'storage.remoteStorage.enabled',
  REMOTE_STORAGE_TYPE: 'storage.remoteStorage.type',
  REMOTE_STORAGE_BUCKET: 'storage.remoteStorage.bucket',
  REMOTE_STORAGE_PREFIX: 'storage.remoteStorage.prefix',
  REMOTE_STORAGE_REGION: 'storage.remoteStorage.region',
  REMOTE_STORAGE_ENDPOINT: 'storage.remoteStorage.endpoint',
  REMOTE_STORAGE_FORCE_PATH_STYLE: 'storage.remoteStorage.forcePathStyle',
  REMOTE_STORAGE_ACCESS_KEY: 'storage.remoteStorage.credentials.accessKey',
  REMOTE_STORAGE_SECRET_KEY: 'storage.remoteStorage.credentials.secretKey',
  CROSS_REGION_REPLICATION_ENABLED: 'crossRegion.enabled',
  CROSS_REGION_TARGETS: 'crossRegion.regions',
  CROSS_REGION_DELAY: 'crossRegion.replicationDelay',
  PG_DUMP_PATH: 'postgres.pgDumpPath',
  PG_RESTORE_PATH: 'postgres.pgRestorePath',
  WAL_ARCHIVE_PATH: 'postgres.walArchivePath',
  REDIS_RDB_PATH: 'redis.rdbPath',
  DATABASE_URL: 'postgres.url',
  PGHOST: 'postgres.host',
  PGPORT: 'postgres.port',
  PGUSER: 'postgres.user',
  PGPASSWORD: 'postgres.password',
  PGDATABASE: 'postgres.database',
  PGSSLMODE: 'postgres.sslMode',
  PGSSLROOTCERT: 'postgres.sslRootCert',
  PGPASSFILE: 'postgres.passFile',
  REDIS_URL: 'redis.url',
  REDIS_USERNAME: 'redis.username',
  REDIS_PASSWORD: 'redis.password',
  TEMPORAL_ADDRESS: 'temporal.address',
  TEMPORAL_NAMESPACE: 'temporal.namespace',
  LIFEBOAT_STORE: 'storage.primary',
  LIFEBOAT_GROUP: 'group',
  LIFEBOAT_HOME: 'home',
  LIFEBOAT_LOG_LEVEL: 'log.level',
  LIFEBOAT_LOG_PATH: 'log.path',
  LIFEBOAT_PROGRESS: 'progress.mode',
  LIFEBOAT_SIGNING_KEY_PATH: 'signing.keyPath',
  LIFEBOAT_TRUSTED_KEYS: 'signing.trustedKeys',
  LIFEBOAT_EVALUATE_PLANS_EVERY: 'drPlans.evaluateEvery',
  LIFEBOAT_TOKEN: 'security.token',
  LIFEBOAT_POSTGRES_BIN_DIR: 'postgres.binDir',
  LIFEBOAT_JOBS: 'postgres.jobs',
  LIFEBOAT_REDIS_METHOD: 'redis.method',
  LIFEBOAT_REDIS_AGENT_HOST: 'redis.agentHost',
  LIFEBOAT_TARGET_REDIS_PASSWORD: 'restore.targetRedis.password',
  LIFEBOAT_MONITORING_PORT: 'monitoring.port',
  LIFEBOAT_MONITORING_HOST: 'monitoring.host',
  LIFEBOAT_MONITORING_INTERVAL: 'monitoring.interval',
  LIFEBOAT_DATA_SLOTS: 'worker.dataSlots',
  LIFEBOAT_STALL_AFTER: 'worker.stallAfter',
  LIFEBOAT_TEMPORAL_CLI: 'embedded.temporalCli',
  LIFEBOAT_REDIS_SERVER: 'embedded.redisServer',
};

/** Variables that are read, but set no key. */
export const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  LIFEBOAT_CONFIG: 'Configuration file, instead of `config/backup.json`',
  LIFEBOAT_RECORD: 'For developers: the workflow tests record histories for replay',
};

/** Nobody else's: an unknown variable with one of these prefixes is a mistake, and refused. */
export const OWN_PREFIXES = ['BACKUP_', 'REMOTE_STORAGE_', 'CROSS_REGION_', 'LIFEBOAT_'] as const;

/** libpq's variables that change where a connection goes, and that Lifeboat does not follow. */
export const UNSUPPORTED_VARIABLES = [
  'PGHOSTADDR',
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGOPTIONS',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLCRL',
] as const;
