-- See verify_vs_pgcrypto.sh.

\set calls 2000
\set rounds 7

SET client_min_messages = warning;
CREATE EXTENSION jwt_auth;
CREATE EXTENSION pgcrypto;
CREATE SCHEMA drop_in;
CREATE EXTENSION jwt_auth_pgjwt SCHEMA drop_in;
SET max_parallel_workers_per_gather = 0;
-- 2,000 tokens in turn never meet a cache of 16.
SET jwt_auth.cache_size = 16;

SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', 'HS256', 'bench')) \g /dev/null
\set secret '0123456789abcdef0123456789abcdef'

CREATE TABLE tokens AS
    SELECT jwt.sign(jsonb_build_object('sub', gen_random_uuid(), 'role', 'web_user',
                'email', 'me@example.com', 'name', 'Somebody', 'tenant', gen_random_uuid(),
                'scope', 'notes:read notes:write profile'),
            'bench', '1 day') AS token
      FROM generate_series(1, :calls);
ANALYZE tokens;

\ir sql/peers.sql

CREATE TABLE contenders (name text PRIMARY KEY, same boolean, call text);
INSERT INTO contenders VALUES
    ('jwt.verify', false, 'jwt.verify(token)'),
    ('jwt.verify_with', false, $$jwt.verify_with(token, jwk)$$),
    ('pgcrypto', false, format('pgcrypto_verify(token, %L)', :'secret')),
    ('pgjwt', false, format($$(SELECT v.payload FROM pgjwt_verify(token, %L, 'HS256') v WHERE v.valid)$$, :'secret')),
    ('jwt_auth_pgjwt', false, format('(SELECT v.payload FROM drop_in.verify(token, %L) v WHERE v.valid)', :'secret')),
    ('jwt_auth_pgjwt, same token', true, format('(SELECT v.payload FROM drop_in.verify(token, %L) v WHERE v.valid)', :'secret')),
    ('pgjwt, same token', true, format($$(SELECT v.payload FROM pgjwt_verify(token, %L, 'HS256') v WHERE v.valid)$$, :'secret')),
    ('jwt.verify, same token', true, 'jwt.verify(token)'),
    ('jwt.verify_with, same token', true, 'jwt.verify_with(token, jwk)'),
    ('pgcrypto, same token', true, format('pgcrypto_verify(token, %L)', :'secret'));
CREATE TABLE times (name text, microseconds float8);

CREATE PROCEDURE measure(contender contenders) LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    calls bigint;
BEGIN
    began := clock_timestamp();
    EXECUTE format('SELECT count(%s) FROM %s CROSS JOIN (SELECT jwt.jwk_from_secret(%L) AS jwk OFFSET 0) k', contender.call,
            CASE WHEN contender.same
                 THEN 'generate_series(1, (SELECT count(*) FROM tokens)) CROSS JOIN (SELECT token FROM tokens LIMIT 1) t'
                 ELSE 'tokens' END, '0123456789abcdef0123456789abcdef')
       INTO calls;
    INSERT INTO times VALUES (contender.name,
        extract(epoch FROM clock_timestamp() - began) * 1000000 / calls);
END
$$;

-- A statement for each contender in each round, and one round to warm up.
SELECT format('CALL measure(%s)', quote_literal(c) || '::contenders') || CASE WHEN round = 0 THEN '; TRUNCATE times' ELSE '' END
  FROM generate_series(0, :rounds) round, contenders c
 ORDER BY round, c.name \gexec

SELECT format('token of %s bytes, %s calls a round, median of %s rounds', length(token), :calls, :rounds)
  FROM tokens LIMIT 1;
CREATE VIEW medians AS
    SELECT same, split_part(name, ',', 1) AS name,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY microseconds) AS median
      FROM times JOIN contenders USING (name)
     GROUP BY same, split_part(name, ',', 1);
SELECT format('%s %s %s µs; pgcrypto %s times, pgjwt %s times that',
            CASE WHEN m.same THEN 'the same token: ' ELSE 'distinct tokens:' END,
            rpad(m.name, 16), lpad(round(m.median::numeric, 2)::text, 8),
            lpad(round((p.median / m.median)::numeric, 1)::text, 5),
            lpad(round((j.median / m.median)::numeric, 1)::text, 5))
  FROM medians m JOIN medians p ON p.same = m.same AND p.name = 'pgcrypto'
                 JOIN medians j ON j.same = m.same AND j.name = 'pgjwt'
 ORDER BY m.same, m.median;
-- The claims: the drop-in against pgjwt; a token that comes again, as tokens do until they expire.
SELECT format('jwt_auth_pgjwt at least 8 times as fast as pgjwt: %s',
            CASE WHEN j.median / m.median >= 8 THEN 'yes' ELSE 'no' END)
  FROM medians m JOIN medians j ON j.same = m.same AND j.name = 'pgjwt'
 WHERE NOT m.same AND m.name = 'jwt_auth_pgjwt';
SELECT format('verify of a good token at least 8 times as fast as pgcrypto: %s',
            CASE WHEN p.median / m.median >= 8 THEN 'yes' ELSE 'no' END)
  FROM medians m JOIN medians p ON p.same AND p.name = 'pgcrypto'
 WHERE m.same AND m.name = 'jwt.verify';
