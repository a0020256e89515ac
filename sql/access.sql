-- jwt.explain_access(): which policies bind whom, how many rows pass, and
-- whose code runs while it counts.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('ES256', 'k1');
CREATE ROLE regress_jwt_login LOGIN NOINHERIT;
CREATE ROLE regress_jwt_web;
CREATE ROLE regress_jwt_owner;
CREATE ROLE regress_jwt_support;
GRANT regress_jwt_web TO regress_jwt_login;
CREATE SCHEMA regress_api;
GRANT USAGE ON SCHEMA regress_api TO PUBLIC;
CREATE TABLE regress_api.note (owner text, body text);
INSERT INTO regress_api.note SELECT i % 3, i FROM generate_series(1, 1500) i;
ALTER TABLE regress_api.note ENABLE ROW LEVEL SECURITY;
ALTER TABLE regress_api.note OWNER TO regress_jwt_owner;
CREATE POLICY own ON regress_api.note USING (owner = jwt.subject()) WITH CHECK (owner = jwt.claim('sub') AND body <> 'x');
CREATE POLICY staff ON regress_api.note AS RESTRICTIVE FOR DELETE TO regress_jwt_support USING (jwt.has_scope('staff'));
GRANT SELECT ON regress_api.note TO regress_jwt_web, regress_jwt_support;

--
-- What it says
--
BEGIN;
SELECT jwt.impersonate('{"sub": "1"}', 'regress_jwt_web') ->> 'sub' AS sub;
RESET ROLE;
SELECT * FROM jwt.explain_access('regress_api.note');
SELECT policy, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note', sample_rows => 10);
SELECT policy, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note', 2000);
SELECT policy, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note', 0);
-- not given is the default, and no table is none
SELECT policy, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note', NULL);
SELECT pg_temp.try($$SELECT jwt.explain_access('regress_api.note', -1)$$);
SELECT pg_temp.try('SELECT jwt.explain_access(NULL)');
SELECT pg_temp.try('SELECT jwt.explain_access(0)');
SELECT pg_temp.try($$SELECT jwt.explain_access('jwt.keys')$$);
-- no policy, no row security, no privilege, no row
CREATE TABLE regress_api.plain (a integer);
SELECT * FROM jwt.explain_access('regress_api.plain');
INSERT INTO regress_api.plain VALUES (1);
SELECT rows_seen, rows_passing FROM jwt.explain_access('regress_api.plain');
GRANT SELECT ON regress_api.plain TO regress_jwt_web;
SELECT rows_seen, rows_passing FROM jwt.explain_access('regress_api.plain');
REVOKE USAGE ON SCHEMA regress_api FROM PUBLIC;
SELECT rows_seen, rows_passing FROM jwt.explain_access('regress_api.plain');
ROLLBACK;
-- partitions, too
CREATE TABLE regress_api.part (owner text) PARTITION BY LIST (owner);
CREATE TABLE regress_api.part_1 PARTITION OF regress_api.part FOR VALUES IN ('1');
CREATE TABLE regress_api.part_2 PARTITION OF regress_api.part DEFAULT;
INSERT INTO regress_api.part VALUES ('1'), ('2'), ('3');
ALTER TABLE regress_api.part ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON regress_api.part USING (owner = jwt.subject());
GRANT SELECT ON regress_api.part TO regress_jwt_web;
BEGIN;
SELECT jwt.impersonate('{"sub": "1"}', 'regress_jwt_web') ->> 'sub' AS sub;
RESET ROLE;
SELECT policy, applies, rows_seen, rows_passing FROM jwt.explain_access('regress_api.part');
-- claims of nobody here
SELECT set_config('jwt_auth.token', jwt.sign('{"role": "regress_jwt_none"}'), true) IS NOT NULL AS told;
SELECT pg_temp.try($$SELECT jwt.explain_access('regress_api.part')$$);
ROLLBACK;

