-- Supabase's auth.uid(), auth.role(), auth.email() and auth.jwt() over
-- jwt_auth, so that policies and column defaults stay as they are.
--
--	psql -v ON_ERROR_STOP=1 -f examples/migrate/supabase.sql
--
-- As a superuser, in the database that the tables were restored into.  The
-- functions are replaced where they are, because policies refer to them.
--
-- Then say whose tokens are good.  Supabase's own, while you still use it:
--
--	SELECT jwt.trust_issuer('https://PROJECT.supabase.co/auth/v1', '{authenticated}',
--	           role_claim => '$.role', allowed_roles => '{anon,authenticated}');
--	\set jwks `curl -fsS https://PROJECT.supabase.co/auth/v1/.well-known/jwks.json`
--	SELECT jwt.import_jwks(:'jwks', 'https://PROJECT.supabase.co/auth/v1');
--
-- Tokens of your own need jwt.generate_key() and a sign-in (docs/sign-in.md).
-- And say how claims come in: docs/postgrest.md, docs/drivers.md.
--
-- All four are NULL where nobody is asking or the claim is missing.  Unlike
-- Supabase's, auth.uid() is NULL, and no error, where sub is no UUID; and an
-- expired or revoked token is an error, not somebody.

CREATE EXTENSION IF NOT EXISTS jwt_auth;
CREATE SCHEMA IF NOT EXISTS auth;
GRANT USAGE ON SCHEMA auth TO PUBLIC;

-- One expression each, and STABLE: the planner puts it in place of the call,
-- and an index on the column is used.
CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jwt.uid();
COMMENT ON FUNCTION auth.uid() IS 'Who is asking, if that is a UUID; as jwt.uid()';

-- Of an issuer that may not name roles here it is NULL, whatever it claims.
CREATE OR REPLACE FUNCTION auth.role() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jwt.role();
COMMENT ON FUNCTION auth.role() IS 'The role that the claims name; as jwt.role()';

CREATE OR REPLACE FUNCTION auth.email() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jwt.claim('email');
COMMENT ON FUNCTION auth.email() IS 'Claim email; as jwt.claim(''email'')';

CREATE OR REPLACE FUNCTION auth.jwt() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jwt.claims();
COMMENT ON FUNCTION auth.jwt() IS 'All claims; as jwt.claims()';

GRANT EXECUTE ON FUNCTION auth.uid(), auth.role(), auth.email(), auth.jwt() TO PUBLIC;
