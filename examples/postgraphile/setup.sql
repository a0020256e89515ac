-- What server.js expects: as a superuser, in a new database.
\set ON_ERROR_STOP on
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key() AS kid \gset
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'jwt_auth';
-- Tokens are parameters, which are for no log.
ALTER DATABASE :"DBNAME" SET log_parameter_max_length = 0;

CREATE ROLE graphile_login LOGIN NOINHERIT;  -- PostGraphile connects as this one
CREATE ROLE graphile_anon NOLOGIN;           -- somebody without a token
CREATE ROLE graphile_user NOLOGIN;           -- somebody with one
GRANT graphile_anon, graphile_user TO graphile_login;

CREATE SCHEMA api;
GRANT USAGE ON SCHEMA api TO graphile_anon, graphile_user;
CREATE TABLE api.notes (
    id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner text NOT NULL DEFAULT jwt.subject(),
    body text NOT NULL
);
CREATE INDEX ON api.notes (owner);
INSERT INTO api.notes (owner, body) VALUES ('alice', 'call bob'), ('bob', 'do not call alice');
ALTER TABLE api.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE api.notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON api.notes USING (owner = jwt.subject());
GRANT SELECT ON api.notes TO graphile_anon;
GRANT SELECT, INSERT (body), DELETE ON api.notes TO graphile_user;
