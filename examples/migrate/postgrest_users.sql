-- What PostgREST's tutorial "SQL User Management" builds, with jwt_auth:
-- users with roles and hashed passwords, and a login that answers a token.
--
--	psql -v ON_ERROR_STOP=1 -f examples/migrate/postgrest_users.sql
--
-- As a superuser, in a new database.  Otherwise than the tutorial's: no
-- secret in a setting or a query, because the key is the database's; login
-- runs as a role that may sign and read users, not as a superuser; an
-- unknown address takes as long as a wrong password.  PostgREST gets our
-- public keys by postgrest_secret.sql.  Refresh and sign-out: docs/sign-in.md.

CREATE EXTENSION IF NOT EXISTS jwt_auth;
SELECT jwt.generate_key() IS NOT NULL AS made;

CREATE ROLE authenticator LOGIN NOINHERIT;    -- PostgREST connects as this one
CREATE ROLE anon NOLOGIN;
CREATE ROLE login_owner NOLOGIN;              -- owns login()
GRANT anon TO authenticator;

-- Hidden from the API.
CREATE SCHEMA basic_auth;
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA basic_auth;

CREATE TABLE basic_auth.users (
    email text PRIMARY KEY CHECK (email ~ '^[^@\s]+@[^@\s]+$'),
    pass text NOT NULL CHECK (length(pass) < 512),
    role name NOT NULL
);

-- A foreign key cannot refer to pg_roles.  The role must be one that
-- authenticator may take, else its tokens would be good for nothing.
CREATE FUNCTION basic_auth.check_role() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_auth_members m
                     JOIN pg_roles r ON r.oid = m.roleid
                    WHERE r.rolname = NEW.role AND m.member = 'authenticator'::regrole) THEN
        RAISE foreign_key_violation
            USING MESSAGE = format('authenticator may not take role "%s"', NEW.role),
                  HINT = format('GRANT %I TO authenticator.', NEW.role);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER users_role AFTER INSERT OR UPDATE OF role ON basic_auth.users
    FOR EACH ROW EXECUTE FUNCTION basic_auth.check_role();

-- What is stored is a hash, whoever writes the row.
CREATE FUNCTION basic_auth.hash_pass() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.pass IS DISTINCT FROM OLD.pass THEN
        NEW.pass := basic_auth.crypt(NEW.pass, basic_auth.gen_salt('bf', 10));
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER users_pass BEFORE INSERT OR UPDATE OF pass ON basic_auth.users
    FOR EACH ROW EXECUTE FUNCTION basic_auth.hash_pass();

-- What the API may call.
CREATE SCHEMA api;
GRANT USAGE ON SCHEMA api TO anon;

CREATE FUNCTION api.login(email text, pass text, OUT token text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found basic_auth.users;
    hash text;
BEGIN
    SELECT * INTO found FROM basic_auth.users u WHERE u.email = login.email;
    hash := basic_auth.crypt(login.pass, coalesce(found.pass, basic_auth.gen_salt('bf', 10)));
    -- Not "hash <> found.pass": NULL would pass.
    IF (hash = found.pass) IS NOT TRUE THEN
        RAISE invalid_password USING MESSAGE = 'wrong email or password';
    END IF;
    token := jwt.sign(jsonb_build_object('sub', found.email, 'email', found.email, 'role', found.role),
                      expires_in => '1 hour');
END
$$;

GRANT USAGE ON SCHEMA basic_auth TO login_owner;
GRANT SELECT ON basic_auth.users TO login_owner;
GRANT EXECUTE ON FUNCTION jwt.sign TO login_owner;
GRANT CREATE ON SCHEMA api TO login_owner;    -- to own something there; then no more
ALTER FUNCTION api.login OWNER TO login_owner;
REVOKE CREATE ON SCHEMA api FROM login_owner;
REVOKE EXECUTE ON FUNCTION api.login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api.login TO anon;
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'jwt_auth';
ALTER DATABASE :"DBNAME" SET log_parameter_max_length = 0;    -- passwords are for no log