--
-- Whom a policy binds
--
CREATE FUNCTION pg_temp.binding(who text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SET LOCAL ROLE ' || quote_ident(who);
    PERFORM set_config('jwt_auth.token', '', true);
    RETURN (SELECT string_agg(format('%s %s %s of %s', policy, applies, coalesce(rows_passing::text, '?'), coalesce(rows_seen::text, '?')), ', ')
              FROM jwt.explain_access('regress_api.note'));
END
$$;
CREATE ROLE regress_jwt_past BYPASSRLS;
CREATE ROLE regress_jwt_member;
GRANT regress_jwt_owner TO regress_jwt_member;
GRANT SELECT ON regress_api.note TO regress_jwt_past;
GRANT EXECUTE ON FUNCTION jwt.explain_access TO regress_jwt_owner, regress_jwt_past, regress_jwt_support, regress_jwt_web;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_temp TO PUBLIC;
SELECT current_user AS superuser \gset
BEGIN;
SELECT nullif(r, :'superuser') AS r, pg_temp.binding(r) FROM unnest(ARRAY[:'superuser', 'regress_jwt_past', 'regress_jwt_owner']) r;
SELECT nullif(r, :'superuser') AS r, pg_temp.binding(r) FROM unnest(ARRAY['regress_jwt_member', 'regress_jwt_web', 'regress_jwt_support']) r;
RESET ROLE;
ALTER TABLE regress_api.note FORCE ROW LEVEL SECURITY;
SELECT nullif(r, :'superuser') AS r, pg_temp.binding(r) FROM unnest(ARRAY[:'superuser', 'regress_jwt_past', 'regress_jwt_owner', 'regress_jwt_member']) r;
RESET ROLE;
ALTER TABLE regress_api.note DISABLE ROW LEVEL SECURITY;
SELECT pg_temp.binding('regress_jwt_web');
ROLLBACK;

--
-- EXECUTE on it alone is enough, for those who may become who is asking
--
SELECT jwt.sign('{"sub": "1", "role": "regress_jwt_web"}') AS token \gset
REVOKE EXECUTE ON FUNCTION jwt.explain_access FROM regress_jwt_web;
ALTER ROLE regress_jwt_support BYPASSRLS;
BEGIN;
SELECT set_config('jwt_auth.token', :'token', true) IS NOT NULL AS told;
SET LOCAL ROLE regress_jwt_support;
SELECT pg_temp.try($$SELECT jwt.explain_access('regress_api.note')$$);
RESET ROLE;
GRANT regress_jwt_web TO regress_jwt_support;
SET LOCAL ROLE regress_jwt_support;
SELECT policy, asking_role, applies, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note');
-- to those who do not see the table it tells no number
RESET ROLE;
REVOKE SELECT ON regress_api.note FROM regress_jwt_support;
REVOKE regress_jwt_web FROM regress_jwt_support;
SET LOCAL ROLE regress_jwt_support;
SELECT policy, asking_role, applies, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note');
ROLLBACK;
ALTER ROLE regress_jwt_support NOBYPASSRLS;
-- nor to those who ask
GRANT EXECUTE ON FUNCTION jwt.explain_access TO regress_jwt_web;
BEGIN;
SELECT jwt.authenticate(:'token') ->> 'sub' AS sub;
SELECT policy, asking_role, applies, rows_seen, rows_passing FROM jwt.explain_access('regress_api.note');
ROLLBACK;
REVOKE EXECUTE ON FUNCTION jwt.explain_access FROM regress_jwt_web;
SET ROLE regress_jwt_web;
SELECT pg_temp.try($$SELECT jwt.explain_access('regress_api.note')$$);
RESET ROLE;

--
-- A policy is somebody's code: what it sets is undone, whatever happens
--
CREATE FUNCTION regress_api.sets(fails boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'regress_evil', false), set_config('app.seen', current_setting('search_path'), false),
            set_config('work_mem', '64kB', false), set_config('jwt_auth.token', 'x', false);
    IF fails THEN
        RAISE EXCEPTION 'enough';
    END IF;
    RETURN true;
END
$$;
CREATE TABLE regress_api.lure (a integer);
INSERT INTO regress_api.lure VALUES (1);
ALTER TABLE regress_api.lure ENABLE ROW LEVEL SECURITY;
ALTER TABLE regress_api.lure OWNER TO regress_jwt_owner;
GRANT SELECT ON regress_api.lure TO regress_jwt_web;
CREATE POLICY lure ON regress_api.lure USING (regress_api.sets(false));
\set settings 'SELECT current_setting(''search_path'') AS path, current_setting(''app.seen'', true) AS seen, current_setting(''work_mem'') AS mem, current_setting(''row_security'') AS rls, jwt.subject();'
SET work_mem = '5MB';
BEGIN;
SELECT jwt.impersonate('{"sub": "1"}', 'regress_jwt_web') ->> 'sub' AS sub;
RESET ROLE;
SELECT rows_seen, rows_passing FROM jwt.explain_access('regress_api.lure');
:settings
ALTER POLICY lure ON regress_api.lure USING (regress_api.sets(true));
SELECT pg_temp.try($$SELECT jwt.explain_access('regress_api.lure')$$);
:settings
SET LOCAL row_security = off;
ALTER POLICY lure ON regress_api.lure USING (current_setting('search_path') = 'pg_catalog, pg_temp');
SELECT rows_seen, rows_passing FROM jwt.explain_access('regress_api.lure');
:settings
COMMIT;
RESET work_mem;

DROP SCHEMA regress_api CASCADE;
DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_login, regress_jwt_web, regress_jwt_owner, regress_jwt_support, regress_jwt_past, regress_jwt_member;
