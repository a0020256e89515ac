-- Sessions: open, refresh, replay, close, revoke, purge, the claims hook.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;

-- no key, no session
SELECT pg_temp.try($$SELECT jwt.open_session('42')$$);
SELECT count(*) FROM jwt.sessions;
SELECT jwt.generate_key('HS256', 'k');
-- the sid of an access token, whatever has become of it
CREATE FUNCTION pg_temp.sid(token text) RETURNS uuid LANGUAGE sql AS $$
    SELECT ((jwt.decode_unverified(token)).claims->>'sid')::uuid
$$;
-- an OAuth answer without the tokens in it
CREATE FUNCTION pg_temp.shape(answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT CASE WHEN answer ? 'error' THEN answer - 'error_description'
                ELSE answer - 'access_token' - 'refresh_token'
                     || jsonb_build_object('tokens', answer ?& '{access_token,refresh_token}') END
$$;

--
-- Open: RFC 6749, section 5.1
--
SELECT jwt.open_session('42', '{"role":"web","scope":"read"}', '{"ip":"192.0.2.1"}') AS s \gset
SELECT pg_temp.shape(:'s');
SELECT :'s'::jsonb->>'access_token' AS access, :'s'::jsonb->>'refresh_token' AS refresh \gset
SELECT c - 'iat' - 'exp' - 'jti' - 'sid' - 'auth_time' AS claims, (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime,
       c->>'auth_time' = c->>'iat' AS now, (c->>'sid')::uuid IS NOT NULL AS sid
  FROM jwt.verify(:'access') c;
SELECT :'refresh' !~ '[^A-Za-z0-9_-]' AS url_safe, strpos(:'refresh', '.') AS dots;
SELECT subject, claims, client, is_open, generation, closed_at, closed_why, expires_at - refreshed_at AS idle,
       absolute_expires_at - opened_at AS absolute, sid = pg_temp.sid(:'access') AS same
  FROM jwt.sessions;
-- what is stored opens nothing
SELECT count(*) FILTER (WHERE strpos(row::text, :'refresh') > 0 OR strpos(row::text, :'access') > 0) AS leaks
  FROM jwt.session_store row;
SELECT jwt.open_session('42', claims => '{}') ? 'access_token' AS ok, jwt.open_session('42', client => NULL) ? 'access_token' AS ok;
-- what is not for the caller to set
SELECT claims, pg_temp.try(format('SELECT jwt.open_session(''42'', %L) ? ''access_token''', claims))
  FROM (VALUES ('{"iss":"x"}'), ('{"sub":"root"}'), ('{"sid":"x"}'), ('{"auth_time":1}'), ('{"iat":1}'), ('{"exp":1}'), ('{"jti":"x"}'),
               ('{"nbf":1}'), ('{"aud":"api"}'), ('{"aud":1}'), ('[]'), ('null')) v (claims);
SELECT pg_temp.try('SELECT jwt.open_session(NULL)');
SELECT pg_temp.try($$SELECT jwt.open_session('')$$);
SELECT pg_temp.try($$SELECT jwt.open_session('42', NULL)$$);
SELECT pg_temp.try($$SELECT jwt.open_session(repeat('x', 1025))$$);
-- tokens of a session are for our own audience, unless the claims say for whom
SET jwt_auth.audience = 'api';
SELECT claims, jwt.verify(s->>'access_token')->'aud' AS opened, jwt.verify(jwt.refresh(s->>'refresh_token')->>'access_token')->'aud' AS refreshed
  FROM (VALUES ('{}'::jsonb), ('{"aud":"api"}'), ('{"aud":["web","api"]}')) v (claims), jwt.open_session('42', claims) s;
SELECT pg_temp.verdict(jwt.open_session('42', '{"aud":"web"}')->>'access_token') AS for_another, pg_temp.verdict(jwt.sign('{"sub":"42"}')) AS sign_as_it_is_told;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT jwt.impersonate('{"sub":"42"}')->'aud' AS impersonated;
SELECT pg_temp.try($$SELECT jwt.impersonate('{"sub":"42","aud":"web"}')->'aud'$$) AS for_another;
ROLLBACK;
SET jwt_auth.audience = '';
SELECT jwt.verify(jwt.open_session('42')->>'access_token') ? 'aud' AS aud;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT jwt.impersonate('{"sub":"42"}') ? 'aud' AS aud;
ROLLBACK;
RESET jwt_auth.audience;
-- lifetimes
SET jwt_auth.access_token_lifetime = '1min';
SET jwt_auth.refresh_token_lifetime = '1h';
SET jwt_auth.session_lifetime = '1d';
SELECT pg_temp.shape(jwt.open_session('42'));
SET jwt_auth.session_lifetime = '30s';
SELECT pg_temp.shape(jwt.open_session('42'));
RESET jwt_auth.access_token_lifetime;
RESET jwt_auth.refresh_token_lifetime;
RESET jwt_auth.session_lifetime;

--
-- Refresh rotates; a replay closes
--
SET jwt_auth.refresh_reuse_interval = 0;
SELECT jwt.refresh(:'refresh') AS r2 \gset
SELECT pg_temp.shape(:'r2');
SELECT :'r2'::jsonb->>'access_token' AS access2, :'r2'::jsonb->>'refresh_token' AS refresh2 \gset
SELECT :'refresh2' <> :'refresh' AS rotated, pg_temp.sid(:'access2') = pg_temp.sid(:'access') AS same_session,
       jwt.verify(:'access2')->'jti' <> jwt.verify(:'access')->'jti' AS new_jti,
       jwt.verify(:'access2')->'auth_time' = jwt.verify(:'access')->'auth_time' AS same_auth_time,
       jwt.verify(:'access2')->'role' AS role;
SELECT generation, client, is_open FROM jwt.sessions WHERE sid = pg_temp.sid(:'access');
SELECT jwt.refresh(:'refresh2', '{"ip":"192.0.2.2"}') AS r3 \gset
SELECT :'r3'::jsonb->>'refresh_token' AS refresh3 \gset
SELECT generation, client, is_open FROM jwt.sessions WHERE sid = pg_temp.sid(:'access');
-- the predecessor comes again: both the thief and the owner are out
SELECT pg_temp.verdict(:'access2');
SELECT jwt.refresh(:'refresh2');
SELECT is_open, closed_why FROM jwt.sessions WHERE sid = pg_temp.sid(:'access');
SELECT jwt.refresh(:'refresh3');
SELECT pg_temp.words(:'access'), pg_temp.words(:'access2'), pg_temp.verdict(:'r3'::jsonb->>'access_token');
-- one that is two generations old is a replay, whatever the interval
RESET jwt_auth.refresh_reuse_interval;
SELECT jwt.open_session('42')->>'refresh_token' AS t1 \gset
SELECT jwt.refresh(:'t1')->>'refresh_token' AS t2 \gset
SELECT jwt.refresh(:'t2')->>'refresh_token' AS t3 \gset
SELECT pg_temp.shape(jwt.refresh(:'t1'));
SELECT pg_temp.shape(jwt.refresh(:'t3'));
-- sent again within the interval: the same successor, byte for byte, and a new access token
SELECT jwt.open_session('42') AS s \gset
SELECT :'s'::jsonb->>'refresh_token' AS t1, pg_temp.sid(:'s'::jsonb->>'access_token') AS sid \gset
SELECT jwt.refresh(:'t1') AS a \gset
SELECT jwt.refresh(:'t1') AS b \gset
SELECT :'a'::jsonb->'refresh_token' = :'b'::jsonb->'refresh_token' AS same_successor,
       :'a'::jsonb->'access_token' <> :'b'::jsonb->'access_token' AS other_access_token,
       pg_temp.verdict(:'a'::jsonb->>'access_token'), pg_temp.verdict(:'b'::jsonb->>'access_token');
SELECT generation, is_open FROM jwt.sessions WHERE sid = :'sid';
-- what it says of its client counts, too
SELECT jwt.refresh(:'t1', '{"tab":2}') ? 'access_token' AS ok;
SELECT client FROM jwt.sessions WHERE sid = :'sid';
-- the window counts from the rotation and does not slide
SET jwt_auth.refresh_reuse_interval = '100s';
UPDATE jwt.session_store SET refreshed_at = refreshed_at - interval '70 seconds' WHERE sid = :'sid';
SELECT jwt.refresh(:'t1')->'refresh_token' = :'a'::jsonb->'refresh_token' AS same_successor;
UPDATE jwt.session_store SET refreshed_at = refreshed_at - interval '31 seconds' WHERE sid = :'sid';
SELECT pg_temp.shape(jwt.refresh(:'t1'));
SELECT is_open, closed_why FROM jwt.sessions WHERE sid = :'sid';
-- by the real clock: for one statement that began before the window closed, and comes after it, it is closed
CREATE FUNCTION pg_temp.again(token text, closes interval) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    first jsonb := jwt.refresh(token);
    second jsonb;
BEGIN
    PERFORM pg_sleep(0.01);
    -- 0: half-way between the statement's beginning and now
    UPDATE jwt.session_store SET refreshed_at = statement_timestamp() + (clock_timestamp() - statement_timestamp()) / 2 + closes - interval '100 seconds'
     WHERE sid = pg_temp.sid(first->>'access_token');
    second := jwt.refresh(token);
    RETURN pg_temp.shape(second) - 'refresh_expires_in' || jsonb_build_object('same_successor', first->'refresh_token' = second->'refresh_token');
END
$$;
SELECT pg_temp.again(jwt.open_session('42')->>'refresh_token', '50 seconds') AS in_time;
SELECT pg_temp.again(jwt.open_session('42')->>'refresh_token', '0') AS late;
RESET jwt_auth.refresh_reuse_interval;
-- no token of ours: no effect at all
SELECT jwt.open_session('42') AS s \gset
SELECT :'s'::jsonb->>'refresh_token' AS t1, :'s'::jsonb->>'access_token' AS access \gset
SELECT what, jwt.refresh(token)->>'error' AS error
  FROM (VALUES ('null', NULL), ('empty', ''), ('junk', 'junk'), ('an access token', :'access'), ('cut', left(:'t1', -1)), ('longer', :'t1' || 'A'),
               ('tag changed', left(:'t1', -2) || CASE WHEN right(:'t1', 2) = 'AA' THEN 'BA' ELSE 'AA' END),
               ('secret changed', overlay(:'t1' placing CASE WHEN substr(:'t1', 40, 1) = 'A' THEN 'B' ELSE 'A' END from 40)),
               ('generation changed', overlay(:'t1' placing CASE WHEN substr(:'t1', 25, 1) = 'A' THEN 'B' ELSE 'A' END from 25)),
               ('space', ' ' || :'t1'), ('1 MB', repeat('A', 1048576))) v (what, token);
SELECT is_open, generation FROM jwt.sessions WHERE sid = pg_temp.sid(:'access');
SELECT pg_temp.shape(jwt.refresh(:'t1'));
SELECT jwt.refresh(NULL);

--
-- Limits: age the row
--
SELECT jwt.open_session('42') AS s \gset
SELECT :'s'::jsonb->>'refresh_token' AS t1, :'s'::jsonb->>'access_token' AS access, pg_temp.sid(:'s'::jsonb->>'access_token') AS sid \gset
BEGIN;
UPDATE jwt.session_store SET idle_expires_at = now() + interval '1 minute' WHERE sid = :'sid';
SELECT pg_temp.shape(jwt.refresh(:'t1'));
SELECT expires_at - refreshed_at AS idle_again FROM jwt.sessions WHERE sid = :'sid';
ROLLBACK;
BEGIN;
UPDATE jwt.session_store SET idle_expires_at = now() - interval '1 second' WHERE sid = :'sid';
SELECT pg_temp.shape(jwt.refresh(:'t1'));
SELECT is_open, closed_at FROM jwt.sessions WHERE sid = :'sid';
-- the access token lives on until it expires
SELECT pg_temp.verdict(:'access');
ROLLBACK;
-- by the real clock, too: a statement that began before the limit ends there
CREATE FUNCTION pg_temp.late(sid uuid, token text, ends interval) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.01);
    UPDATE jwt.session_store s SET idle_expires_at = statement_timestamp() + (clock_timestamp() - statement_timestamp()) / 2 + ends WHERE s.sid = late.sid;
    RETURN pg_temp.shape(jwt.refresh(token)) - 'refresh_expires_in';
END
$$;
BEGIN;
SELECT pg_temp.late(:'sid', :'t1', '0') AS late, pg_temp.late(:'sid', :'t1', '1 minute') AS in_time;
ROLLBACK;
BEGIN;
UPDATE jwt.session_store SET expires_at = now() + interval '1 minute' WHERE sid = :'sid';
SELECT (r->>'expires_in')::int BETWEEN 50 AND 60 AS expires_in, (r->>'refresh_expires_in')::int BETWEEN 50 AND 60 AS refresh_expires_in
  FROM jwt.refresh(:'t1') r;
SELECT absolute_expires_at - now() AS not_extended, expires_at - now() AS expires FROM jwt.sessions WHERE sid = :'sid';
ROLLBACK;
BEGIN;
UPDATE jwt.session_store SET expires_at = now() - interval '1 second' WHERE sid = :'sid';
SELECT pg_temp.shape(jwt.refresh(:'t1'));
ROLLBACK;
SELECT pg_temp.shape(jwt.refresh(:'t1'));

--
-- Logout
--
SELECT jwt.open_session('7') AS a, jwt.open_session('7') AS b, jwt.open_session('7') AS c, jwt.open_session('8') AS d \gset
SELECT jwt.close_session(pg_temp.sid(:'a'::jsonb->>'access_token'));
SELECT jwt.close_session(pg_temp.sid(:'a'::jsonb->>'access_token')) AS again, jwt.close_session(NULL) AS none,
       jwt.close_session('9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b') AS unknown;
SELECT pg_temp.verdict(:'a'::jsonb->>'access_token') AS a, pg_temp.verdict(:'b'::jsonb->>'access_token') AS b;
SELECT pg_temp.shape(jwt.refresh(:'a'::jsonb->>'refresh_token'));
SELECT jwt.close_sessions('7'), jwt.close_sessions('7') AS again, jwt.close_sessions('nobody') AS nobody;
SELECT pg_temp.verdict(:'b'::jsonb->>'access_token') AS b, pg_temp.verdict(:'c'::jsonb->>'access_token') AS c,
       pg_temp.verdict(:'d'::jsonb->>'access_token') AS d;
SELECT closed_why, count(*) FROM jwt.sessions WHERE subject = '7' GROUP BY 1;
SELECT pg_temp.try('SELECT jwt.close_sessions(NULL)');
-- an absent row refuses nobody: a replica that lags
BEGIN;
DELETE FROM jwt.session_store WHERE subject = '8';
SELECT pg_temp.verdict(:'d'::jsonb->>'access_token') AS d, jwt.refresh(:'d'::jsonb->>'refresh_token')->>'error' AS refresh;
ROLLBACK;
SELECT pg_temp.verdict(:'d'::jsonb->>'access_token') AS d;

--
-- revoke: RFC 7009
--
SELECT jwt.open_session('9') AS a, jwt.open_session('9') AS b, jwt.sign('{"sub":"9"}') AS single, jwt.sign('{"sub":"9","jti":"other"}') AS other,
       jwt.sign('{"sub":"9"}', expires_in => '-1 minute') AS expired \gset
SELECT jwt.revoke(:'a'::jsonb->>'access_token') AS by_access, jwt.revoke(:'b'::jsonb->>'refresh_token') AS by_refresh, jwt.revoke(:'single') AS single;
SELECT pg_temp.verdict(:'a'::jsonb->>'access_token') AS a, pg_temp.shape(jwt.refresh(:'a'::jsonb->>'refresh_token')) AS refresh_a,
       pg_temp.verdict(:'b'::jsonb->>'access_token') AS b, pg_temp.verdict(:'single') AS single, pg_temp.verdict(:'other') AS other;
SELECT pg_temp.words(:'single');
SELECT jwt.revoke(:'a'::jsonb->>'access_token') AS again, jwt.revoke(:'b'::jsonb->>'refresh_token') AS again, jwt.revoke(:'single') AS again;
SELECT jwt.revoke(NULL) AS null, jwt.revoke('') AS empty, jwt.revoke('junk') AS junk, jwt.revoke('a.b.c') AS dots,
       jwt.revoke(:'other' || 'AA') AS malformed, jwt.revoke(regexp_replace(:'other', '[^.]*$', repeat('A', 43))) AS forged, jwt.revoke(:'expired') AS expired;
SELECT pg_temp.verdict(:'other') AS other;
-- a spent refresh token is genuine, too
SELECT jwt.open_session('9') AS a \gset
SELECT jwt.refresh(:'a'::jsonb->>'refresh_token') IS NOT NULL AS refreshed, jwt.revoke(:'a'::jsonb->>'refresh_token') AS revoked;
-- a token without jti can be revoked by its bytes
SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'raw'), status => 'previous');
SELECT pg_temp.forge('{"alg":"HS256","kid":"raw"}', '{"exp":4000000000,"x":1}', '0123456789abcdef0123456789abcdef') AS one,
       pg_temp.forge('{"alg":"HS256","kid":"raw"}', '{"exp":4000000000,"x":2}', '0123456789abcdef0123456789abcdef') AS two \gset
