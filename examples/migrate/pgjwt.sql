-- From pgjwt to jwt_auth in three steps.  Each works on its own, and none
-- ends tokens that are out there, if they expire and the secret is long enough.
--
--	psql -v ON_ERROR_STOP=1 -v secret='the secret of your tokens' -f examples/migrate/pgjwt.sql
--
-- As a superuser.  Take the steps on different days, with changes to your
-- functions between them.

-- [swap]
-- 1. The same functions, many times as fast and stricter.  If other objects
-- than functions depend on pgjwt (a view, a column default), drop them before
-- and make them again after.
CREATE SCHEMA IF NOT EXISTS extensions;
DROP EXTENSION IF EXISTS pgjwt;
CREATE EXTENSION IF NOT EXISTS jwt_auth;
CREATE EXTENSION jwt_auth_pgjwt SCHEMA extensions;    -- where pgjwt was
ALTER DATABASE :"DBNAME" SET jwt_auth_pgjwt.strict = on;
-- [end]

-- [keep]
-- 2. The database keeps the secret.  Write jwt.sign('{...}') for
-- sign('{...}', secret), and jwt.verify(token) for verify(token, secret): it
-- raises 28J01 and the like where "valid" was false.  The same tokens go in
-- and out, but those that do not expire are refused.  A secret of less than
-- 32 bytes cannot be kept: go on with step 3, and let users sign in again.
SELECT jwt.import_key(jwt.jwk_from_secret(:'secret'), kid => 'pgjwt', status => 'current') AS kid;
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'jwt_auth';
-- and no longer a setting that everybody may read
ALTER DATABASE :"DBNAME" RESET app.jwt_secret;
-- [end]

-- [leave]
-- 3. Sign with a key that nobody else has; the old one only verifies.  Other
-- services verify with the public keys of jwt.jwks().
SELECT jwt.set_key_status('pgjwt', 'previous');
SELECT jwt.generate_key() IS NOT NULL AS made;
-- and, when the last old token has expired:
--	SELECT jwt.drop_key('pgjwt');
--	DROP EXTENSION jwt_auth_pgjwt;
-- [end]
