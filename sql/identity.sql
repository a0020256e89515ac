-- Who is asking: row-level security for real, roles, gateways, transactions.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256', 'k');

-- The connection's role, roles that tokens name, and roles they may not
CREATE ROLE regress_jwt_login;
CREATE ROLE regress_jwt_gateway;
CREATE ROLE regress_jwt_web;
CREATE ROLE regress_jwt_other;
CREATE ROLE regress_jwt_super SUPERUSER;
CREATE ROLE regress_jwt_replication REPLICATION;
CREATE ROLE regress_jwt_bypass BYPASSRLS;
CREATE ROLE "Regress Jwt Ünusual";
CREATE ROLE regress_jwt_123456789012345678901234567890123456789012345678901;
GRANT regress_jwt_web, regress_jwt_super, regress_jwt_replication, regress_jwt_bypass, "Regress Jwt Ünusual", pg_monitor,
    regress_jwt_123456789012345678901234567890123456789012345678901 TO regress_jwt_login;
CREATE TABLE notes (id integer PRIMARY KEY, owner text NOT NULL, body text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON notes USING (owner = jwt.subject());
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO regress_jwt_web, regress_jwt_login, regress_jwt_gateway, regress_jwt_other;
INSERT INTO notes VALUES (1, '42', 'of 42'), (2, '43', 'of 43'), (3, 'idp:42', 'of 42 at another issuer');
SELECT jwt.sign('{"sub":"42"}') AS plain, jwt.sign('{"sub":"43"}') AS plain43,
       jwt.sign('{"sub":"42","role":"regress_jwt_web"}') AS web,
       jwt.sign('{"sub":"43","role":"regress_jwt_web"}') AS web43 \gset

--
-- Nobody: no row, every reader null
--
SET SESSION AUTHORIZATION regress_jwt_login;
CREATE VIEW pg_temp.who AS
    SELECT jwt.subject(), jwt.issuer(), jwt.uid(), jwt.role(), jwt.session_id(), jwt.expires_at(), jwt.claims(),
           jwt.claim('sub') AS claim, jwt.has_role('regress_jwt_web'), jwt.has_scope('read'), jwt.is_authenticated();
SELECT * FROM pg_temp.who;
SELECT * FROM notes;
SELECT pg_temp.try($$INSERT INTO notes VALUES (9, '42', 'forged')$$);

--
-- authenticate: the main job
--
BEGIN;
SELECT jwt.authenticate(:'web') - 'jti' - 'iat' - 'exp' AS claims;
SELECT current_user, session_user, jwt.subject(), jwt.role(), jwt.is_authenticated();
SELECT * FROM notes;
UPDATE notes SET body = 'changed' RETURNING id;
SELECT pg_temp.try($$INSERT INTO notes VALUES (9, '43', 'forged')$$);
SELECT pg_temp.try($$UPDATE notes SET owner = '43'$$);
INSERT INTO notes VALUES (4, '42', 'more');
SELECT count(*) FROM notes;
SHOW jwt_auth.token;
SELECT current_setting('jwt_auth.token');
SELECT count(*) FROM pg_settings WHERE name = 'jwt_auth.token';
-- somebody else, in the same transaction
SELECT jwt.authenticate(:'web43')->>'sub' AS sub;
SELECT * FROM notes;
ROLLBACK;
SELECT current_user, jwt.subject(), current_setting('jwt_auth.token') = '' AS unset;
SELECT * FROM notes;
BEGIN;
SELECT jwt.authenticate(:'web') IS NOT NULL AS ok;
COMMIT;
SELECT current_user, jwt.is_authenticated();
-- a token that is no good changes nothing
BEGIN;
SELECT jwt.authenticate(:'web') IS NOT NULL AS ok;
SELECT pg_temp.try(format('SELECT jwt.authenticate(%L)', :'web' || 'AA'));
SELECT pg_temp.try('SELECT jwt.authenticate(NULL)');
SELECT pg_temp.try($$SELECT jwt.authenticate('')$$);
SELECT current_user, jwt.subject();
ROLLBACK;
-- without a role claim the role stays; set_role => false leaves it, too
BEGIN;
SELECT jwt.authenticate(:'plain') IS NOT NULL AS ok;
SELECT current_user, jwt.role(), jwt.subject();
ROLLBACK;
BEGIN;
SELECT jwt.authenticate(:'web', set_role => false) IS NOT NULL AS ok;
SELECT current_user, jwt.role(), jwt.subject();
ROLLBACK;
-- null is not false
BEGIN;
SELECT jwt.authenticate(:'web', NULL) IS NOT NULL AS ok;
SELECT current_user;
ROLLBACK;
-- RESET ROLE gives back the login role, with the same claims
BEGIN;
SELECT jwt.authenticate(:'web') IS NOT NULL AS ok;
RESET ROLE;
SELECT current_user, jwt.subject();
SELECT count(*) FROM notes;
ROLLBACK;
-- outside of a transaction block
SELECT jwt.authenticate(:'web') IS NOT NULL AS ok;
SELECT current_user, jwt.subject();

--
-- SET jwt_auth.token: judged at first use, at every statement
--
BEGIN;
SET LOCAL jwt_auth.token = :'plain';
SELECT jwt.subject(), current_user, count(*) FROM notes;
SHOW jwt_auth.token;
COMMIT;
SELECT jwt.subject(), count(*) FROM notes;
SHOW jwt_auth.token;
SET jwt_auth.token = :'plain43';
SELECT jwt.subject(), count(*) FROM notes;
DISCARD ALL;
\i :helpers
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT jwt.subject(), count(*) FROM notes;
BEGIN;
SET LOCAL jwt_auth.token = 'no token';
SHOW jwt_auth.token;
SELECT pg_temp.try('SELECT count(*) FROM notes');
SELECT pg_temp.try('SELECT jwt.subject()');
SELECT pg_temp.try('SELECT jwt.is_authenticated()');
SET LOCAL jwt_auth.token = '';
SELECT jwt.is_authenticated(), count(*) FROM notes;
ROLLBACK;
SELECT set_config('jwt_auth.token', :'plain', false) AS shown;
SELECT jwt.subject();
RESET jwt_auth.token;
SELECT jwt.subject();
-- a prepared plan serves whoever is asking
PREPARE mine AS SELECT id FROM notes ORDER BY id;
SET plan_cache_mode = force_generic_plan;
SET jwt_auth.token = :'plain';
EXECUTE mine;
SET jwt_auth.token = :'plain43';
EXECUTE mine;
RESET jwt_auth.token;
EXECUTE mine;
RESET plan_cache_mode;
DEALLOCATE mine;

--
-- What the token says changes with the setting, whatever ended it
--
BEGIN;
SELECT jwt.authenticate(:'web')->>'sub' AS sub;
SAVEPOINT a;
SELECT jwt.authenticate(:'plain43')->>'sub' AS sub;
SELECT jwt.subject(), current_user;
ROLLBACK TO a;
SELECT jwt.subject(), current_user;
SAVEPOINT b;
SET LOCAL ROLE regress_jwt_login;
SET LOCAL jwt_auth.token = :'plain43';
RELEASE b;
SELECT jwt.subject(), current_user;
ROLLBACK TO a;
SELECT jwt.subject(), current_user;
SAVEPOINT c;
SELECT jwt.authenticate('x');
ROLLBACK TO c;
SELECT jwt.subject(), current_user;
DO $$
BEGIN
    SET LOCAL jwt_auth.token = 'x';
    PERFORM jwt.subject();
EXCEPTION WHEN SQLSTATE '28J00' THEN
    RAISE WARNING 'subject after the block: %', jwt.subject();
END
$$;
SELECT jwt.subject();
COMMIT;
-- two tokens in one statement: each row has its own
SELECT id, set_config('jwt_auth.token', CASE WHEN id = 1 THEN :'plain' ELSE :'plain43' END, false) AS shown, jwt.subject()
  FROM generate_series(1, 4) id;
RESET jwt_auth.token;
-- a function's SET clause
CREATE FUNCTION pg_temp.as_nobody() RETURNS text LANGUAGE sql SET jwt_auth.token = '' AS 'SELECT coalesce(jwt.subject(), ''nobody'')';
SET jwt_auth.token = :'plain';
SELECT jwt.subject(), pg_temp.as_nobody(), jwt.subject();
RESET jwt_auth.token;
-- cursors belong to whom they were opened by
BEGIN;
SELECT jwt.authenticate(:'web')->>'sub' AS sub;
DECLARE c CURSOR FOR SELECT id, jwt.subject() FROM notes ORDER BY id;
FETCH 1 FROM c;
CLOSE c;
COMMIT;

--
-- SECURITY DEFINER
--
RESET SESSION AUTHORIZATION;
CREATE FUNCTION authenticate_inside(token text, set_role boolean) RETURNS text LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog AS 'SELECT jwt.authenticate(token, set_role)->>''sub''';
CREATE FUNCTION subject_inside() RETURNS text LANGUAGE sql SECURITY DEFINER STABLE
    SET search_path = pg_catalog AS 'SELECT jwt.subject()';
ALTER FUNCTION authenticate_inside(text, boolean) OWNER TO regress_jwt_other;
ALTER FUNCTION subject_inside() OWNER TO regress_jwt_other;
SET SESSION AUTHORIZATION regress_jwt_login;
BEGIN;
SELECT pg_temp.try(format('SELECT authenticate_inside(%L, true)', :'web'));
SELECT jwt.is_authenticated(), current_user;
SELECT pg_temp.try(format('SELECT authenticate_inside(%L, true)', :'plain'));
SELECT jwt.authenticate(:'web')->>'sub' AS sub;
SELECT subject_inside();
ROLLBACK;
RESET SESSION AUTHORIZATION;
CREATE OR REPLACE FUNCTION authenticate_inside(token text, set_role boolean) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    AS 'BEGIN RETURN jwt.authenticate(token, set_role)->>''sub''; END';
SET SESSION AUTHORIZATION regress_jwt_login;
BEGIN;
SELECT authenticate_inside(:'web', false);
SELECT jwt.subject(), current_user;
ROLLBACK;

--
-- Roles: 28J12 for each kind that no token brings; never "stay as you are"
--
CREATE FUNCTION pg_temp.take(token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN regexp_replace(pg_temp.try(format('SELECT (jwt.authenticate(%L) IS NOT NULL)::text || '' as '' || current_user', token)), E'\n  If the role.*', '');
END
$$;
RESET SESSION AUTHORIZATION;
CREATE TABLE attempts AS
SELECT n, role, jwt.sign(jsonb_build_object('sub', '42', 'role', role)) AS token
  FROM jsonb_array_elements('["regress_jwt_nobody", "regress_jwt_other", "none", "NONE", "", " ", "regress_jwt_web ", "REGRESS_JWT_WEB",
        "regress_jwt_super", "regress_jwt_replication", "regress_jwt_bypass", "pg_monitor", "pg_read_all_data", "pg_nosuch", "public",
        "regress_jwt_123456789012345678901234567890123456789012345678901x", "\"regress_jwt_web\"", "regress_jwt_web; RESET ROLE",
        null, 1, true, {}, {"name":"regress_jwt_web"}, [[]], [null], ["regress_jwt_web", "regress_jwt_web"], ["regress_jwt_web", "regress_jwt_other"]]')
       WITH ORDINALITY v (role, n);
CREATE TABLE accepted AS
SELECT n, role, jwt.sign(jsonb_build_object('sub', '42', 'role', role)) AS token
  FROM jsonb_array_elements('["regress_jwt_web", ["regress_jwt_web"], "Regress Jwt Ünusual", "regress_jwt_login",
        "regress_jwt_123456789012345678901234567890123456789012345678901"]')
       WITH ORDINALITY v (role, n);
GRANT SELECT ON attempts, accepted TO PUBLIC;
SET SESSION AUTHORIZATION regress_jwt_login;
BEGIN;
SELECT role, pg_temp.take(token) FROM attempts ORDER BY n;
SELECT current_user, jwt.is_authenticated();
ROLLBACK;
BEGIN;
SELECT role, pg_temp.take(token) FROM accepted ORDER BY n;
ROLLBACK;
-- it is the session user who must be a member, not the role in force
BEGIN;
SELECT jwt.authenticate(:'web')->>'sub' AS sub;
SELECT jwt.authenticate(:'web43')->>'sub' AS sub;
SELECT current_user, jwt.subject();
ROLLBACK;
SET SESSION AUTHORIZATION regress_jwt_other;
BEGIN;
SELECT pg_temp.try(format('SELECT jwt.authenticate(%L)', :'web'));
SELECT pg_temp.take(:'plain');
ROLLBACK;
-- verify does not look at roles; readers say what the claim says
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT role, pg_temp.verdict(token) FROM attempts WHERE n IN (1, 9, 12);

--
-- Warnings
--
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_jwt_bypass;
BEGIN;
SELECT jwt.authenticate(:'plain')->>'sub' AS sub;
ROLLBACK;
RESET SESSION AUTHORIZATION;
GRANT regress_jwt_web TO regress_jwt_bypass;
SET SESSION AUTHORIZATION regress_jwt_bypass;
BEGIN;
SELECT jwt.authenticate(:'web')->>'sub' AS sub;
SELECT current_user, count(*) FROM notes;
ROLLBACK;
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT jwt.authenticate(:'plain')->>'sub' AS sub;
RESET SESSION AUTHORIZATION;
ALTER ROLE regress_jwt_other SET jwt_auth.token = 'x';
ALTER ROLE regress_jwt_other RESET jwt_auth.token;

--
-- Readers: what is missing or of another shape is null, never an error
--
RESET SESSION AUTHORIZATION;
CREATE TABLE shapes AS
SELECT n, claims, jwt.sign(claims) AS token
  FROM jsonb_array_elements('[{}, {"sub":"42","scope":"read write","role":"a"}, {"sub":"9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b","role":["a","b"],"scp":["read","x"],"sid":"not a uuid"},
        {"sub":"9F3E8A4C-5D6B-4E1F-8A2B-3C4D5E6F7A8B","scope":"reader readwrite","scp":"read"}, {"sub":"{9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b}","scope":["read"]},
        {"sub":"9f3e8a4c5d6b4e1f8a2b3c4d5e6f7a8b","scope":1}, {"sub":"","scope":"","role":""}, {"sid":1,"scope":{"read":true},"role":{"a":1}},
        {"sid":"9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b","scope":" read","role":["a",1]}, {"scope":"a\tread"}, {"role":[["a"]], "scp":["read write"]}]')
       WITH ORDINALITY v (claims, n);
CREATE FUNCTION pg_temp.read_as(token text, OUT subject text, OUT uid uuid, OUT role text, OUT session_id uuid, OUT expires boolean,
        OUT a boolean, OUT b boolean, OUT read boolean, OUT "write" boolean, OUT odd boolean)
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('jwt_auth.token', token, true);
    SELECT jwt.subject(), jwt.uid(), jwt.role(), jwt.session_id(), abs(extract(epoch FROM jwt.expires_at() - now()) - 900) < 60,
           jwt.has_role('a'), jwt.has_role('b'), jwt.has_scope('read'), jwt.has_scope('write'),
           jwt.has_role('') OR jwt.has_role(NULL) OR jwt.has_scope('') OR jwt.has_scope(NULL) OR jwt.has_scope('read write') OR jwt.has_scope(' ')
      INTO read_as.subject, uid, read_as.role, read_as.session_id, expires, a, b, read, "write", odd;
END
$$;
SELECT claims, r.* FROM shapes, LATERAL pg_temp.read_as(token) r ORDER BY n;
-- claim(): by path, as text
SET jwt_auth.token = :'plain';
SELECT set_config('jwt_auth.token', jwt.sign('{"sub":"42","a":{"b":["x",{"c":true}]},"n":null,"num":1.50}'), false) AS shown;
SELECT jwt.claim('sub') AS sub, jwt.claim('a') AS a, jwt.claim('a', 'b', '0') AS a_b_0, jwt.claim('a', 'b', '1', 'c') AS a_b_1_c,
       jwt.claim('a', 'b', '-1') AS a_b_last, jwt.claim('n') AS n, jwt.claim('num') AS num, jwt.claim('nosuch') AS nosuch,
       jwt.claim('sub', 'x') AS sub_x, jwt.claim(NULL) AS of_null, jwt.claim(VARIADIC '{}') IS NOT NULL AS all;
SELECT jwt.claim('sub') AS sub, jwt.claim(VARIADIC NULL) AS of_null;
SELECT key, jwt.claim(key) FROM unnest('{sub,num,nosuch,sub}'::text[]) key;
SELECT jwt.issuer();
RESET jwt_auth.token;

--
-- A gateway that verified the token itself: request.jwt.claims
--
SET request.jwt.claims = '{"sub":"42","role":"regress_jwt_web","exp":1,"scope":"read"}';
SET SESSION AUTHORIZATION regress_jwt_gateway;
SELECT pg_temp.try('SELECT jwt.subject()');
SELECT pg_temp.try('SELECT count(*) FROM notes');
RESET SESSION AUTHORIZATION;
-- a superuser's session is believed: it could read all the same
SELECT jwt.subject();
SET jwt_auth.trusted_gateways = 'somebody, regress_jwt_gateway';
SET SESSION AUTHORIZATION regress_jwt_gateway;
SELECT jwt.subject(), jwt.role(), jwt.claims(), jwt.has_scope('read'), jwt.is_authenticated(), jwt.expires_at() < now() AS expired, current_user;
SELECT * FROM notes ORDER BY id;
-- the session user counts, not the role in force
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT pg_temp.try('SELECT jwt.subject()');
-- a token goes first, and there is no way back from a bad one
SET SESSION AUTHORIZATION regress_jwt_gateway;
SET jwt_auth.token = :'plain43';
SELECT jwt.subject();
SET jwt_auth.token = 'x';
SELECT pg_temp.try('SELECT jwt.subject()');
RESET jwt_auth.token;
SELECT jwt.subject();
-- '' and no value are nobody
SET request.jwt.claims = '';
SELECT jwt.subject(), jwt.is_authenticated();
SET request.jwt.claims = '[]';
SELECT pg_temp.try('SELECT jwt.subject()');
SET request.jwt.claims = '{"sub":"42","sub":"43"}';
SELECT pg_temp.try('SELECT jwt.subject()');
SET request.jwt.claims = 'top secret';
SELECT pg_temp.try('SELECT jwt.subject()');
SET request.jwt.claims = '{"sub":43}';
SELECT jwt.subject(), jwt.is_authenticated();
SET request.jwt.claims = '{"sub":"43"}';
SELECT jwt.subject();
BEGIN;
SET LOCAL request.jwt.claims = '{"sub":"42"}';
SELECT jwt.subject();
ROLLBACK;
SELECT jwt.subject();
-- not a session of ours
SELECT jwt.own_subject();
RESET SESSION AUTHORIZATION;
-- names are names, as in search_path
SET jwt_auth.trusted_gateways = 'REGRESS_jwt_gateway';
SET SESSION AUTHORIZATION regress_jwt_gateway;
SELECT jwt.subject();
RESET SESSION AUTHORIZATION;
SET jwt_auth.trusted_gateways = '"REGRESS_jwt_gateway"';
SET SESSION AUTHORIZATION regress_jwt_gateway;
SELECT pg_temp.try('SELECT jwt.subject()');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.try($$SET jwt_auth.trusted_gateways = 'a,,b'$$);
RESET jwt_auth.trusted_gateways;
-- another name, and none
SET jwt_auth.claims_setting = '';
SET SESSION AUTHORIZATION regress_jwt_gateway;
SELECT jwt.subject(), jwt.is_authenticated();
RESET SESSION AUTHORIZATION;
SET jwt_auth.claims_setting = 'my.claims';
SET my.claims = '{"sub":"mine"}';
SELECT jwt.subject();
RESET jwt_auth.claims_setting;
RESET request.jwt.claims;
-- none of the settings but the token is anybody's
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT name, pg_temp.try(format('SET %s = %L', name, coalesce(nullif(boot_val, ''), 'x')))
  FROM pg_settings WHERE name LIKE 'jwt\_auth.%' ORDER BY name;
SELECT pg_temp.try($$SET jwt_auth.nosuch = 'x'$$);
RESET SESSION AUTHORIZATION;
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'jwt\_auth.%' ORDER BY name;

--
-- What ends in a transaction is refused at the next statement
--
SELECT jwt.open_session('42', '{"role":"regress_jwt_web"}')->>'access_token' AS session,
       jwt.sign('{"sub":"42","role":"regress_jwt_web"}') AS token,
       jwt.sign(jsonb_build_object('sub', '42', 'role', 'regress_jwt_web', 'exp', extract(epoch FROM clock_timestamp()) + 3)) AS short \gset
BEGIN;
SELECT jwt.authenticate(:'short')->>'sub' AS sub;
-- a statement that began before the end finishes
SELECT count(*) FILTER (WHERE jwt.subject() = '42' AND pg_sleep(0.8) IS NOT NULL) FROM generate_series(1, 4);
SAVEPOINT a;
SELECT pg_temp.try('SELECT count(*) FROM notes');
SELECT pg_temp.try('SELECT jwt.is_authenticated()');
SELECT pg_temp.try('EXPLAIN SELECT count(*) FROM notes') ~ '^28J01' AS expired;
ROLLBACK;
BEGIN;
SELECT jwt.authenticate(:'session')->>'sub' AS sub;
SELECT count(*) FROM notes;
RESET ROLE;
SELECT jwt.close_session(jwt.session_id());
SET LOCAL ROLE regress_jwt_web;
SELECT pg_temp.try('SELECT count(*) FROM notes');
ROLLBACK;
-- what is rolled back was never closed
BEGIN;
SELECT jwt.authenticate(:'session')->>'sub' AS sub;
SELECT count(*) FROM notes;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT jwt.authenticate(:'token')->>'sub' AS sub;
SELECT count(*) FROM notes;
RESET ROLE;
SAVEPOINT a;
SELECT jwt.set_key_status('k', 'revoked');
SET LOCAL ROLE regress_jwt_web;
SELECT pg_temp.try('SELECT count(*) FROM notes');
ROLLBACK TO a;
SELECT current_user = session_user AS reset;
SET LOCAL ROLE regress_jwt_web;
SELECT count(*) FROM notes;
RESET ROLE;
SET LOCAL session_replication_role = replica;
SELECT jwt.set_key_status('k', 'revoked');
SET LOCAL ROLE regress_jwt_web;
SELECT pg_temp.try('SELECT count(*) FROM notes');
ROLLBACK;
BEGIN;
SELECT jwt.authenticate(:'token')->>'sub' AS sub;
RESET ROLE;
SELECT jwt.revoke(:'token');
SELECT pg_temp.try('SELECT jwt.subject()');
ROLLBACK;
BEGIN;
SELECT jwt.authenticate(:'token')->>'sub' AS sub;
RESET ROLE;
SELECT jwt.drop_key('k');
SELECT pg_temp.try('SELECT jwt.subject()');
ROLLBACK;
BEGIN;
SELECT jwt.authenticate(:'token')->>'sub' AS sub;
RESET ROLE;
TRUNCATE jwt.key_store;
SELECT pg_temp.try('SELECT jwt.subject()');
ROLLBACK;
-- the setting is another way to end it
BEGIN;
SELECT jwt.authenticate(:'token')->>'sub' AS sub;
RESET ROLE;
SET LOCAL jwt_auth.audience = 'api';
SELECT pg_temp.try('SELECT jwt.subject()');
ROLLBACK;

-- hints that can be followed: the role as it is called, the claim that the setting demands
CREATE ROLE "regress_jwt rôle";
SELECT jwt.sign('{"sub":"42","role":"regress_jwt rôle"}') AS token \gset
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT pg_temp.try(format('SELECT jwt.authenticate(%L)', :'token'));
RESET SESSION AUTHORIZATION;
DROP ROLE "regress_jwt rôle";
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', jwt.sign('{"iss":"https://elsewhere.example"}'))),
       pg_temp.try(format('SELECT jwt.verify(%L, issuer => ''https://elsewhere.example'')', jwt.sign('{}')));
SELECT jwt.sign('{}') AS nameless \gset
SET jwt_auth.issuer = 'https://api.example';
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', :'nameless'));
RESET jwt_auth.issuer;

--
-- impersonate
--
BEGIN;
SELECT c - 'iat' - 'exp' - 'jti' AS claims, (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime
  FROM jwt.impersonate('{"sub":"42"}', 'regress_jwt_web') c;
SELECT current_user, jwt.subject(), count(*) FROM notes;
ROLLBACK;
BEGIN;
SELECT jwt.impersonate('{"sub":"43","role":"regress_jwt_web"}')->>'role' AS role;
SELECT * FROM notes;
ROLLBACK;
SET SESSION AUTHORIZATION regress_jwt_login;
SELECT pg_temp.try($$SELECT jwt.impersonate('{"sub":"42"}')$$);
RESET SESSION AUTHORIZATION;

--
-- Parallel workers ask for the same subject
--
CREATE TABLE many AS SELECT n, (n % 10)::text AS owner FROM generate_series(1, 5000) n;
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
ALTER TABLE many FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON many USING (owner = jwt.subject());
GRANT SELECT ON many TO regress_jwt_web;
ANALYZE many;
SELECT jwt.sign('{"sub":"7","role":"regress_jwt_web"}') AS seven \gset
BEGIN;
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT jwt.authenticate(:'seven')->>'sub' AS sub;
SELECT count(*), min(jwt.subject()) FROM many;
ROLLBACK;

DROP TABLE notes, many, attempts, accepted, shapes;
DROP FUNCTION authenticate_inside(text, boolean), subject_inside();
-- a subject that is nearly a UUID is none
CREATE FUNCTION pg_temp.uid(subject text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM jwt.impersonate(jsonb_build_object('sub', subject));
    RETURN coalesce(jwt.uid()::text, 'none');
END
$$;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT subject, pg_temp.uid(subject)
  FROM (VALUES ('0f8fad5b-d9cb-469f-a165-70867728950e'), ('0F8FAD5B-D9CB-469F-A165-70867728950E'), ('0f8fad5b-d9cb-469f-a165-70867728950g'), ('0f8fad5b-d9cb-469f-a165-7086772895-e'),
               ('0f8fad5b_d9cb-469f-a165-70867728950e'), ('0f8fad5b-d9cb-469f-a165_70867728950e'), ('0f8fad5bd9cb469fa16570867728950e'), ('{0f8fad5b-d9cb-469f-a165-70867728950e}'),
               ('0f8fad5b-d9cb-469f-a165-70867728950'), (' f8fad5b-d9cb-469f-a165-70867728950e'), ('0f8fad5-bd9cb-469f-a165-70867728950e')) v (subject);
ROLLBACK;
-- a gateway's claims are believed of the session user of that moment, even within a statement
CREATE FUNCTION pg_temp.as_another() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text;
BEGIN
    PERFORM set_config('request.jwt.claims', '{"sub":"42"}', true);
    before := jwt.subject();
    SET LOCAL SESSION AUTHORIZATION regress_jwt_login;
    RETURN before || ', then ' || left(pg_temp.try('SELECT jwt.subject()'), 5);
END
$$;
BEGIN;
SELECT pg_temp.as_another();
ROLLBACK;
-- the same call site with a role, with null and with a role again
BEGIN;
SET LOCAL client_min_messages = error;
SELECT jwt.authenticate(jwt.sign('{"sub":"42","role":"regress_jwt_web"}'), set_role => false) IS NOT NULL AS ok;
SELECT role, jwt.has_role(role), jwt.claim(VARIADIC path), jwt.has_scope(role)
  FROM (VALUES ('regress_jwt_web', '{sub}'::text[]), (NULL, NULL), ('regress_jwt_wex', '{suv}'), ('regress_jwt_web', '{sub}')) v (role, path);
ROLLBACK;

DROP EXTENSION jwt_auth CASCADE;
DROP OWNED BY regress_jwt_login, regress_jwt_gateway, regress_jwt_web, regress_jwt_other;
DROP ROLE regress_jwt_login, regress_jwt_gateway, regress_jwt_web, regress_jwt_other, regress_jwt_super, regress_jwt_replication,
    regress_jwt_bypass, "Regress Jwt Ünusual", regress_jwt_123456789012345678901234567890123456789012345678901;
