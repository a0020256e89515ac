#!/bin/sh
# What a client sees: pgbench, prepared statements, one and two clients.  A
# script has 20 statements with a token each, so that the time of a
# transaction divided by 20 is that of a statement; and whole transactions
# that read one row by an index, with and without row-level security.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh wire
. bench/lib.sh

work=$JWT_AUTH_TMP/wire
mkdir "$work"
restart_server 'jwt_auth.cache_size = 16' 'max_parallel_workers_per_gather = 0'
sql -f bench/sql/wire.sql
if [ -n "$PEER_PGJWT" ]
then
	bench/pgjwt.sh | sql
fi

# The tokens are pgbench's variables t1 to t20, more than the cache
# keeps.
count=20
definitions=$(sql -c 'SELECT token FROM tokens' | head -n $count | awk '{ print "-D t" NR "=" $0 }')

# script NAME PATTERN: the statements, with @ for the number of a token
script()
{
	for number in $(seq 1 $count)
	do
		echo "$2" | sed "s/@/$number/g"
	done >"$work/$1.sql"
}
script select 'SELECT 1;'
script new 'SELECT jwt.verify(:t@);'
script cached 'SELECT jwt.verify(:t1);'
script pgcrypto "SELECT pgcrypto_verify(:t@, '0123456789abcdef0123456789abcdef');"
script pgjwt_style "SELECT payload FROM pgjwt_verify(:t@, '0123456789abcdef0123456789abcdef', 'HS256') WHERE valid;"
script pgjwt "SELECT payload FROM pgjwt.verify(:t@, '0123456789abcdef0123456789abcdef', 'HS256') WHERE valid;"

# transaction NAME FIRST READ: both as four messages and as one pipeline
transaction()
{
	{
		echo 'BEGIN;'
		[ -z "$2" ] || echo "$2"
		echo "$3"
		echo 'COMMIT;'
	} >"$work/$1.sql"
	{
		printf '%s\n' '\startpipeline'
		cat "$work/$1.sql"
		printf '%s\n' '\endpipeline'
	} >"$work/$1_pipelined.sql"
}
transaction transaction 'SELECT jwt.authenticate(:t1);' 'SELECT body FROM notes;'
transaction plain 'SELECT 1;' 'SELECT body FROM plain_notes WHERE owner = :owner;'
transaction short '' 'SELECT body FROM plain_notes WHERE owner = :owner;'
transaction postgrest "SELECT set_config('request.jwt.claims', :claims, true), set_config('role', 'web_user', true);" \
	'SELECT body FROM setting_notes;'
owner=$(sql -c 'SELECT owner FROM tokens LIMIT 1')
claims=$(sql -c 'SELECT claims FROM tokens LIMIT 1')

# run NAME CLIENTS TRANSACTIONS STATEMENTS N: records nanoseconds a statement,
# each transaction being so many; N as for pgbench_ns
run()
{
	ns=$(pgbench_ns "$5" -U gateway -c "$2" -t "$3" $definitions -D owner="$owner" -D claims="$claims" \
		-f "$work/$1.sql")
	record "$round" "$1/$2" "$((ns / $4))"
}

few=$(if_quick 100 300)
many=$(if_quick 1000 4000)
for round in $(rounds)
do
	for clients in 1 2
	do
		for name in select new cached
		do
			run $name $clients "$few" $count 2
		done
		run pgcrypto $clients $((few / 2)) $count 2
		run pgjwt_style $clients $((few / 4)) $count 2
		[ -z "$PEER_PGJWT" ] || run pgjwt $clients $((few / 4)) $count 2
		for name in plain transaction postgrest short plain_pipelined transaction_pipelined short_pipelined
		do
			run $name $clients "$many" 1 10
		done
	done
done
