-- What CREATE EXTENSION makes, who may do what with it, and what DROP leaves.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers

-- somebody was there before us
CREATE ROLE regress_jwt_user;
CREATE ROLE regress_jwt_all;
GRANT pg_read_all_data, pg_write_all_data TO regress_jwt_all;
CREATE SCHEMA jwt AUTHORIZATION regress_jwt_user;
SELECT pg_temp.try('CREATE EXTENSION jwt_auth');
SELECT count(*) FROM pg_extension WHERE extname = 'jwt_auth';
DROP SCHEMA jwt;
-- not for everybody, not elsewhere
SELECT current_database() AS database \gset
GRANT CREATE ON DATABASE :"database" TO regress_jwt_user;
SET ROLE regress_jwt_user;
SELECT pg_temp.try('CREATE EXTENSION jwt_auth');
RESET ROLE;
REVOKE CREATE ON DATABASE :"database" FROM regress_jwt_user;
-- a hostile house: all that is made is granted to everybody, and public goes first
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;
CREATE SCHEMA regress_jwt;
CREATE FUNCTION regress_jwt.statement_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'infinity'::timestamptz $$;
SET search_path = regress_jwt, pg_catalog, public;
CREATE EXTENSION jwt_auth;
RESET search_path;
SELECT extname, extrelocatable, extversion FROM pg_extension WHERE extname = 'jwt_auth';
SELECT pg_temp.try('CREATE EXTENSION jwt_auth SCHEMA public') ~ '^42710' AS there;
SELECT pg_temp.try('ALTER EXTENSION jwt_auth SET SCHEMA public');

--
-- Functions
--
SELECT p.oid::regprocedure AS function, p.provolatile AS vol, p.proisstrict AS strict, p.proparallel AS par, p.prosecdef AS definer,
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0) AS public
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'jwt' ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT p.oid::regprocedure AS fault,
       CASE WHEN p.proleakproof THEN 'leakproof' END, CASE WHEN obj_description(p.oid, 'pg_proc') IS NULL THEN 'no comment' END,
       CASE WHEN p.pronargs > 0 AND p.proargnames IS NULL OR '' = ANY (p.proargnames[:p.pronargs]) THEN 'no argument names' END,
       CASE WHEN p.prosecdef AND NOT coalesce(array_to_string(p.proconfig, ' ') ~ '^search_path=pg_catalog, pg_temp( |$)', false) THEN 'open search_path' END,
       CASE WHEN NOT p.prosecdef AND p.proconfig IS NOT NULL AND p.provolatile = 's' AND has_function_privilege('regress_jwt_user', p.oid, 'EXECUTE') THEN 'SET clause' END,
       CASE WHEN p.proisstrict AND 'token' = ANY (p.proargnames) THEN 'strict' END,
       CASE WHEN (SELECT rolsuper FROM pg_roles r WHERE r.oid = p.proowner) IS NOT TRUE THEN 'owner' END
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = 'jwt' AND (p.proleakproof OR obj_description(p.oid, 'pg_proc') IS NULL OR p.pronargs > 0 AND p.proargnames IS NULL OR '' = ANY (p.proargnames[:p.pronargs])
       OR p.prosecdef AND NOT coalesce(array_to_string(p.proconfig, ' ') ~ '^search_path=pg_catalog, pg_temp( |$)', false) OR NOT p.prosecdef AND p.proconfig IS NOT NULL AND p.provolatile = 's' AND has_function_privilege('regress_jwt_user', p.oid, 'EXECUTE')
       OR p.proisstrict AND 'token' = ANY (p.proargnames) OR (SELECT rolsuper FROM pg_roles r WHERE r.oid = p.proowner) IS NOT TRUE)
 ORDER BY 1;
-- grants to anybody but the owner and PUBLIC's EXECUTE
SELECT p.oid::regprocedure AS fault, a.grantee::regrole, a.privilege_type, a.is_grantable
  FROM pg_proc p, aclexplode(p.proacl) a WHERE p.pronamespace = 'jwt'::regnamespace AND a.grantee <> p.proowner AND (a.grantee <> 0 OR a.is_grantable)
 ORDER BY p.oid::regprocedure::text COLLATE "C";

