-- jwt.check(): each fault that can be made here is reported, and its absence.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
SELECT current_database() AS database \gset
CREATE EXTENSION jwt_auth;

-- a fresh install; what depends on the machine is left out
-- all of it, once
SELECT area, item, status, CASE WHEN area = 'versions' AND item <> 'jwt_auth' THEN detail <> '' ELSE NULL END AS says, CASE WHEN area <> 'versions' OR item = 'jwt_auth' THEN detail END AS detail
  FROM jwt.check() WHERE item NOT IN ('FIPS', 'newest iat') AND area NOT IN ('algorithms', 'TLS');
SELECT what_to_do FROM jwt.check() WHERE status <> 'ok' AND area IN ('preload', 'keys');
-- each algorithm is one that we know, tried for real
SELECT count(*) = (SELECT count(*) FROM jwt.self_test()) AS all, bool_and(jwt.check_algorithms(ARRAY[item])) AS known FROM jwt.check() WHERE area = 'algorithms' AND item <> 'FIPS';
SELECT bool_and(works) AS work, count(DISTINCT alg) FROM jwt.self_test() WHERE alg ~ '^(HS|RS|PS)|^ES(256|384|512)$';
SELECT alg FROM jwt.self_test() WHERE works IS DISTINCT FROM (detail = 'signs and verifies');
SELECT version = (SELECT extversion FROM pg_extension WHERE extname = 'jwt_auth') AS ours, crypto ~ '^OpenSSL [3-9]' AS crypto, crypto_built_for ~ '^OpenSSL [3-9]' AS built_for FROM jwt.library_info();

-- one part at a time: the algorithms take a while
SET jit = off;
\set report 'SELECT item, status, detail, what_to_do FROM '

--
-- Preload
--
\set preload :report 'jwt.check_server() WHERE area = ''preload'';'
ALTER DATABASE :"database" SET session_preload_libraries = '$libdir/jwt_auth', 'auto_explain';
:preload
ALTER DATABASE :"database" SET session_preload_libraries = 'not_jwt_auth', 'jwt_auth_pgjwt';
:preload
ALTER DATABASE :"database" RESET session_preload_libraries;

--
-- The clock; the newest iat is in t/270_advise.pl
--
SET datestyle = ISO;
\set clock 'SELECT item, status, regexp_replace(detail, ''[0-9].*'', ''...'') AS detail, what_to_do FROM jwt.check_server() WHERE item = ''newest record'';'
SELECT jwt.generate_key('ES256', 'k1');
:clock
SELECT count(*) FROM (SELECT jwt.open_session('42')) s;
:clock
UPDATE jwt.session_store SET refreshed_at = now() + interval '1 minute';
:clock
SET jwt_auth.leeway = '2min';
:clock
RESET jwt_auth.leeway;
UPDATE jwt.session_store SET refreshed_at = now();
:clock
RESET datestyle;

--
-- Issuers
--
\set issuer :report 'jwt.check_server() WHERE area = ''issuer'';'
SET jwt_auth.issuer = 'https://api.example';
SET jwt_auth.audience = 'api';
:issuer
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
:issuer
SELECT jwt.import_key('{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"idp","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', issuer => 'https://idp.example');
:issuer
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:');
:issuer
SELECT jwt.distrust_issuer('https://idp.example');
SELECT jwt.trust_issuer('https://api.example', '{api}');
:issuer
SELECT jwt.distrust_issuer('https://api.example');
RESET jwt_auth.issuer;
RESET jwt_auth.audience;

--
-- Keys and the file that seals them (more in t/270_advise.pl)
--
\set keys :report 'jwt.check_keys();'
:keys
SELECT jwt.set_key_times('k1', now() + interval '1 day', NULL);
:keys
SELECT jwt.set_key_times('k1', NULL, now() - interval '1 day');
:keys
SELECT jwt.set_key_times('k1', NULL, NULL);
SET jwt_auth.encryption_key_file = '/no/such/file';
:keys
RESET jwt_auth.encryption_key_file;
SELECT jwt.set_key_status('k1', 'previous');
:keys
SELECT jwt.set_key_status('k1', 'current');
UPDATE jwt.key_store SET sealed_by = 'another file', secret = '\x00';
:keys
DELETE FROM jwt.key_store;

