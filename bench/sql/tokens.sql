-- Once, for tokens.sh.

SET client_min_messages = warning;
\ir measure.sql
CREATE EXTENSION jwt_auth;
CREATE EXTENSION pgcrypto;
CREATE SCHEMA drop_in;
CREATE EXTENSION jwt_auth_pgjwt SCHEMA drop_in;
\ir peers.sql

CREATE FUNCTION reference_key(alg text, key text) RETURNS void LANGUAGE c STRICT AS :'library';
CREATE FUNCTION reference_signature(raw bytea) RETURNS bytea LANGUAGE c STRICT AS :'library';
CREATE FUNCTION reference_check(input text, sig bytea) RETURNS boolean LANGUAGE c STRICT AS :'library';
CREATE FUNCTION reference_verify(input text, sig bytea, payload text) RETURNS jsonb LANGUAGE c STRICT AS :'library';
CREATE FUNCTION reference_sign(input text) RETURNS boolean LANGUAGE c STRICT AS :'library';
CREATE FUNCTION reference_nothing(input text) RETURNS boolean LANGUAGE c STRICT AS :'library';

CREATE TABLE keys (alg text, jwk jsonb);

-- Ten claims, to sign.
CREATE TABLE claims AS
    SELECT g AS id, jsonb_build_object('sub', gen_random_uuid(), 'role', 'web_user', 'email', 'me@example.com',
               'name', 'Somebody', 'tenant', gen_random_uuid(), 'scope', 'notes:read notes:write profile',
               'aud', 'notes', 'auth_time', 1790000000 + g, 'email_verified', true, 'locale', 'en') AS claims
      FROM generate_series(1, 1000) g;
CREATE TABLE few_claims AS SELECT claims FROM claims WHERE id <= 150;
