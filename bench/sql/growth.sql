-- Once a database, for growth.sh.

SET client_min_messages = error;
\ir measure.sql
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256', 'own') \g /dev/null
SELECT :'database' = 'keys' AS keys, :'database' = 'revocations' AS revocations, :'database' = 'sessions' AS sessions \gset

\if :keys
    INSERT INTO jwt.key_store (issuer, kid, alg, kty, status, may_sign, secret)
        SELECT '', 'k' || g, 'HS256', 'oct', 'previous', true, sha256(g::text::bytea) FROM generate_series(1, 9999) g;
\endif
\if :revocations
    INSERT INTO jwt.revoked_tokens SELECT '', 'jti-' || g, now() + '1 day' FROM generate_series(1, :many) g;
    INSERT INTO jwt.revoked_subjects (issuer, subject, revoked_at) SELECT '', 's-' || g, now() FROM generate_series(1, :many) g;
\endif
\if :sessions
    INSERT INTO jwt.session_store (sid, subject, claims, opened_at, expires_at, refreshed_at, idle_expires_at, access_expires_at, generation, live_hash, previous_hash, salt, tag_key)
        SELECT gen_random_uuid(), 's' || g, '{}', now(), now() + '90 days', now(), now() + '14 days', now() + '15 min', 1, h, h, h, h
          FROM generate_series(1, :many) g, sha256('x') h;
\endif

CREATE TABLE session AS SELECT jwt.open_session('42', '{"role": "web_user"}') AS s;
CREATE TABLE tokens AS
    SELECT jwt.sign(claims, expires_in => '1 day') AS token,
           jwt.sign(claims || jsonb_build_object('sid', sid), expires_in => '1 day') AS session_token
      FROM generate_series(1, 1000) g, (SELECT sid FROM jwt.sessions WHERE subject = '42') s,
           LATERAL (SELECT jsonb_build_object('sub', g::text, 'email', 'user' || g || '@example.com', 'scope', 'read write', 'pad', repeat('x', 150)) AS claims) c;
VACUUM ANALYZE;

-- A refresh that is not committed; all of a call in one transaction.
CREATE FUNCTION refresh_often(times int) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    began double precision;
    token text := jwt.open_session('43') ->> 'refresh_token';
BEGIN
    token := jwt.refresh(token) ->> 'refresh_token';
    began := bench.clock();
    FOR i IN 1..times LOOP
        token := jwt.refresh(token) ->> 'refresh_token';
    END LOOP;
    RETURN round(((bench.clock() - began) / times)::numeric);
END
$$;
