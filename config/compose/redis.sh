#!/bin/sh
# Starts Redis with the password of a file; further arguments are the server's own. The password stays out of argv.
set -eu
password=$(cat /run/secrets/redis_password)
umask 077
printf 'requirepass %s\nmasterauth %s\ndir /data\n' "$password" "$password" > /tmp/lifeboat-redis.conf
exec redis-server /tmp/lifeboat-redis.conf "$@"
