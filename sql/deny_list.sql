-- The lists of revocations, looked at or passed by: what the filter in front
-- of them excludes is never on them, and nothing on them gets past it.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256', 'k1');
-- nobody else changes anything, and hardly a token is remembered
ALTER TABLE jwt.revoked_tokens SET (autovacuum_enabled = off);
ALTER TABLE jwt.revoked_subjects SET (autovacuum_enabled = off);
SET jwt_auth.cache_size = 16;

CREATE TEMP TABLE token AS
    SELECT n, jwt.sign(jsonb_build_object('sub', 's' || n, 'jti', 't' || n)) AS value FROM generate_series(1, 300) n;

-- How often the lists themselves were searched while those tokens were judged.
CREATE FUNCTION pg_temp.looks(first int, last int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint[];
    after bigint[];
    good bigint;
BEGIN
    SELECT array_agg(coalesce(idx_scan, 0) ORDER BY relname) INTO before
      FROM pg_stat_xact_all_tables WHERE schemaname = 'jwt' AND relname IN ('revoked_tokens', 'revoked_subjects');
    SELECT count(*) FILTER (WHERE pg_temp.verdict(value) = 'ok') INTO good FROM token WHERE n BETWEEN first AND last;
    SELECT array_agg(coalesce(idx_scan, 0) ORDER BY relname) INTO after
      FROM pg_stat_xact_all_tables WHERE schemaname = 'jwt' AND relname IN ('revoked_tokens', 'revoked_subjects');
    RETURN format('%s of %s good; subjects searched %s, tokens searched %s', good, last - first + 1,
        CASE after[1] - before[1] WHEN 0 THEN 'never' WHEN last - first + 1 THEN 'for each' ELSE 'sometimes' END,
        CASE after[2] - before[2] WHEN 0 THEN 'never' WHEN last - first + 1 THEN 'for each' ELSE 'sometimes' END);
END
$$;

-- nothing is revoked: once each, to see that there is no row
SELECT pg_temp.looks(1, 50);
SELECT pg_temp.looks(51, 100);

-- a few are: looks, until they have paid for the filter; then none
SELECT jwt.revoke(value) FROM token WHERE n = 1;
SELECT jwt.revoke_subject('s2');
SELECT pg_temp.looks(3, 5);
SELECT pg_temp.looks(3, 100);
SELECT pg_temp.looks(101, 150);
SELECT n, pg_temp.verdict(value) FROM token WHERE n <= 3;

-- a change that is heard makes it useless, until it is paid for again
SELECT jwt.revoke(value) FROM token WHERE n = 151;
SELECT jwt.revoke_subject('s152');
SELECT pg_temp.looks(151, 153);
SELECT pg_temp.looks(153, 200);
SELECT pg_temp.looks(201, 250);
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (1, 2, 3, 151, 152, 153);

-- what was rolled back is good again, and what was not stays
BEGIN;
SELECT jwt.revoke(value) FROM token WHERE n = 251;
SELECT pg_temp.verdict(value) FROM token WHERE n = 251;
SELECT pg_temp.looks(252, 290);
ROLLBACK;
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (151, 251);
SELECT pg_temp.looks(252, 300);
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (151, 251);

-- whatever wrote the rows, where they lie, and however often they moved
INSERT INTO jwt.revoked_tokens SELECT '', 'x' || n, 'infinity' FROM generate_series(1, 1000) n;
SELECT pg_temp.looks(253, 300);
INSERT INTO jwt.revoked_tokens VALUES ('', 't253', 'infinity');
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (253, 254);
SELECT count(*) FROM token, LATERAL jwt.try_verify(value) v WHERE n > 253 AND v.valid;
DELETE FROM jwt.revoked_tokens WHERE token_id = 't253';
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (253, 254);
SELECT count(*) FROM token, LATERAL jwt.try_verify(value) v WHERE n > 200 AND v.valid;
INSERT INTO jwt.revoked_tokens VALUES ('', 't255', 'infinity');
VACUUM FULL jwt.revoked_tokens;
SELECT count(*) FROM token, LATERAL jwt.try_verify(value) v WHERE n > 200 AND v.valid;
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (1, 151, 255, 256);
SELECT pg_temp.looks(256, 300);
DELETE FROM jwt.revoked_tokens;
VACUUM jwt.revoked_tokens;
SELECT n, pg_temp.verdict(value) FROM token WHERE n IN (1, 151, 255, 256);
INSERT INTO jwt.revoked_tokens SELECT '', 't' || n, 'infinity' FROM generate_series(257, 260) n;
SELECT count(*) FROM token, LATERAL jwt.try_verify(value) v WHERE n > 200 AND v.valid;
SELECT n, pg_temp.verdict(value) FROM token WHERE n BETWEEN 256 AND 261;

-- a name that is not stored where it stands: no filter then
INSERT INTO jwt.revoked_tokens VALUES (repeat('i', 2500), 'toasted', 'infinity');
SELECT pg_temp.looks(101, 150);
SELECT pg_temp.looks(101, 150);
DELETE FROM jwt.revoked_tokens WHERE token_id = 'toasted';
VACUUM jwt.revoked_tokens;
SELECT pg_temp.looks(101, 150);
SELECT pg_temp.looks(101, 150);

-- the name is issuer and id: neither alone, nor their letters otherwise cut
INSERT INTO jwt.revoked_tokens VALUES ('t', '101', 'infinity'), ('https://idp.example', 't102', 'infinity');
SELECT pg_temp.looks(101, 150);
SELECT pg_temp.looks(101, 150);

-- nor for a list that is not logged
ALTER TABLE jwt.revoked_tokens SET UNLOGGED;
SELECT pg_temp.looks(101, 150);
SELECT pg_temp.looks(101, 150);
INSERT INTO jwt.revoked_tokens VALUES ('', 't101', 'infinity');
SELECT pg_temp.looks(101, 150);

DROP EXTENSION jwt_auth;
