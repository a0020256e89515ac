#!/bin/sh
# What a committed refresh costs, beside a committed UPDATE of one row of a
# table of the same shape, through the same protocol, with fsync on, after
# 1,000 and after a million sessions.

set -eu
cd "$(dirname "$0")/.."
[ -n "${JWT_AUTH_TMP:-}" ] || exec bench/run.sh refresh_vs_update
. bench/lib.sh

sessions=$(if_quick 50000 1000000)
work=$JWT_AUTH_TMP/refresh
mkdir "$work"
record '#' many "$(if_quick 50,000 1,000,000)"
restart_server 'fsync = on' 'autovacuum = off' 'max_wal_size = 4GB'
sql <<'SQL'
SET client_min_messages = error;
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256') \g /dev/null
CREATE TABLE shape (LIKE jwt.session_store INCLUDING ALL);
SQL

# The first answer of a client opens a session, the next ones go on with it.
cat >"$work/refresh.sql" <<'SQL'
SELECT coalesce(jwt.refresh(:token) ->> 'refresh_token', jwt.open_session('1') ->> 'refresh_token') AS token \gset
SQL
cat >"$work/update.sql" <<'SQL'
UPDATE shape SET refreshed_at = now(), idle_expires_at = now() + '14 days', access_expires_at = greatest(access_expires_at, now() + '15 min'), generation = generation + 1, live_hash = previous_hash, previous_hash = live_hash, salt = live_hash WHERE sid = '00000000-0000-4000-8000-000000000001' AND closed_at IS NULL
SQL

fill()
{
	sql -v n="$1" <<'SQL'
INSERT INTO jwt.session_store (sid, subject, claims, opened_at, expires_at, refreshed_at, idle_expires_at, access_expires_at, generation, live_hash, previous_hash, salt, tag_key)
SELECT gen_random_uuid(), 's' || g, '{}', now(), now() + '90 days', now(), now() + '14 days', now() + '15 min', 1, h, h, h, h
  FROM generate_series((SELECT count(*) FROM jwt.session_store) + 1, :n) g, sha256('x') h;
TRUNCATE shape;
INSERT INTO shape SELECT * FROM jwt.session_store;
UPDATE shape SET sid = '00000000-0000-4000-8000-000000000001' WHERE sid = (SELECT sid FROM shape LIMIT 1);
VACUUM ANALYZE jwt.session_store, shape;
CHECKPOINT;
SQL
}

for n in 1000 "$sessions"
do
	fill "$n"
	case $n in
		1000) name=1000 ;;
		*) name=$(if_quick 50,000 1,000,000) ;;
	esac
	for round in $(rounds)
	do
		for what in refresh update
		do
			ns=$(pgbench_ns 1 -t "$(if_quick 100 600)" -D token=none -f "$work/$what.sql")
			record "$round" "$what/$name" "$ns"
		done
	done
done
