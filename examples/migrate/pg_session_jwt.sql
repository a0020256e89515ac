-- pg_session_jwt's functions over jwt_auth, so that policies and the calls of
-- an application stay as they are.
--
--	psql -v ON_ERROR_STOP=1 -f examples/migrate/pg_session_jwt.sql
--
-- As a superuser, after DROP EXTENSION pg_session_jwt.  If policies stand in
-- its way (it is not to CASCADE), detach it instead, by
--	ALTER EXTENSION pg_session_jwt DROP FUNCTION auth.user_id();
-- and so on for each function, and drop it then.
--
-- The key that clients chose with -c pg_session_jwt.jwk=... becomes one that
-- the database trusts, with rules for whose tokens are good:
--
--	SELECT jwt.trust_issuer('https://auth.example.com', '{my-app}');
--	SELECT jwt.import_jwks('{"keys": [...]}', 'https://auth.example.com');
--
-- Otherwise than before: jti need not be a number that grows; exp is judged at
-- every statement and not once a token; request.jwt.claims counts only in
-- sessions of jwt_auth.trusted_gateways.

CREATE EXTENSION IF NOT EXISTS jwt_auth;
CREATE SCHEMA IF NOT EXISTS auth;
GRANT USAGE ON SCHEMA auth TO PUBLIC;

-- NULL where nobody is asking, or sub is missing or no string.
CREATE OR REPLACE FUNCTION auth.user_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jwt.subject();

-- NULL also where sub is no UUID.
CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jwt.uid();

-- The JSON value null, and not NULL, where nobody is asking.
CREATE OR REPLACE FUNCTION auth.session() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(jwt.claims(), 'null'::jsonb);

CREATE OR REPLACE FUNCTION auth.jwt() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(jwt.claims(), 'null'::jsonb);

-- Claim o, if it is an object; and its id, if that is a UUID.
CREATE OR REPLACE FUNCTION auth.organization() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof(jwt.claims() -> 'o') WHEN 'object' THEN jwt.claims() -> 'o' END;

CREATE OR REPLACE FUNCTION auth.organization_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN jwt.claim('o', 'id') ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN jwt.claim('o', 'id')::uuid END;

-- Nothing is left to do: the keys are in the database.
CREATE OR REPLACE FUNCTION auth.init() RETURNS void
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
    END;

-- For the rest of the session, as it was.  Behind a pooler that hands the
-- connection to others call jwt.authenticate() in each transaction instead.
-- A token that is not good is an error, and the last one stays in force.
CREATE OR REPLACE FUNCTION auth.jwt_session_init(jwt text) RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM jwt.verify(jwt_session_init.jwt);
    PERFORM set_config('jwt_auth.token', jwt_session_init.jwt, false);
END
$$;

GRANT EXECUTE ON FUNCTION auth.user_id(), auth.uid(), auth.session(), auth.jwt(), auth.organization(),
    auth.organization_id(), auth.init(), auth.jwt_session_init(text) TO PUBLIC;
