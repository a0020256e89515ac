-- What demo.js expects: as a superuser, in a new database.
\set ON_ERROR_STOP on
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key() AS kid \gset
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'jwt_auth';
-- Tokens are parameters, which are for no log.
ALTER DATABASE :"DBNAME" SET log_parameter_max_length = 0;
-- So short only to show the refresh; the default is 15 minutes.
ALTER DATABASE :"DBNAME" SET jwt_auth.access_token_lifetime = '2s';

CREATE ROLE pool_login LOGIN NOINHERIT;  -- the pool connects as this one
CREATE ROLE pool_user NOLOGIN;           -- named by the tokens
CREATE ROLE pool_owner NOLOGIN;
GRANT pool_user TO pool_login;
GRANT EXECUTE ON FUNCTION jwt.open_session, jwt.refresh, jwt.revoke TO pool_owner;

CREATE SCHEMA app AUTHORIZATION pool_owner;
GRANT USAGE ON SCHEMA app TO pool_login, pool_user;
SET ROLE pool_owner;

CREATE TABLE app.people (name text PRIMARY KEY, tenant text NOT NULL);
INSERT INTO app.people VALUES ('alice', 'acme'), ('bob', 'globex');

CREATE TABLE app.invoices (
    tenant text NOT NULL DEFAULT jwt.claim('tenant'),
    body text NOT NULL
);
CREATE INDEX ON app.invoices (tenant);
INSERT INTO app.invoices VALUES ('acme', 'anvils'), ('globex', 'a hammock'), ('globex', 'sugar');
ALTER TABLE app.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON app.invoices USING (tenant = jwt.claim('tenant'));
GRANT SELECT, INSERT ON app.invoices TO pool_user;

-- Believes whoever asks, to keep this short: a real one asks for a password,
-- as in examples/login.sql.
CREATE FUNCTION app.sign_in(who text)
    RETURNS jsonb LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT jwt.open_session(p.name, jsonb_build_object('role', 'pool_user', 'tenant', p.tenant))
              FROM app.people p WHERE p.name = who);
CREATE FUNCTION app.refresh(refresh_token text)
    RETURNS jsonb LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    RETURN jwt.refresh(refresh_token);
CREATE FUNCTION app.sign_out(refresh_token text)
    RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    RETURN jwt.revoke(refresh_token);
REVOKE EXECUTE ON FUNCTION app.sign_in, app.refresh, app.sign_out FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.sign_in, app.refresh, app.sign_out TO pool_login;
