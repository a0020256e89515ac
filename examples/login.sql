-- A sign-in, refresh and sign-out inside the database: users with hashed
-- passwords, three functions for an API to call, and a claims hook that
-- ends the sessions of a disabled user.
--
--	scripts/with_server.sh psql -X -f examples/login.sql
--
-- runs it on a throw-away server.  Elsewhere: as a superuser, in a new
-- database.  docs/sign-in.md quotes the parts between "-- [name]" and "-- [end]".

\set ON_ERROR_STOP on
\set QUIET on
\set admin :USER
\pset footer off
\pset null null

-- [database]
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key();
CREATE SCHEMA auth;                       -- private: what the API cannot see
CREATE SCHEMA api;                        -- what the API may call
CREATE EXTENSION pgcrypto SCHEMA auth;    -- crypt() and gen_salt()
-- [end]

-- [roles]
CREATE ROLE authenticator LOGIN NOINHERIT;  -- the API connects as this one
CREATE ROLE anon NOLOGIN;                   -- somebody who has not signed in
CREATE ROLE web_user NOLOGIN;               -- somebody who has
CREATE ROLE auth_owner NOLOGIN;             -- owns the three functions
GRANT anon, web_user TO authenticator;
GRANT USAGE ON SCHEMA api TO anon, web_user;
GRANT USAGE ON SCHEMA auth TO auth_owner;
-- [end]

-- [users]
CREATE TABLE auth.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL,
    password_hash text NOT NULL,
    is_disabled boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX ON auth.users (lower(email));
GRANT SELECT ON auth.users TO auth_owner;

INSERT INTO auth.users (email, password_hash) VALUES
    ('alice@example.com', auth.crypt('correct horse', auth.gen_salt('bf', 10))),
    ('bob@example.com', auth.crypt('battery staple', auth.gen_salt('bf', 10)));
-- [end]

-- [hook]
-- Asked at each sign-in and each refresh.  No row, so NULL, refuses.
CREATE FUNCTION auth.session_claims(subject text, sid uuid, claims jsonb)
    RETURNS jsonb LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    RETURN (SELECT session_claims.claims || '{"role": "web_user"}'
              FROM auth.users u
             WHERE u.id = session_claims.subject::uuid AND NOT u.is_disabled);
REVOKE EXECUTE ON FUNCTION auth.session_claims FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.session_claims TO auth_owner;
-- [end]

-- [functions]
-- All three answer OAuth 2.0 JSON; a failure is {"error": "invalid_grant", ...}.
CREATE FUNCTION api.login(email text, password text)
    RETURNS jsonb LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found auth.users;
    hash text;
BEGIN
    SELECT * INTO found FROM auth.users u WHERE lower(u.email) = lower(login.email);
    -- An unknown address costs as much time as a wrong password.
    hash := auth.crypt(password, coalesce(found.password_hash, auth.gen_salt('bf', 10)));
    IF hash = found.password_hash AND NOT found.is_disabled THEN
        RETURN jwt.open_session(found.id::text);
    END IF;
    RETURN '{"error": "invalid_grant", "error_description": "Wrong email or password."}';
END
$$;

CREATE FUNCTION api.refresh(refresh_token text)
    RETURNS jsonb LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    RETURN jwt.refresh(refresh_token);

CREATE FUNCTION api.logout(refresh_token text)
    RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    RETURN jwt.revoke(refresh_token);
-- [end]

-- [grants]
-- auth_owner may open and continue sessions.  Nobody else may, but through it.
GRANT EXECUTE ON FUNCTION jwt.open_session, jwt.refresh, jwt.revoke TO auth_owner;

REVOKE EXECUTE ON FUNCTION api.login, api.refresh, api.logout FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.login, api.refresh, api.logout TO anon, web_user;
GRANT CREATE ON SCHEMA api TO auth_owner;    -- to own something there; then no more
ALTER FUNCTION api.login OWNER TO auth_owner;
ALTER FUNCTION api.refresh OWNER TO auth_owner;
ALTER FUNCTION api.logout OWNER TO auth_owner;
REVOKE CREATE ON SCHEMA api FROM auth_owner;
-- [end]

-- [settings]
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'jwt_auth';
ALTER DATABASE :"DBNAME" SET jwt_auth.claims_hook = 'auth.session_claims';
ALTER DATABASE :"DBNAME" SET log_parameter_max_length = 0;  -- passwords and tokens are for no log
-- [end]

-- [notes]
CREATE TABLE api.notes (
    owner uuid NOT NULL DEFAULT jwt.uid(),
    body text NOT NULL
);
ALTER TABLE api.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE api.notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON api.notes USING (owner = jwt.uid());
GRANT SELECT, INSERT, UPDATE, DELETE ON api.notes TO web_user;
-- [end]

-- From here on as the API does it.
\c - authenticator
\set VERBOSITY sqlstate

\echo
\echo A wrong password:
SET ROLE anon;
SELECT api.login('alice@example.com', 'wrong') ->> 'error' AS error;

-- [sign-in]
SELECT s ->> 'access_token' AS access_token, s ->> 'refresh_token' AS refresh_token
  FROM api.login('alice@example.com', 'correct horse') AS s \gset
RESET ROLE;

BEGIN;
SELECT jwt.authenticate(:'access_token') ->> 'role' AS role;
INSERT INTO api.notes (body) VALUES ('call bob');
SELECT body FROM api.notes;
COMMIT;
-- [end]

\echo A refresh:
SET ROLE anon;
SELECT s ->> 'token_type' AS token_type, s ->> 'refresh_token' AS next_refresh_token
  FROM api.refresh(:'refresh_token') AS s \gset
SELECT :'token_type' AS token_type;
RESET ROLE;

\echo The administrator disables alice.  Her next refresh fails and closes the session:
\c - :admin
-- [disable]
UPDATE auth.users SET is_disabled = true WHERE email = 'alice@example.com';
-- [end]
\c - authenticator
SET ROLE anon;
SELECT api.refresh(:'next_refresh_token') ->> 'error' AS error \gset
SELECT :'error' AS error;
RESET ROLE;

\echo From then on the access token is refused, too (28J09):
\set ON_ERROR_STOP off
BEGIN;
SELECT jwt.authenticate(:'access_token');
\set state :SQLSTATE
ROLLBACK;
\set ON_ERROR_STOP on

\echo Bob signs out:
SET ROLE anon;
SELECT s ->> 'refresh_token' AS bob
  FROM api.login('bob@example.com', 'battery staple') AS s \gset
SELECT api.logout(:'bob') AS signed_out \gset
SELECT :'signed_out' AS signed_out, api.refresh(:'bob') ->> 'error' AS refresh_after \gset
SELECT :'signed_out' AS signed_out, :'refresh_after' AS refresh_after;

SELECT :'error' = 'invalid_grant' AND :'state' = '28J09'
	AND :'signed_out' AND :'refresh_after' = 'invalid_grant' AS promised \gset
\if :promised
\echo 'login: all as promised'
\else
DO $$ BEGIN RAISE 'login: NOT as promised'; END $$;
\endif
