#!/bin/sh
# What collecting statistics costs: the same with jwt_auth.track_stats on and
# off, in turns.  In one backend, a loop that verifies a token of the cache;
# and what a client sees of statements that do just that, each of which ends
# a transaction and so adds to the server's counters.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh stats_cost
. bench/lib.sh

calls=$(if_quick 200000 1000000)
restart_server "shared_preload_libraries = 'jwt_auth'" 'max_parallel_workers_per_gather = 0'
sql -v library="$PWD/build/bench/reference.so" -f bench/sql/measure.sql
sql -c 'CREATE EXTENSION jwt_auth' -c "SELECT jwt.generate_key('HS256')" >/dev/null 2>&1
token=$(sql -c "SELECT jwt.sign('{\"sub\": \"42\"}', expires_in => '1 day')")

for number in $(seq 1 20)
do
	echo 'SELECT jwt.verify(:token);'
done >"$JWT_AUTH_TMP/verify.sql"

in_backend()
{
	PGOPTIONS="$PGOPTIONS -c jwt_auth.track_stats=$1" sql -v token="$token" -v calls="$calls" -v name="backend/$1" <<'SQL'
PREPARE measured AS SELECT count(jwt.verify(:'token')) FROM generate_series(1, :calls);
PREPARE base AS SELECT count(g) FROM generate_series(1, :calls) g;
SELECT :'name', bench.net('measured', 'base', :calls);
SQL
}

for round in $(rounds)
do
	for state in on off
	do
		record_run "$round" in_backend $state
		ns=$(PGOPTIONS="$PGOPTIONS -c jwt_auth.track_stats=$state" pgbench_ns -t "$(if_quick 500 4000)" \
			-D "token=$token" -f "$JWT_AUTH_TMP/verify.sql")
		record "$round" "wire/$state" $((ns / 20))
	done
done
