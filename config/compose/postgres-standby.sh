#!/bin/bash
# A streaming standby: copies the primary on the first start, follows it from then on.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  PGPASSWORD=$(cat "$REPLICATION_PASSWORD_FILE") pg_basebackup --host "$PRIMARY_HOST" --username standby --pgdata "$PGDATA" \
    --slot standby --wal-method stream --checkpoint fast --write-recovery-conf
fi
exec postgres -c hot_standby=on
