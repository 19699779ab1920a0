#!/bin/bash
# Runs once, when the database is made: a role for Lifeboat, one for the standby, and the standby's way in.
set -euo pipefail
lifeboat=$(cat /run/secrets/lifeboat_password)
replication=$(cat /run/secrets/replication_password)
# A superuser, because a restore brings roles and their passwords back. Without these a role that may read everything and
# replicate is enough: pg_read_all_data, REPLICATION, CREATEDB.
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set lifeboat="$lifeboat" --set replication="$replication" <<'SQL'
CREATE ROLE lifeboat LOGIN SUPERUSER PASSWORD :'lifeboat';
CREATE ROLE standby LOGIN REPLICATION PASSWORD :'replication';
SELECT pg_create_physical_replication_slot('standby');
SQL
echo 'host replication standby all scram-sha-256' >> "$PGDATA/pg_hba.conf"
echo 'host replication lifeboat all scram-sha-256' >> "$PGDATA/pg_hba.conf"
