-- Tokens are UTF-8 whatever the encoding of the database.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
SELECT current_database() AS home \gset
CREATE DATABASE regress_jwt_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
CREATE DATABASE regress_jwt_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C';
\set jwk '{"kty":"oct","alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}'

-- LATIN1: what it has is written as UTF-8 and read again, what it has not is told
\connect regress_jwt_latin1
\i :helpers
SET client_encoding = 'UTF8';
CREATE EXTENSION jwt_auth;
SELECT jwt.sign_with('{"sub":"Jürgen","exp":4000000000,"iat":1,"jti":"x"}', :'jwk') AS token \gset
SELECT encode(decode(rpad(translate(split_part(:'token', '.', 2), '-_', '+/'), (octet_length(split_part(:'token', '.', 2)) + 3) / 4 * 4, '='), 'base64'), 'hex') LIKE '%4ac3bc7267656e%' AS in_utf8;
SELECT jwt.verify_with(:'token', :'jwk')->>'sub' AS sub, octet_length(jwt.verify_with(:'token', :'jwk')->>'sub') AS bytes;
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', pg_temp.mac(pg_temp.base64url('{"alg":"HS256"}') || '.' || pg_temp.base64url(sub), '0123456789abcdef0123456789abcdef'), :'jwk'))
  FROM (VALUES ('\x7b22737562223a22c3a9227d'::bytea), ('\x7b22737562223a22e282ac227d'), ('\x7b22737562223a22e9227d'), ('{"sub":"\\u00e9"}'), ('{"sub":"\\u20ac"}'), ('{"sub":"\\u0041"}')) v (sub);

-- SQL_ASCII: bytes are taken for UTF-8, and refused where they are none
\connect regress_jwt_ascii
\i :helpers
CREATE EXTENSION jwt_auth;
SELECT jwt.verify_with(jwt.sign_with(convert_from('\x7b22737562223a224ac3bc7267656e227d', 'SQL_ASCII')::jsonb, :'jwk'), :'jwk')->>'sub' = convert_from('\x4ac3bc7267656e', 'SQL_ASCII') AS same;
SELECT pg_temp.try(format('SELECT jwt.sign_with(convert_from(%L, ''SQL_ASCII'')::jsonb, %L)', '\x7b22737562223a224afc7267656e227d', :'jwk'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', pg_temp.mac(pg_temp.base64url('{"alg":"HS256"}') || '.' || pg_temp.base64url(sub), '0123456789abcdef0123456789abcdef'), :'jwk')) ~ '^ok' AS ok
  FROM (VALUES ('\x7b22737562223a22c3a9227d'::bytea), ('\x7b22737562223a22e9227d')) v (sub);

\connect :home
DROP DATABASE regress_jwt_latin1;
DROP DATABASE regress_jwt_ascii;
