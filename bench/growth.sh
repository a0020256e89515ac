#!/bin/sh
# What verify costs when the key store and the deny lists grow: microseconds a
# call for tokens not seen before, median of 7 rounds of 2,000 calls, with the
# token cache at its smallest.  The ratio is to the first line.

set -eu
cd "$(dirname "$0")/.."

[ -n "${JWT_AUTH_TMP:-}" ] || exec scripts/with_server.sh bench/growth.sh
psql -XqAt -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = error;
CREATE EXTENSION jwt_auth;
SET jwt_auth.cache_size = 16;
SELECT jwt.generate_key('HS256', 'own') \g /dev/null
CREATE TABLE tokens AS
	SELECT jwt.sign(jsonb_build_object('sub', g::text, 'email', 'user' || g || '@example.com', 'scope', 'read write', 'pad', repeat('x', 150)), expires_in => '1 day') AS t
	  FROM generate_series(1, 2000) g;
CREATE FUNCTION round() RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	PERFORM jwt.verify(t) FROM tokens;
	RETURN extract(epoch FROM clock_timestamp() - start) * 1e6 / 2000;
END $$;
CREATE TABLE results (id serial, what text, us double precision);
CREATE PROCEDURE measure(what text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM round();
	INSERT INTO results (what, us)
		SELECT measure.what, percentile_cont(0.5) WITHIN GROUP (ORDER BY r)
		  FROM (SELECT round() AS r FROM generate_series(1, 7)) s;
	RAISE NOTICE '%', measure.what;
END $$;
CALL measure('1 key, nothing revoked');
INSERT INTO jwt.key_store (issuer, kid, alg, kty, status, may_sign, secret)
	SELECT '', 'k' || g, 'HS256', 'oct', 'previous', true, sha256(g::text::bytea) FROM generate_series(1, 9999) g;
VACUUM ANALYZE jwt.key_store;
CALL measure('10,000 keys');
INSERT INTO jwt.revoked_tokens SELECT '', 'jti-' || g, now() + '1 day' FROM generate_series(1, 1000000) g;
VACUUM ANALYZE jwt.revoked_tokens;
CALL measure('10,000 keys, 1,000,000 tokens revoked');
INSERT INTO jwt.revoked_subjects SELECT '', 's-' || g, now() FROM generate_series(1, 1000000) g;
VACUUM ANALYZE jwt.revoked_subjects;
CALL measure('10,000 keys, 1,000,000 tokens and 1,000,000 subjects revoked');
SELECT format('%s us  %s  %s', to_char(us, '990.00'), to_char(us / first_value(us) OVER (ORDER BY id), '0.00'), what) FROM results ORDER BY id;
SQL
