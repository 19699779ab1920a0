import type { MinimumSettings } from './control-data.ts';
import type { Recovery } from './scratch.ts';

export type Settings = Readonly<Record<string, string>>;

/** Lines of postgresql.conf. */
export function renderSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'\n`)
    .join('');
}

/** Nothing of the source may be reached from a copy: not its archive, not its primary, not its standbys. */
export const DETACHED: Settings = {
  archive_mode: 'off',
  archive_command: '',
  archive_cleanup_command: '',
  recovery_end_command: '',
  primary_conninfo: '',
  primary_slot_name: '',
  synchronous_standby_names: '',
  // An enabled subscription would take the changes that are meant for the source.
  max_logical_replication_workers: '0',
};

/** Of the targets only the one that is meant: the server counts an empty second one, too. */
export function recoverySettings({ restoreCommand, target, timeline, action }: Recovery): Settings {
  return {
    // The server wants one. `false` says of every segment that it is not in the archive; pg_wal is looked into next.
    restore_command: restoreCommand ?? 'false',
    ...targetSettings(target),
    recovery_target_timeline: timeline === undefined ? 'latest' : String(timeline),
    recovery_target_action: action,
  };
}

function targetSettings(target: Recovery['target']): Settings {
  if (target === 'end') return {};
  return { recovery_target_lsn: target.lsn, recovery_target_inclusive: target.inclusive ? 'on' : 'off' };
}

/** Settings of a scratch instance: small, quiet, without durability, and without anything that belongs to the source's host. */
export function scratchSettings(scratch: {
  readonly folder: string;
  readonly port: number;
  readonly major: number;
  readonly minimum: MinimumSettings;
  readonly recovery: Recovery;
}): Settings {
  const { folder, port, major, minimum, recovery } = scratch;
  return {
    ...DETACHED,
    ...recoverySettings(recovery),
    ...roomy(minimum),
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: folder,
    unix_socket_permissions: '0700',
    hba_file: `${folder}/pg_hba.conf`,
    ident_file: `${folder}/pg_ident.conf`,
    hot_standby: 'on',
    // A standby whose queries are in the way waits for them; here nobody waits for the replay.
    max_standby_archive_delay: '-1',
    wal_level: 'replica',
    shared_buffers: '128MB',
    huge_pages: 'off',
    // The directory is thrown away after a crash, and restored again.
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    restart_after_crash: 'off',
    checkpoint_timeout: '30min',
    max_wal_size: '2GB',
    autovacuum: 'off',
    ssl: 'off',
    shared_preload_libraries: '',
    session_preload_libraries: '',
    local_preload_libraries: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    // SQLSTATE of each line: lines are told apart by it, not by their text.
    log_line_prefix: '%e ',
    log_min_messages: 'warning',
    log_checkpoints: 'off',
    lc_messages: 'C',
    // Triggers of the restored database must not act at our login.
    ...(major >= 17 ? { event_triggers: 'off' } : {}),
  };
}

/** The source may have raised a value after the base was taken; replay over that stops where ours is lower. */
function roomy(minimum: MinimumSettings): Settings {
  const atLeast: MinimumSettings = {
    max_connections: 100,
    max_worker_processes: 8,
    max_wal_senders: 10,
    max_prepared_transactions: 10,
    max_locks_per_transaction: 128,
  };
  const names = Object.keys(atLeast) as (keyof MinimumSettings)[];
  return Object.fromEntries(names.map((name) => [name, String(Math.max(minimum[name], atLeast[name]))]));
}
