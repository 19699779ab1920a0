#!/bin/sh
# Makes the passwords of docker-compose.yml under .lifeboat/compose. What is there is kept: the databases know it already.
set -eu
umask 077
cd "$(dirname "$0")/../.."
folder=.lifeboat/compose
mkdir -p "$folder"

secret() {
  if [ ! -s "$folder/$1" ]; then
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$folder/$1"
    # Compose mounts the file as it is, and each service reads it under an account of its own.
    chmod 644 "$folder/$1"
  fi
  cat "$folder/$1"
}

for name in postgres_password lifeboat_password replication_password redis_password grafana_password; do
  secret "$name" > /dev/null
done
printf 'POSTGRES_PWD=%s\n' "$(secret temporal_password)" > "$folder/temporal.env"
printf 'ROOT_ACCESS_KEY=lifeboat\nROOT_SECRET_KEY=%s\n' "$(secret s3_secret_key)" > "$folder/s3.env"
# Only this folder's owner comes as far as the files.
chmod 700 "$folder"
echo "secrets are in $folder"
