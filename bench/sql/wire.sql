-- Once, for wire.sh.

SET client_min_messages = error;
CREATE EXTENSION jwt_auth;
CREATE EXTENSION pgcrypto;
\ir peers.sql

SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', 'HS256', 'bench'), status => 'current') \g /dev/null
CREATE ROLE gateway LOGIN NOINHERIT;
CREATE ROLE web_user;
GRANT web_user TO gateway;

CREATE TABLE tokens AS
    SELECT owner, claims::text, jwt.sign(claims, 'bench', '1 day') AS token
      FROM (SELECT g::text AS owner, jsonb_build_object('sub', g::text, 'role', 'web_user', 'email', 'me@example.com',
                       'name', 'Somebody', 'tenant', gen_random_uuid(), 'scope', 'notes:read notes:write profile',
                       'device', gen_random_uuid()) AS claims
              FROM generate_series(1, 100) g) c;

CREATE TABLE notes AS SELECT g::text AS owner, 'body of ' || g AS body FROM generate_series(1, 100000) g;
CREATE INDEX ON notes (owner);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = jwt.subject());

CREATE TABLE setting_notes AS SELECT * FROM notes;
CREATE INDEX ON setting_notes (owner);
ALTER TABLE setting_notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON setting_notes USING (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');

CREATE TABLE plain_notes AS SELECT * FROM notes;
CREATE INDEX ON plain_notes (owner);
GRANT SELECT ON notes, setting_notes TO web_user;
GRANT SELECT ON plain_notes TO gateway;
VACUUM ANALYZE;
CHECKPOINT;