SELECT jwt.revoke(:'one'), pg_temp.verdict(:'one') AS one, pg_temp.verdict(:'two') AS two;

--
-- revoke_subject: everything until now, and nothing after
--
SELECT jwt.open_session('10') AS s, jwt.sign('{"sub":"10"}') AS before, jwt.sign('{"sub":"11"}') AS neighbour,
       jwt.sign(jsonb_build_object('sub', '10', 'iat', pg_temp.epoch(-3600))) AS old,
       pg_temp.forge('{"alg":"HS256","kid":"raw"}', '{"exp":4000000000,"sub":"10"}', '0123456789abcdef0123456789abcdef') AS undated \gset
SELECT pg_temp.verdict(:'s'::jsonb->>'access_token') AS session, pg_temp.verdict(:'before') AS before, pg_temp.verdict(:'old') AS old, pg_temp.verdict(:'undated') AS undated;
SELECT jwt.revoke_subject('10');
SELECT jwt.sign('{"sub":"10"}') AS after, jwt.open_session('10') AS s2 \gset
SELECT pg_temp.verdict(:'s'::jsonb->>'access_token') AS session, pg_temp.verdict(:'before') AS before, pg_temp.verdict(:'old') AS old,
       pg_temp.verdict(:'undated') AS undated, pg_temp.verdict(:'neighbour') AS neighbour, pg_temp.verdict(:'after') AS after,
       pg_temp.verdict(:'s2'::jsonb->>'access_token') AS session2;
