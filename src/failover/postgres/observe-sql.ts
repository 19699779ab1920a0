/**
 * One row about a server, primary or standby, from version 15 on. Functions about the own WAL are errors in recovery, those about the
 * pause of a replay are errors outside; columns of slots that came later are asked for through their JSON. Our
 * own receivers (journals, this question) are no standbys.
 */
export const VIEW = `
  SELECT
    CASE WHEN pg_is_in_recovery() THEN coalesce(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')
      ELSE pg_current_wal_lsn() END::text AS lsn,
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END::text AS "replayedLsn",
    CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() <> 'not paused' ELSE false END AS "replayPaused",
    CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8 END
      AS "replayedAgeSeconds",
    (SELECT json_build_object('status', status, 'silentSeconds', extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8,
      'follows', concat(sender_host, ':', sender_port)) FROM pg_stat_wal_receiver WHERE pid IS NOT NULL) AS receiver,
    coalesce((SELECT json_agg(json_build_object('name', application_name, 'state', state, 'syncState', sync_state,
      'replayedLsn', replay_lsn::text, 'lagSeconds', extract(epoch FROM replay_lag)::float8))
      FROM pg_stat_replication WHERE application_name NOT LIKE 'lifeboat %'), '[]') AS senders,
    coalesce((SELECT json_agg(json_build_object('name', slot_name, 'kind', slot_type, 'active', active, 'invalid',
      coalesce(to_jsonb(s) ->> 'invalidation_reason', CASE WHEN wal_status = 'lost' THEN 'lost' END)) ORDER BY slot_name)
      FROM pg_replication_slots s), '[]') AS slots,
    (SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) FROM pg_stat_archiver) AS "archiverFailing",
    (SELECT count(*)::int FROM pg_stat_progress_basebackup) AS "baseBackupsRunning",
    current_setting('full_page_writes')::bool
      AND (current_setting('data_checksums')::bool OR current_setting('wal_log_hints')::bool) AS rewindable`;
