-- Statistics without shared_preload_libraries.  PostgreSQL 15 and 16 collect
-- none, and a NOTICE says how to turn them on (stats.out); later ones collect
-- all the same (stats_1.out).
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
-- the tests before this one ran in the same database
SELECT jwt.stats_reset();
SET client_min_messages = notice;
SELECT jwt.stats_source();
SELECT jwt.import_key(jwt.jwk_from_secret(repeat('o', 32)), 'k1', status => 'current');
SELECT jwt.sign('{"sub": "42"}') AS token \gset
SELECT jwt.verify(:'token')->>'sub' FROM generate_series(1, 3);
SELECT (jwt.try_verify(:'token' || 'A')).error_code;
SELECT (jwt.try_verify('x')).error_code FROM generate_series(1, 2);
SELECT (jwt.verify_with(jwt.sign_with('{"sub": "7"}', j), j))->>'sub' FROM jwt.jwk_from_secret(repeat('k', 32)) j;
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', 'not a token'));
SELECT issuer, kid, alg, signed, verified, cache_hits, cache_evicted, rejected, rejected_by_code, refreshed, refresh_refused, replays, sessions_opened, sessions_closed,
       since <= now() AS since, last_used_at <= now() AS used, last_rejected_at <= now() AS refused
  FROM jwt.stats ORDER BY issuer NULLS FIRST, kid;
SELECT jwt.stats_reset();
SELECT count(*) FROM jwt.stats;
-- who may
CREATE ROLE regress_jwt_watcher IN ROLE pg_read_all_stats;
CREATE ROLE regress_jwt_somebody IN ROLE pg_read_all_data;
SET ROLE regress_jwt_watcher;
SELECT count(*) FROM jwt.stats;
SELECT pg_temp.try('SELECT jwt.stats_reset()');
SET ROLE regress_jwt_somebody;
SELECT pg_temp.try('SELECT count(*) FROM jwt.stats');
RESET ROLE;
GRANT EXECUTE ON FUNCTION jwt.stats_reset() TO regress_jwt_watcher;
SET ROLE regress_jwt_watcher;
SELECT jwt.stats_reset();
RESET ROLE;
-- a view, for reading
SELECT pg_temp.try('DELETE FROM jwt.stats');
SELECT pg_temp.try($$INSERT INTO jwt.stats (kid) VALUES ('x')$$);
-- the settings
SELECT pg_temp.try($$SET jwt_auth.track_stats = 'maybe'$$);
SET jwt_auth.track_stats = off;
SELECT jwt.verify(:'token')->>'sub';
SELECT count(*) FROM jwt.stats;
RESET jwt_auth.track_stats;
DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_watcher, regress_jwt_somebody;
