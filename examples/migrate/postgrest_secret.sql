-- One key set for PostgREST and the database: PostgREST asks for it, so that
-- no jwt-secret stands in its configuration any more.
--
--	psql -v ON_ERROR_STOP=1 -f examples/migrate/postgrest_secret.sql
--
-- As a superuser; the role authenticator is the one PostgREST connects as.
-- In PostgREST's configuration (11 or later), in place of jwt-secret:
--
--	db-pre-config = "postgrest.pre_config"
--
-- Tokens of the old jwt-secret are refused by PostgREST from then on: a
-- secret cannot be published, so users sign in again.

CREATE EXTENSION IF NOT EXISTS jwt_auth;
SELECT jwt.generate_key() IS NOT NULL AS made
 WHERE NOT EXISTS (SELECT FROM jwt.keys WHERE issuer IS NULL AND status = 'current' AND kty <> 'oct');

CREATE SCHEMA postgrest;
GRANT USAGE ON SCHEMA postgrest TO authenticator;

CREATE FUNCTION postgrest.pre_config() RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT set_config('pgrst.jwt_secret', jwt.jwks()::text, true);
    END;
COMMENT ON FUNCTION postgrest.pre_config() IS 'For db-pre-config: PostgREST verifies with our public keys';
REVOKE EXECUTE ON FUNCTION postgrest.pre_config() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION postgrest.pre_config() TO authenticator;

-- Rotates, and lets PostgREST read the set again.  A standby key was in the
-- set before, so that PostgREST refuses nobody in between.
CREATE FUNCTION postgrest.rotate_key(alg text DEFAULT NULL) RETURNS text
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT pg_notify('pgrst', 'reload config');
        SELECT jwt.rotate_key(alg);
    END;
COMMENT ON FUNCTION postgrest.rotate_key(text) IS 'As jwt.rotate_key(), and PostgREST is told';
REVOKE EXECUTE ON FUNCTION postgrest.rotate_key(text) FROM PUBLIC;
