-- What server.js expects: as a superuser, in a new database.
\set ON_ERROR_STOP on
\set QUIET on
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key() AS kid \gset
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'jwt_auth';
-- Passwords and tokens are parameters, which are for no log.
ALTER DATABASE :"DBNAME" SET log_parameter_max_length = 0;
-- So short only to show the refresh; the default is 15 minutes.
ALTER DATABASE :"DBNAME" SET jwt_auth.access_token_lifetime = '3s';

CREATE ROLE page_login LOGIN NOINHERIT;  -- the server connects as this one
CREATE ROLE page_anon NOLOGIN;           -- somebody who has not signed in
CREATE ROLE page_user NOLOGIN;           -- somebody who has
CREATE ROLE page_owner NOLOGIN;          -- owns users and sign-in
GRANT page_anon, page_user TO page_login;
GRANT EXECUTE ON FUNCTION jwt.open_session, jwt.refresh, jwt.revoke TO page_owner;

CREATE SCHEMA auth AUTHORIZATION page_owner;
CREATE SCHEMA api AUTHORIZATION page_owner;
CREATE EXTENSION pgcrypto SCHEMA auth;
GRANT USAGE ON SCHEMA api TO page_anon, page_user;
SET ROLE page_owner;

CREATE TABLE auth.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL
);
CREATE UNIQUE INDEX ON auth.users (lower(email));
INSERT INTO auth.users (email, name, password_hash) VALUES
    ('alice@example.com', 'Alice', auth.crypt('correct horse', auth.gen_salt('bf', 10))),
    ('bob@example.com', 'Bob', auth.crypt('battery staple', auth.gen_salt('bf', 10)));

CREATE FUNCTION api.login(email text, password text, client jsonb)
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
    IF hash = found.password_hash THEN
        RETURN jwt.open_session(found.id::text,
            jsonb_build_object('role', 'page_user', 'name', found.name), client);
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
REVOKE EXECUTE ON FUNCTION api.login, api.refresh, api.logout FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.login, api.refresh, api.logout TO page_anon;

CREATE TABLE api.notes (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner uuid NOT NULL DEFAULT jwt.uid(),
    body text NOT NULL CHECK (body <> '')
);
CREATE INDEX ON api.notes (owner);
INSERT INTO api.notes (owner, body)
    SELECT id, unnest(CASE name WHEN 'Alice' THEN '{Call Bob,Water the plants}'::text[]
                                ELSE '{Do not call Alice}' END)
      FROM auth.users;
ALTER TABLE api.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE api.notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON api.notes USING (owner = jwt.uid());
GRANT SELECT, INSERT (body) ON api.notes TO page_user;