SELECT pg_temp.shape(jwt.refresh(:'s'::jsonb->>'refresh_token')) AS old, pg_temp.shape(jwt.refresh(:'s2'::jsonb->>'refresh_token')) AS new;
SELECT closed_why FROM jwt.sessions WHERE subject = '10' AND NOT is_open;
-- all in one transaction
BEGIN;
SELECT jwt.sign('{"sub":"10"}') AS before \gset
SELECT jwt.revoke_subject('10');
SELECT jwt.sign('{"sub":"10"}') AS after \gset
SELECT pg_temp.verdict(:'before') AS before, pg_temp.verdict(:'after') AS after;
ROLLBACK;
-- all in one statement: what was signed since it began is good in it
CREATE FUNCTION pg_temp.change_password(subject text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    access text;
    single text;
BEGIN
    PERFORM pg_sleep(0.001);
    PERFORM jwt.revoke_subject(subject);
    access := jwt.open_session(subject)->>'access_token';
    single := jwt.sign(jsonb_build_object('sub', subject));
    PERFORM jwt.authenticate(access);
    RETURN concat_ws(' ', jwt.subject(), pg_temp.verdict(single), pg_temp.verdict(single, as_of => statement_timestamp()));
END
$$;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT pg_temp.change_password('10'), jwt.subject();
SELECT jwt.subject();
ROLLBACK;
BEGIN;
SELECT jwt.revoke_subject('10') \; SELECT pg_temp.verdict(jwt.open_session('10')->>'access_token') AS session, pg_temp.verdict(jwt.sign('{"sub":"10"}')) AS single;
ROLLBACK;
SELECT jwt.revoke_subject('nobody') AS nobody;
SELECT pg_temp.try('SELECT jwt.revoke_subject(NULL)');
SELECT pg_temp.try($$SELECT jwt.revoke_subject('')$$);

--
-- max_sessions: the oldest closes
--
SET jwt_auth.max_sessions = 2;
SELECT pg_temp.sid(jwt.open_session('13')->>'access_token') AS first \gset
SELECT pg_temp.sid(jwt.open_session('13')->>'access_token') AS second \gset
SELECT count(*) FILTER (WHERE is_open) AS open FROM jwt.sessions WHERE subject = '13';
SELECT pg_temp.sid(jwt.open_session('13')->>'access_token') AS third \gset
SELECT CASE sid WHEN :'first' THEN 1 WHEN :'second' THEN 2 ELSE 3 END AS session, is_open, closed_why FROM jwt.sessions WHERE subject = '13' ORDER BY 1;
SELECT count(*) FILTER (WHERE is_open) > 2 AS others_untouched FROM jwt.sessions WHERE subject = '42';
-- one that is over its limits takes nobody's place, and is left as it is
UPDATE jwt.session_store SET idle_expires_at = now() - interval '1 second' WHERE sid = :'third';
SELECT pg_temp.sid(jwt.open_session('13')->>'access_token') AS fourth \gset
SELECT CASE sid WHEN :'first' THEN 1 WHEN :'second' THEN 2 WHEN :'third' THEN 3 ELSE 4 END AS session, is_open, closed_why FROM jwt.sessions WHERE subject = '13' ORDER BY 1;
SELECT pg_temp.sid(jwt.open_session('13')->>'access_token') AS fifth \gset
SELECT CASE sid WHEN :'first' THEN 1 WHEN :'second' THEN 2 WHEN :'third' THEN 3 WHEN :'fourth' THEN 4 ELSE 5 END AS session, is_open, closed_why FROM jwt.sessions WHERE subject = '13' ORDER BY 1;
RESET jwt_auth.max_sessions;
-- nor does it count as open, though its access tokens end with the others'
SELECT jwt.open_session('13') AS s \gset
UPDATE jwt.session_store SET expires_at = now() - interval '1 second' WHERE sid = pg_temp.sid(:'s'::jsonb->>'access_token');
SELECT pg_temp.verdict(:'s'::jsonb->>'access_token') AS before;
SELECT jwt.close_sessions('13') AS were_open;
SELECT pg_temp.verdict(:'s'::jsonb->>'access_token') AS after;

--
-- claims_hook
--
CREATE SCHEMA regress_jwt;
CREATE TABLE regress_jwt.users (name text PRIMARY KEY, answer jsonb);
INSERT INTO regress_jwt.users VALUES ('14', '{"role":"web","seen":true}');
CREATE FUNCTION regress_jwt.hook(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE sql
    AS 'SELECT CASE WHEN sid IS NOT NULL THEN (SELECT CASE WHEN answer = ''"same"'' THEN claims ELSE answer END FROM regress_jwt.users WHERE name = subject) END';
SET jwt_auth.claims_hook = 'regress_jwt.hook';
SELECT jwt.open_session('14', '{"role":"admin","dropped":1}') AS s \gset
SELECT jwt.verify(:'s'::jsonb->>'access_token') - 'iat' - 'exp' - 'jti' - 'sid' - 'auth_time' AS claims;
SELECT claims FROM jwt.sessions WHERE subject = '14';
UPDATE regress_jwt.users SET answer = '"same"';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token') AS s \gset
SELECT jwt.verify(:'s'::jsonb->>'access_token') - 'iat' - 'exp' - 'jti' - 'sid' - 'auth_time' AS claims;
UPDATE regress_jwt.users SET answer = '{}';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token') AS s \gset
SELECT jwt.verify(:'s'::jsonb->>'access_token') - 'iat' - 'exp' - 'jti' - 'sid' - 'auth_time' AS claims;
-- it may say for whom
SET jwt_auth.audience = 'api';
UPDATE regress_jwt.users SET answer = '{"aud":["api","web"]}';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token') AS s \gset
SELECT jwt.verify(:'s'::jsonb->>'access_token')->'aud' AS aud;
RESET jwt_auth.audience;
-- it may not say who
SELECT answer, pg_temp.try(format('WITH u AS (UPDATE regress_jwt.users SET answer = %L RETURNING 1) SELECT count(*) FROM u', answer)),
       pg_temp.try(format('SELECT jwt.refresh(%L) ? ''access_token''', :'s'::jsonb->>'refresh_token'))
  FROM (VALUES ('{"sub":"root"}'), ('{"iss":"x"}'), ('{"sid":"x"}'), ('{"auth_time":1}'), ('{"iat":1}'), ('{"exp":1}'), ('{"jti":"x"}'), ('[]'), ('null')) v (answer);
-- an error of its own spends no token
CREATE OR REPLACE FUNCTION regress_jwt.hook(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''no''; END';
SELECT pg_temp.try(format('SELECT jwt.refresh(%L)', :'s'::jsonb->>'refresh_token'));
SELECT pg_temp.try($$SELECT jwt.open_session('14')$$);
-- set but not there: no token
SELECT hook, pg_temp.try(format('SELECT set_config(''jwt_auth.claims_hook'', %L, false) = ''''', hook)), pg_temp.try($$SELECT jwt.open_session('14')$$),
       pg_temp.try(format('SELECT jwt.refresh(%L)', :'s'::jsonb->>'refresh_token'))
  FROM (VALUES ('regress_jwt.nosuch'), ('nosuch.hook'), ('hook'), ('a.b.c'), ('regress_jwt.hook('), ('pg_catalog.now')) v (hook);
-- null refuses, and closes
CREATE OR REPLACE FUNCTION regress_jwt.hook(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE sql
    AS 'SELECT NULL::jsonb';
SET jwt_auth.claims_hook = 'regress_jwt.hook';
SELECT count(*) AS before FROM jwt.sessions \gset
SELECT pg_temp.shape(jwt.open_session('14'));
SELECT count(*) - :before AS opened FROM jwt.sessions;
SELECT pg_temp.shape(jwt.refresh(:'s'::jsonb->>'refresh_token'));
SELECT is_open, closed_why FROM jwt.sessions WHERE subject = '14';
-- it runs as the caller, who needs EXECUTE on it
CREATE ROLE regress_jwt_caller;
GRANT USAGE ON SCHEMA regress_jwt TO regress_jwt_caller;
GRANT EXECUTE ON FUNCTION jwt.open_session(text, jsonb, jsonb), jwt.refresh(text, jsonb) TO regress_jwt_caller;
CREATE OR REPLACE FUNCTION regress_jwt.hook(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE sql
    AS 'SELECT jsonb_build_object(''caller'', current_user, ''path'', current_setting(''search_path''))';
REVOKE EXECUTE ON FUNCTION regress_jwt.hook(text, uuid, jsonb) FROM PUBLIC;
SET SESSION AUTHORIZATION regress_jwt_caller;
SELECT pg_temp.try($$SELECT jwt.open_session('15')$$);
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION regress_jwt.hook(text, uuid, jsonb) TO regress_jwt_caller;
SET SESSION AUTHORIZATION regress_jwt_caller;
SELECT jwt.open_session('15') AS s \gset
SELECT jwt.verify(:'s'::jsonb->>'access_token')->'caller' AS caller, jwt.verify(jwt.refresh(:'s'::jsonb->>'refresh_token')->>'access_token')->'path' AS path;
RESET SESSION AUTHORIZATION;
RESET jwt_auth.claims_hook;
REVOKE EXECUTE ON FUNCTION jwt.open_session(text, jsonb, jsonb), jwt.refresh(text, jsonb) FROM regress_jwt_caller;

--
-- my_sessions and close_my_session: one's own, and those of our issuer alone
--
SELECT jwt.open_session('16', client => '{"device":"phone"}') AS a, jwt.open_session('16', client => '{"device":"desk"}') AS b, jwt.open_session('17') AS c \gset
SET SESSION AUTHORIZATION regress_jwt_caller;
SELECT count(*) FROM jwt.my_sessions;
SELECT jwt.close_my_session(pg_temp.sid(:'a'::jsonb->>'access_token'));
SELECT pg_temp.try('SELECT count(*) FROM jwt.sessions');
BEGIN;
SELECT jwt.authenticate(:'a'::jsonb->>'access_token')->>'sub' AS sub;
SELECT client, is_open, is_this FROM jwt.my_sessions ORDER BY client->>'device';
SELECT jwt.close_my_session(pg_temp.sid(:'c'::jsonb->>'access_token')) AS of_another, jwt.close_my_session(NULL) AS none,
       jwt.close_my_session('9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b') AS unknown, jwt.close_my_session(pg_temp.sid(:'b'::jsonb->>'access_token')) AS mine;
SELECT client, is_open, is_this FROM jwt.my_sessions ORDER BY client->>'device';
COMMIT;
SELECT pg_temp.verdict(:'a'::jsonb->>'access_token') AS a, pg_temp.verdict(:'b'::jsonb->>'access_token') AS b, pg_temp.verdict(:'c'::jsonb->>'access_token') AS c;
-- one's own present session: and then one is nobody
BEGIN;
SELECT jwt.authenticate(:'a'::jsonb->>'access_token')->>'sub' AS sub;
SELECT jwt.close_my_session(jwt.session_id());
SELECT pg_temp.try('SELECT count(*) FROM jwt.my_sessions');
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- a gateway's word, or another issuer's, opens no list
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => '1');
SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'raw'), issuer => 'https://idp.example');
SELECT pg_temp.forge('{"alg":"HS256","kid":"raw"}', '{"exp":4000000000,"sub":"6","iss":"https://idp.example"}', '0123456789abcdef0123456789abcdef') AS foreign_token \gset
SET jwt_auth.trusted_gateways = 'regress_jwt_caller';
SET SESSION AUTHORIZATION regress_jwt_caller;
BEGIN;
SELECT jwt.authenticate(:'foreign_token')->>'sub' AS sub;
SELECT jwt.subject(), count(*), jwt.close_my_session(pg_temp.sid(:'a'::jsonb->>'access_token')) FROM jwt.my_sessions;
ROLLBACK;
BEGIN;
SET LOCAL request.jwt.claims = '{"sub":"16"}';
SELECT jwt.subject(), count(*), jwt.close_my_session(pg_temp.sid(:'a'::jsonb->>'access_token')) FROM jwt.my_sessions;
ROLLBACK;
RESET SESSION AUTHORIZATION;
RESET jwt_auth.trusted_gateways;

--
-- purge
--
SELECT jwt.purge(), pg_typeof(jwt.purge());
SELECT jwt.purge();
SELECT count(*) AS before, count(*) FILTER (WHERE is_open) AS open FROM jwt.sessions \gset
SELECT count(*) = :before AS kept_while_an_access_token_lives FROM jwt.sessions;
-- closed and no access token left; open and expired; open and alive
DELETE FROM jwt.session_store WHERE subject NOT IN ('16', '17');
DELETE FROM jwt.revoked_tokens;
SELECT jwt.open_session('18') IS NOT NULL AS ok, jwt.open_session('19') IS NOT NULL AS ok;
UPDATE jwt.session_store SET access_expires_at = now() - interval '1 hour' WHERE subject IN ('16', '18', '19');
UPDATE jwt.session_store SET closed_at = now() - interval '1 hour' WHERE subject = '16' AND closed_at IS NOT NULL;
UPDATE jwt.session_store SET idle_expires_at = now() - interval '1 hour' WHERE subject = '18';
SELECT jwt.revoke(jwt.sign('{"jti":"old"}', expires_in => '-301 seconds')), jwt.revoke(jwt.sign('{"jti":"just now"}', expires_in => '-290 seconds')), jwt.revoke(jwt.sign('{"jti":"alive"}'));
SELECT subject, is_open, count(*) FROM jwt.sessions GROUP BY 1, 2 ORDER BY 1, 2;
SELECT jwt.purge();
SELECT subject, is_open, count(*) FROM jwt.sessions GROUP BY 1, 2 ORDER BY 1, 2;
SELECT token_id FROM jwt.revoked_tokens ORDER BY 1;
-- a refresh that is rolled back hands out a token that the row knows nothing of: the row waits for it all the same
CREATE FUNCTION pg_temp.rolled_back_refresh(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    BEGIN
        answer := jwt.refresh(token);
        RAISE EXCEPTION 'thought better of it';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    RETURN answer->>'access_token';
END
$$;
SELECT jwt.open_session('22')->>'refresh_token' AS refresh \gset
UPDATE jwt.session_store SET access_expires_at = now() - interval '1 hour' WHERE subject = '22';
SELECT pg_temp.rolled_back_refresh(:'refresh') AS access \gset
SELECT pg_temp.verdict(:'access'), jwt.revoke(:'refresh') AS signed_out;
SELECT jwt.purge(), pg_temp.verdict(:'access');
-- as long as any token of it can have lived: by the setting of today, and by that of then
CREATE FUNCTION pg_temp.purged(closed interval, lifetime text, of_then interval) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    gone boolean;
BEGIN
    UPDATE jwt.session_store SET closed_at = now() - closed, access_lifetime = extract(epoch FROM of_then) WHERE subject = '22';
    PERFORM set_config('jwt_auth.access_token_lifetime', lifetime, true);
    BEGIN
        PERFORM jwt.purge();
        gone := NOT EXISTS (SELECT FROM jwt.session_store WHERE subject = '22');
        RAISE EXCEPTION 'only asked';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    RETURN gone;
END
$$;
SELECT closed, lifetime, of_then, pg_temp.purged(closed, lifetime, of_then)
  FROM (VALUES ('19 min'::interval, '15min', '15 min'::interval), ('21 min', '15min', '15 min'), ('64 min', '15min', '1 hour'), ('66 min', '15min', '1 hour'),
               ('64 min', '1h', '15 min'), ('66 min', '1h', '15 min')) v (closed, lifetime, of_then);
UPDATE jwt.session_store SET closed_at = now() - interval '19 minutes', expires_at = now() - interval '6 minutes' WHERE subject = '22';
SELECT jwt.purge() AS no_token_outlives_its_session;
-- the row knows the longest lifetime that was in force
SET jwt_auth.access_token_lifetime = '1h';
SELECT jwt.open_session('22') AS s \gset
SET jwt_auth.access_token_lifetime = '2h';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token')->'expires_in' AS expires_in;
RESET jwt_auth.access_token_lifetime;
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token')->'expires_in' AS expires_in;
SELECT access_lifetime FROM jwt.session_store WHERE subject = '22';
-- a token of a session that lives longer, by sign(): revoked for as long as that, whether the session was open or over
SELECT jwt.sign(jsonb_build_object('sub', '22', 'sid', pg_temp.sid(:'s'::jsonb->>'access_token')), expires_in => '1 day') AS first,
       jwt.sign(jsonb_build_object('sub', '22', 'sid', pg_temp.sid(:'s'::jsonb->>'access_token')), expires_in => '2 days') AS second \gset
SELECT pg_temp.verdict(:'first'), jwt.revoke(:'first') AS revoked, jwt.revoke(:'first') AS again, pg_temp.verdict(:'second') AS second;
SELECT access_expires_at - now() > interval '23 hours' AS kept_a_day FROM jwt.session_store WHERE subject = '22';
UPDATE jwt.session_store SET closed_at = now() - interval '1 day' WHERE subject = '22';
SELECT jwt.purge(), pg_temp.verdict(:'first');
SELECT jwt.revoke(:'second') AS revoked, jwt.revoke(:'second') AS again;
UPDATE jwt.session_store SET access_expires_at = now() - interval '1 hour' WHERE subject = '22';
SELECT jwt.purge(), pg_temp.verdict(:'second');
-- a session that opened in a transaction that was rolled back: its token is like one of sign()
CREATE FUNCTION pg_temp.rolled_back_login(subject text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    BEGIN
        answer := jwt.open_session(subject);
        RAISE EXCEPTION 'thought better of it';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    RETURN answer->>'access_token';
END
$$;
SELECT pg_temp.rolled_back_login('23') AS a, pg_temp.rolled_back_login('23') AS b \gset
SELECT jwt.close_sessions('23'), pg_temp.verdict(:'a') AS a, jwt.revoke(:'a'), pg_temp.verdict(:'a') AS a, pg_temp.verdict(:'b') AS b;
SELECT jwt.revoke_subject('23'), pg_temp.verdict(:'b') AS b;
-- of cut-offs the latest of a subject stays, those of sessions end with them
SELECT jwt.revoke_subject('20'), jwt.revoke_subject('20') AS again, jwt.revoke_subject('21');
INSERT INTO jwt.revoked_subjects (issuer, subject, revoked_at, sid, closed_why, expires_at)
VALUES ('', '20', now() + interval '1 hour', NULL, 'alive', now() - interval '290 seconds'), ('', '20', now() - interval '1 day', NULL, 'over', now() - interval '310 seconds'),
       ('', '20', now() + interval '1 minute', '9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b', 'alive', 'infinity'), ('', '20', now(), '9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b', 'over', now() - interval '310 seconds');
SELECT jwt.purge();
SELECT subject, sid IS NOT NULL AS one, closed_why, revoked_at = max(revoked_at) FILTER (WHERE closed_why IS NULL) OVER (PARTITION BY subject) AS latest
  FROM jwt.revoked_subjects WHERE subject IN ('20', '21') ORDER BY subject, revoked_at;

--
-- Rows that are not what they were: never a yes
--
SELECT jwt.open_session('row') AS s \gset
SELECT pg_temp.sid(:'s'::jsonb->>'access_token') AS sid \gset
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token') ? 'access_token' AS rotated, jwt.refresh(:'s'::jsonb->>'refresh_token') ? 'access_token' AS repeated;
UPDATE jwt.session_store SET salt = sha256('another') WHERE sid = :'sid';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token')->>'error' AS other_salt;
SELECT jwt.open_session('row') AS s \gset
SELECT pg_temp.sid(:'s'::jsonb->>'access_token') AS sid \gset
UPDATE jwt.session_store SET tag_key = '\x00' WHERE sid = :'sid';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token')->>'error' AS no_tag_key, closed_at FROM jwt.sessions WHERE sid = :'sid';
-- a refresh token with another tag revokes nothing: its sid stands in every access token
SELECT jwt.open_session('row') AS s \gset
SELECT pg_temp.sid(:'s'::jsonb->>'access_token') AS sid, :'s'::jsonb->>'refresh_token' AS token \gset
SELECT jwt.revoke(left(:'token', -4) || CASE right(:'token', 4) WHEN 'AAAA' THEN 'BBBB' ELSE 'AAAA' END) AS other_tag,
       (SELECT is_open FROM jwt.sessions WHERE sid = :'sid') AS still_open;
SELECT jwt.revoke(:'token') AS genuine;
SELECT is_open FROM jwt.sessions WHERE sid = :'sid';
-- a hook that closes or refreshes the very session that it is asked about
CREATE FUNCTION regress_jwt.closes(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM jwt.close_session(sid);
    RETURN claims;
END
$$;
SELECT jwt.open_session('row') AS s \gset
SET jwt_auth.claims_hook = 'regress_jwt.closes';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token')->>'error' AS closed_by_hook;
CREATE FUNCTION regress_jwt.deletes(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM jwt.session_store s WHERE s.sid = deletes.sid;
    RETURN claims;
END
$$;
RESET jwt_auth.claims_hook;
SELECT jwt.open_session('row') AS s \gset
SET jwt_auth.claims_hook = 'regress_jwt.deletes';
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token')->>'error' AS deleted_by_hook;
RESET jwt_auth.claims_hook;
SELECT jwt.open_session('row') AS s \gset
SELECT jwt.refresh(:'s'::jsonb->>'refresh_token') ? 'access_token' AS goes_on;

DROP SCHEMA regress_jwt CASCADE;
DROP EXTENSION jwt_auth CASCADE;
DROP OWNED BY regress_jwt_caller;
DROP ROLE regress_jwt_caller;