--
-- Gateways (this server trusts every connection; t/270_advise.pl has others)
--
\set gateways 'SELECT item, status, split_part(detail, '': line'', 1) AS detail, what_to_do FROM jwt.check_peers() WHERE area = ''gateways'' ORDER BY item COLLATE "C";'
:gateways
CREATE ROLE regress_jwt_gateway SUPERUSER;
CREATE ROLE regress_jwt_group;
SET jwt_auth.trusted_gateways = 'regress_jwt_gateway, regress_jwt_group, "No Such Role"';
:gateways
ALTER ROLE regress_jwt_gateway NOSUPERUSER BYPASSRLS;
:gateways
ALTER ROLE regress_jwt_gateway LOGIN SUPERUSER;
:gateways
SELECT what_to_do FROM jwt.check_peers() WHERE area = 'gateways' AND item = 'regress_jwt_gateway' \gexec
:gateways
RESET jwt_auth.trusted_gateways;

--
-- Triggers and row security
--
\set tables 'SELECT area, item, status, detail, what_to_do FROM jwt.check_tables() ORDER BY area, item, detail COLLATE "C";'
:tables
ALTER TABLE jwt.key_store ENABLE TRIGGER ALL;
ALTER TABLE jwt.session_store ENABLE REPLICA TRIGGER invalidate_update;
ALTER TABLE jwt.issuers DISABLE TRIGGER invalidate;
ALTER TABLE jwt.event_store DISABLE TRIGGER refuse_truncate;
:tables
SELECT what_to_do FROM jwt.check_tables() WHERE area = 'triggers' ORDER BY item, detail \gexec
:tables
ALTER TABLE jwt.revoked_tokens DISABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON jwt.key_store USING (true);
CREATE FUNCTION regress_jwt_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER mine BEFORE INSERT ON jwt.session_store FOR EACH ROW EXECUTE FUNCTION regress_jwt_trigger();
:tables
SELECT what_to_do FROM jwt.check_tables() ORDER BY area, item, detail \gexec
:tables
BEGIN;
ALTER EXTENSION jwt_auth DROP FUNCTION jwt.invalidate();
DROP TRIGGER invalidate ON jwt.revoked_subjects;
:tables
ROLLBACK;
DROP FUNCTION regress_jwt_trigger();

--
-- Privileges
--
\set privileges :report 'jwt.check_privileges() ORDER BY item COLLATE "C", detail COLLATE "C";'
:privileges
GRANT SELECT ON jwt.keys TO PUBLIC;
GRANT SELECT ON jwt.sessions TO regress_jwt_group WITH GRANT OPTION;
GRANT SELECT (kid, issuer), UPDATE (kid) ON jwt.key_store TO regress_jwt_group;
GRANT USAGE ON SEQUENCE jwt.event_store_id_seq TO regress_jwt_group;
GRANT EXECUTE ON FUNCTION jwt.sign TO PUBLIC;
GRANT EXECUTE ON FUNCTION jwt.open_session TO regress_jwt_group;
REVOKE EXECUTE ON FUNCTION jwt.subject FROM PUBLIC;
GRANT CREATE ON SCHEMA jwt TO regress_jwt_group;
:privileges
SELECT what_to_do FROM jwt.check_privileges() ORDER BY item COLLATE "C", detail COLLATE "C" \gexec
:privileges
-- what the README advises is no fault
GRANT EXECUTE ON FUNCTION jwt.open_session TO regress_jwt_group;
CREATE FUNCTION regress_jwt_login() RETURNS jsonb LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT jwt.open_session('42') $$;
ALTER FUNCTION regress_jwt_login() OWNER TO regress_jwt_group;
:privileges
GRANT EXECUTE ON FUNCTION jwt.open_session TO regress_jwt_group WITH GRANT OPTION;
:privileges
DROP FUNCTION regress_jwt_login();
REVOKE EXECUTE ON FUNCTION jwt.open_session FROM regress_jwt_group;
ALTER FUNCTION jwt.purge() OWNER TO regress_jwt_group;
:privileges
ALTER FUNCTION jwt.purge() OWNER TO CURRENT_USER;
:privileges

--
-- Not for everybody
--
SET ROLE regress_jwt_group;
SELECT pg_temp.try('SELECT count(*) FROM jwt.check()');
RESET ROLE;
GRANT EXECUTE ON FUNCTION jwt.check TO regress_jwt_group;
SET ROLE regress_jwt_group;
SELECT pg_temp.try('SELECT count(*) > 20 FROM jwt.check()');
RESET ROLE;

DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_gateway, regress_jwt_group;
