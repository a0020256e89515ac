#!/bin/sh
# What a committed refresh costs, beside a committed UPDATE of one row of a
# table of the same shape, through the same protocol: milliseconds a
# transaction, median of 7 interleaved rounds, with fsync on, after 1,000 and
# after SESSIONS (default 1,000,000) sessions.

set -eu
cd "$(dirname "$0")/.."

[ -n "${JWT_AUTH_TMP:-}" ] || exec scripts/with_server.sh bench/refresh_vs_update.sh
cd "$JWT_AUTH_TMP"
sessions=${SESSIONS:-1000000}

psql -Xq -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = error;
ALTER SYSTEM SET fsync = on;
SELECT pg_reload_conf() \g /dev/null
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256') \g /dev/null
CREATE TABLE shape (LIKE jwt.session_store INCLUDING ALL);
SQL

# The first answer of a client opens a session, the next ones go on with it.
cat >refresh.sql <<'SQL'
SELECT coalesce(jwt.refresh(:token) ->> 'refresh_token', jwt.open_session('1') ->> 'refresh_token') AS token \gset
SQL
cat >update.sql <<'SQL'
UPDATE shape SET refreshed_at = now(), idle_expires_at = now() + '14 days', access_expires_at = greatest(access_expires_at, now() + '15 min'), generation = generation + 1, live_hash = previous_hash, previous_hash = live_hash, salt = live_hash WHERE sid = '00000000-0000-4000-8000-000000000001' AND closed_at IS NULL
SQL

fill()
{
	psql -Xq -v ON_ERROR_STOP=1 -v n="$1" <<'SQL'
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

one()
{
	pgbench -n -M prepared -T 2 -D token=none -f "$1" 2>/dev/null |
		sed -n 's/^latency average = \([0-9.]*\) ms/\1/p'
}

median()
{
	sort -n "$1" | sed -n 4p
}

for n in 1000 "$sessions"
do
	fill "$n"
	rm -f refresh.out update.out
	for round in 1 2 3 4 5 6 7
	do
		one refresh.sql >>refresh.out
		one update.sql >>update.out
	done
	awk -v n="$n" -v r="$(median refresh.out)" -v u="$(median update.out)" 'BEGIN {
		printf "%d sessions: refresh %.3f ms, update %.3f ms, ratio %.2f\n", n, r, u, r / u }'
done