--
-- Tables, views, triggers, the schema
--
SELECT c.oid::regclass AS relation, c.relkind AS kind, c.relrowsecurity AS rls, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies,
       c.reloptions AS options, obj_description(c.oid, 'pg_class') IS NOT NULL AS comment,
       (SELECT string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) FROM aclexplode(c.relacl) a WHERE a.grantee = 0) AS public,
       c.oid = ANY (e.extconfig) AS dumped
  FROM pg_class c, pg_extension e WHERE c.relnamespace = 'jwt'::regnamespace AND e.extname = 'jwt_auth' AND c.relkind NOT IN ('i', 't', 'c') ORDER BY c.relname COLLATE "C";
SELECT tgrelid::regclass AS relation, tgname, tgenabled FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'jwt.%' AND NOT tgisinternal ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT nspacl::text LIKE '%=U/%' AS usage, EXISTS (SELECT FROM aclexplode(nspacl) WHERE grantee = 0 AND privilege_type = 'CREATE') AS "create",
       obj_description(oid, 'pg_namespace') IS NOT NULL AS comment FROM pg_namespace WHERE nspname = 'jwt';
-- text that is looked up is compared byte for byte
SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_index i ON i.indrelid = c.oid AND a.attnum = ANY (i.indkey)
 WHERE c.relnamespace = 'jwt'::regnamespace AND a.attcollation NOT IN (0, 'pg_catalog."C"'::regcollation);
-- the statement clock of the view is the server's
SELECT pg_get_viewdef('jwt.sessions') !~ 'regress_jwt' AS own_clock;

--
-- What plain roles, and those who may read or write "all data", can do
--
SELECT jwt.generate_key('HS256', 'k');
SELECT jwt.open_session('42') IS NOT NULL AS opened, jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:')::text = '' AS trusted,
       jwt.revoke(jwt.sign('{}')) AS revoked, jwt.revoke_subject('43') AS closed;
-- whether a statement that counts rows met any
CREATE FUNCTION pg_temp.done(statement text) RETURNS boolean LANGUAGE sql AS $$ SELECT pg_temp.try(statement) ~ '^ok: [1-9]' $$;
CREATE FUNCTION pg_temp.attempts(who regrole) RETURNS TABLE (relation regclass, read boolean, inserted boolean, updated boolean, deleted boolean) LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'jwt'::regnamespace AND relkind IN ('r', 'v', 'S') ORDER BY relname COLLATE "C" LOOP
        EXECUTE format('SET LOCAL ROLE %s', who);
        read := pg_temp.done(format('SELECT count(*) FROM %s', relation));
        inserted := pg_temp.done(format('WITH x AS (INSERT INTO %1$s SELECT (r).* FROM (SELECT NULL::%1$s AS r) n RETURNING 1) SELECT count(*) FROM x', relation));
        updated := pg_temp.done((SELECT format('WITH x AS (UPDATE %1$s SET %2$I = %2$I RETURNING 1) SELECT count(*) FROM x', relation, attname) FROM pg_attribute WHERE attrelid = relation AND attnum = 1));
        deleted := pg_temp.done(format('WITH x AS (DELETE FROM %s RETURNING 1) SELECT count(*) FROM x', relation));
        RESET ROLE;
        RETURN NEXT;
    END LOOP;
