#!/bin/sh
# What a policy costs: a sequential scan of a million rows, each role with a
# policy of its own, and planning a read by primary key.  Processor time.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh rls
. bench/lib.sh

restart_server 'max_parallel_workers_per_gather = 0' 'jit = off' 'shared_buffers = 512MB'
sql -v library="$PWD/build/bench/reference.so" -v rows="$(if_quick 300000 1000000)" -f bench/sql/rls.sql
record '#' many "$(if_quick 300,000 1,000,000)"
for round in $(rounds)
do
	record_run "$round" sql -f bench/sql/rls_round.sql
done
