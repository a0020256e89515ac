-- What happens to keys, issuers, sessions and revocations leaves a row in
-- jwt.events: who and when, and nothing of a token.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
CREATE TEMP TABLE seen (id bigint);
-- The events since the last look.
CREATE FUNCTION pg_temp.news(OUT kind text, OUT issuer text, OUT kid text, OUT subject text, OUT detail text, OUT has_sid boolean, OUT by_me boolean)
    RETURNS SETOF record LANGUAGE sql AS $$
    WITH new AS (INSERT INTO seen SELECT e.id FROM jwt.events e WHERE e.id NOT IN (SELECT s.id FROM seen s) RETURNING id)
    SELECT e.kind, e.issuer, e.kid, e.subject, e.detail, e.sid IS NOT NULL,
           e.session_user_name = session_user AND e.at BETWEEN now() - interval '1 minute' AND clock_timestamp()
      FROM jwt.events e JOIN new USING (id) ORDER BY e.id
$$;
--
-- Keys
--
SELECT jwt.generate_key('HS256', 'k1');
SELECT jwt.import_key(jwt.jwk_from_secret(repeat('i', 32)), 'k2', status => 'standby');
SELECT jwt.rotate_key() AS rotated;
SELECT jwt.set_key_status('k1', 'revoked');
SELECT jwt.set_key_times('k2', NULL, 'infinity');
SELECT jwt.drop_key('k1');
SELECT * FROM pg_temp.news();
-- what fails is no event
SELECT pg_temp.try($$SELECT jwt.set_key_status('nosuch', 'revoked')$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('HS256', 'k2')$$);
SELECT * FROM pg_temp.news();
-- a set: what changes in it, and nothing if nothing does
\set first '{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
\set second '{"kty": "EC", "crv": "P-256", "kid": "b", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}'
SELECT jwt.import_jwks(format('{"keys": [%s, %s]}', :'first', :'second')::jsonb, 'https://idp.example');
SELECT * FROM pg_temp.news();
SELECT jwt.import_jwks(format('{"keys": [%s, %s]}', :'first', :'second')::jsonb, 'https://idp.example');
SELECT * FROM pg_temp.news();
SELECT jwt.import_jwks(format('{"keys": [%s]}', :'first')::jsonb, 'https://idp.example');
SELECT * FROM pg_temp.news();
--
-- Issuers
--
SELECT jwt.trust_issuer('https://idp.example', '{api}');
SELECT jwt.trust_issuer('https://idp.example', '{api, other}');
SELECT jwt.distrust_issuer('https://idp.example'), jwt.distrust_issuer('https://idp.example');
SELECT * FROM pg_temp.news();
--
-- Sessions
--
SELECT o->>'refresh_token' AS refresh, o->>'access_token' AS access FROM jwt.open_session('42') o \gset
SELECT * FROM pg_temp.news();
-- refreshing is none: a session that goes on
SELECT r->>'refresh_token' AS refresh2 FROM jwt.refresh(:'refresh') r \gset
SELECT * FROM pg_temp.news();
SET jwt_auth.refresh_reuse_interval = 0;
SELECT jwt.refresh(:'refresh')->>'error' AS error;
SELECT * FROM pg_temp.news();
RESET jwt_auth.refresh_reuse_interval;
-- the session is closed: no more of it
SELECT jwt.refresh(:'refresh')->>'error' AS error;
SELECT * FROM pg_temp.news();
SELECT jwt.close_session((jwt.verify(jwt.open_session('42')->>'access_token')->>'sid')::uuid);
SELECT jwt.open_session('43') ? 'access_token' AS opened;
SELECT jwt.close_sessions('43');
SELECT jwt.revoke(jwt.open_session('44')->>'access_token');
SELECT jwt.open_session('45') ? 'access_token' AS opened;
SELECT jwt.revoke_subject('45'), jwt.revoke_subject('46', 'https://idp.example');
SELECT jwt.revoke(jwt.sign('{"sub": "47"}'));
SELECT * FROM pg_temp.news();
SET jwt_auth.session_events = off;
SELECT jwt.open_session('48') ? 'access_token' AS opened;
RESET jwt_auth.session_events;
SELECT jwt.close_sessions('48');
SELECT * FROM pg_temp.news();
-- what is rolled back did not happen
BEGIN;
SELECT jwt.open_session('49') ? 'access_token' AS opened;
ROLLBACK;
SELECT * FROM pg_temp.news();
--
-- Somebody else
--
CREATE ROLE regress_jwt_opener;
GRANT EXECUTE ON FUNCTION jwt.open_session TO regress_jwt_opener;
SET SESSION AUTHORIZATION regress_jwt_opener;
SELECT jwt.open_session('50') ? 'access_token' AS opened;
SELECT pg_temp.try('SELECT count(*) FROM jwt.events');
RESET SESSION AUTHORIZATION;
SELECT kind, subject, session_user_name FROM jwt.events ORDER BY id DESC LIMIT 1;
-- no byte of a token
SELECT count(*) FROM jwt.events e WHERE e::text LIKE ANY (ARRAY['%eyJ%', '%jrt\_%', '%' || split_part(:'access', '.', 3) || '%', '%' || right(:'refresh', 20) || '%']);
--
-- Kept for jwt_auth.event_retention
--
SELECT jwt.purge() AS purged;
SELECT count(*) > 20 AS kept FROM jwt.events;
SET jwt_auth.event_retention = 0;
SELECT jwt.purge() > 20 AS purged;
SELECT count(*) FROM jwt.events;
RESET jwt_auth.event_retention;
DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_opener;
