-- One backend, for memory.sh: lines "CASE BYTES".  2,000 tokens a loop, for
-- all algorithms, good, expired, forged and malformed ones; a tenth of the
-- loops come before the first look.

SET client_min_messages = error;
SET max_parallel_workers_per_gather = 0;
CREATE EXTENSION jwt_auth;
CREATE SCHEMA growth;
SET search_path = growth, public;
SELECT jwt.generate_key(alg, alg) FROM unnest('{HS256,RS256,ES256,EdDSA}'::text[]) alg \g /dev/null
CREATE TABLE tokens AS
    WITH good AS (
        SELECT g, jwt.sign(jsonb_build_object('sub', g::text, 'role', 'web_user', 'pad', repeat('x', 200)),
                   CASE WHEN g % 50 = 0 THEN 'ES256' WHEN g % 50 = 1 THEN 'RS256' WHEN g % 50 = 2 THEN 'EdDSA' ELSE 'HS256' END,
                   CASE WHEN g % 8 = 1 THEN '-1 hour' ELSE '1 day' END::interval) AS token
          FROM generate_series(1, 2000) g)
    SELECT CASE g % 8 WHEN 3 THEN overlay(token PLACING 'AAAA' FROM length(token) - 20)
                      WHEN 5 THEN left(token, 40)
                      WHEN 7 THEN replace(token, '.', '.e30')
                      ELSE token END AS token
      FROM good;

CREATE FUNCTION contexts() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts';
CREATE FUNCTION resident() RETURNS bigint LANGUAGE sql
    AS $$SELECT substring(pg_read_file('/proc/self/status') FROM 'VmRSS:\s*(\d+)')::bigint * 1024$$;

CREATE FUNCTION verify_all(loops int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
    good bigint := 0;
BEGIN
    FOR i IN 1..loops LOOP
        SELECT count(*) FILTER (WHERE v.valid) INTO found FROM tokens t, LATERAL jwt.try_verify(t.token) v;
        good := good + found;
    END LOOP;
    RETURN good;
END
$$;

SELECT verify_all(greatest(:loops / 10, 1)) \g /dev/null
SELECT contexts(), resident() \g /dev/null
SELECT contexts() AS contexts_before, resident() AS resident_before \gset
SELECT verify_all(:loops) AS good \gset
SELECT contexts() AS contexts_after, resident() AS resident_after \gset
SELECT 'contexts', :contexts_after - :contexts_before;
SELECT 'resident', :resident_after - :resident_before;
SELECT 'good', :good;
SELECT 'all', :loops * 2000;
