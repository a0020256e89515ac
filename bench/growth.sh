#!/bin/sh
# What verify and refresh cost when tables grow: databases that differ in
# nothing else, measured in turns.  Processor time; new tokens with the cache
# at its smallest.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh growth
. bench/lib.sh

many=$(if_quick 100000 1000000)
record '#' many "$(if_quick 100,000 1,000,000)"
restart_server 'jwt_auth.cache_size = 16' 'shared_buffers = 1GB' 'max_wal_size = 4GB' 'autovacuum = off'
for database in one keys revocations sessions
do
	createdb "$database"
	sql -d "$database" -v library="$PWD/build/bench/reference.so" -v many="$many" \
		-v database="$database" -f bench/sql/growth.sql
done
sql -c CHECKPOINT
for round in $(rounds)
do
	for database in one keys revocations sessions
	do
		record_run "$round" sql -d "$database" -v database="$database" -f bench/sql/growth_round.sql
	done
done