END
$$;
BEGIN;
SELECT * FROM pg_temp.attempts('regress_jwt_user');
SELECT * FROM pg_temp.attempts('regress_jwt_all');
ROLLBACK;
-- the superuser who made them may
BEGIN;
SELECT * FROM pg_temp.attempts(current_user::regrole) WHERE relation::text ~ 'store|issuers|revoked';
ROLLBACK;
-- nor by a careless grant
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jwt TO regress_jwt_user;
BEGIN;
SELECT * FROM pg_temp.attempts('regress_jwt_user');
ROLLBACK;
SET ROLE regress_jwt_user;
SELECT pg_temp.try($$INSERT INTO jwt.revoked_tokens VALUES ('', 'x', 'infinity')$$);
SELECT pg_temp.try($$INSERT INTO jwt.issuers (issuer, audiences) VALUES ('https://evil.example', '{*}')$$);
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA jwt FROM regress_jwt_user;
-- what is not public, as somebody
SET ROLE regress_jwt_user;
SELECT statement, left(pg_temp.try(statement), 5) AS answer
  FROM unnest(ARRAY['SELECT jwt.sign(''{}'')', 'SELECT jwt.sign_with(''{}'', ''{}'')', 'SELECT jwt.renew(''x'')', 'SELECT jwt.introspect(''x'')', 'SELECT jwt.jws_sign(''x'', ''{}'')',
      'SELECT jwt.generate_key()', 'SELECT jwt.import_key(''{}'')', 'SELECT jwt.import_jwks(''{}'', ''x'')', 'SELECT jwt.rotate_key()', 'SELECT jwt.set_key_status(''k'', ''revoked'')',
      'SELECT jwt.drop_key(''k'')', 'SELECT jwt.open_session(''42'')', 'SELECT jwt.refresh(''x'')', 'SELECT jwt.close_session(NULL)', 'SELECT jwt.close_sessions(''42'')',
      'SELECT jwt.revoke(''x'')', 'SELECT jwt.revoke_subject(''42'')', 'SELECT jwt.purge()', 'SELECT jwt.trust_issuer(''x'', ''{*}'')', 'SELECT jwt.distrust_issuer(''x'')',
      'SELECT jwt.stats_reset()', 'SELECT jwt.stats_rows()', 'SELECT jwt.stats_source()', 'SELECT jwt.impersonate(''{}'')', 'SELECT jwt.own_issuer()', 'SELECT jwt.invalidate()', 'SELECT jwt.jwks() IS NOT NULL', 'SELECT jwt.subject()', 'SELECT count(*) FROM jwt.my_sessions']) statement;
RESET ROLE;
SELECT pg_temp.try('SELECT jwt.invalidate()');

--
-- DROP leaves nothing, and the same backend starts anew
--
SELECT jwt.sign('{}') AS token \gset
SELECT pg_temp.words(:'token');
DROP EXTENSION jwt_auth CASCADE;
SELECT count(*) FROM pg_namespace WHERE nspname = 'jwt';
SELECT count(*) FROM pg_proc WHERE probin LIKE '%jwt_auth%';
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM PUBLIC;
SELECT count(*) AS default_privileges FROM pg_default_acl;
CREATE EXTENSION jwt_auth;
SELECT count(*) FROM jwt.keys;
SELECT pg_temp.words(:'token');
SELECT jwt.generate_key('HS256', 'k');
SELECT pg_temp.words(:'token'), pg_temp.words(jwt.sign('{}'));
-- and what it said of somebody ends with it
BEGIN;
SET LOCAL client_min_messages = error;
SELECT jwt.authenticate(jwt.sign('{"sub":"42"}'))->>'sub' AS sub;
DROP EXTENSION jwt_auth;
CREATE EXTENSION jwt_auth;
SELECT pg_temp.try('SELECT jwt.subject()');
ROLLBACK;
SELECT pg_temp.words(jwt.sign('{}'));

--
-- Tables that somebody has changed
--
SELECT jwt.generate_key('HS256', 'changed');
SELECT jwt.open_session('42') IS NOT NULL AS opened;
BEGIN;
CREATE RULE nothing AS ON INSERT TO jwt.session_store DO INSTEAD NOTHING;
SELECT pg_temp.try($$SELECT jwt.open_session('42')$$);
ROLLBACK;
SELECT pg_temp.try($$SELECT jwt.open_session('42') IS NOT NULL$$);
BEGIN;
ALTER TABLE jwt.issuers DROP CONSTRAINT issuers_pkey;
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', jwt.sign('{"iss":"https://idp.example"}')));
ROLLBACK;
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', jwt.sign('{"iss":"https://idp.example"}')));
-- a trigger function is no function
SELECT pg_temp.try('SELECT jwt.refuse_write()');
-- a function of somebody's that calls ours without the extension
CREATE FUNCTION regress_jwt.orphan(jsonb, text DEFAULT NULL, interval DEFAULT NULL, jsonb DEFAULT NULL) RETURNS text LANGUAGE c AS '$libdir/jwt_auth', 'jwt_auth_sign';
SELECT regress_jwt.orphan('{}') IS NOT NULL AS signs;
BEGIN;
DROP EXTENSION jwt_auth;
SELECT pg_temp.try($$SELECT regress_jwt.orphan('{}')$$);
ROLLBACK;
SELECT regress_jwt.orphan('{}') IS NOT NULL AS signs;

DROP EXTENSION jwt_auth CASCADE;
DROP SCHEMA regress_jwt CASCADE;
DROP OWNED BY regress_jwt_user, regress_jwt_all;
DROP ROLE regress_jwt_user, regress_jwt_all;
