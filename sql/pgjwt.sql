-- The companion extension jwt_auth_pgjwt: pgjwt's functions, and where they
-- are stricter.  Each refusal has a neighbour that is accepted.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth_pgjwt;
CREATE EXTENSION jwt_auth;
CREATE SCHEMA pgjwt;
CREATE EXTENSION jwt_auth_pgjwt SCHEMA pgjwt;

--
-- The interface: names, arguments, types, defaults, volatility
--
SELECT p.oid::regprocedure AS function, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
       provolatile, proparallel, has_function_privilege('public', p.oid, 'EXECUTE') AS public,
       obj_description(p.oid) IS NOT NULL AS commented
  FROM pg_proc p WHERE pronamespace = 'pgjwt'::regnamespace ORDER BY proname COLLATE "C";
SELECT extname, extrelocatable FROM pg_extension WHERE extname = 'jwt_auth_pgjwt';
ALTER EXTENSION jwt_auth_pgjwt SET SCHEMA public;
SELECT public.url_encode('\xfb');
ALTER EXTENSION jwt_auth_pgjwt SET SCHEMA pgjwt;
SET search_path = pgjwt, public;

--
-- base64url
--
SELECT url_encode('\x'), url_encode('\xfb'), url_encode('\xfbff'), url_encode('\xfbffbf'), url_encode(NULL);
SELECT length(url_encode(decode(repeat('fb', 100), 'hex'))), url_decode(url_encode(decode(repeat('fb', 100), 'hex'))) = decode(repeat('fb', 100), 'hex') AS same;
SELECT text, pg_temp.try(format('SELECT url_decode(%L)', text))
  FROM (VALUES (NULL), (''), ('-w'), ('-_8'), ('-_-_'), ('+/8='), ('+/8'), ('-_9'), (' -_ 8 '), ('====' ), ('a'), ('-_8=='), ('a.b'), ('é')) v (text);

--
-- Signing: the bytes of pgjwt, as its own tests have them
--
SELECT algorithm, sign('{"sub":"1234567890","name":"John Doe","admin":true}', 'secret', algorithm)
  FROM unnest('{HS256,HS384,HS512}'::text[]) algorithm;
SELECT sign('{"sub":"1234567890","name":"John Doe","admin":true}', 'secret')
     = sign(payload => '{"sub":"1234567890","name":"John Doe","admin":true}', secret => 'secret', algorithm => 'HS256') AS default_is_hs256;
-- the payload's text stays as it is
SELECT convert_from(url_decode(split_part(sign(E' { "b" : 1.0,\n"a":"é" , "b":2}', 'secret'), '.', 2)), 'UTF8');
SELECT convert_from(url_decode(split_part(sign('{}', 'secret', 'HS512'), '.', 1)), 'UTF8');
SELECT algorithm_sign('what do ya want for nothing?', 'Jefe', 'HS256'), algorithm_sign('', '', 'HS256');
-- against another implementation of HMAC
SELECT sign('{"a":"é"}', 'sécret') = pg_temp.forge('{"alg":"HS256","typ":"JWT"}', '{"a":"é"}', 'sécret') AS same;
-- NULLs, and algorithms that do not exist
SELECT sign(NULL, 'secret'), sign('{}', NULL), sign('{}', 'secret', NULL), sign(NULL, 'secret', 'bogus'),
       algorithm_sign(NULL, 'secret', 'bogus'), algorithm_sign('x', NULL, 'bogus');
SELECT statement, pg_temp.try(statement) FROM (VALUES
    ($$SELECT sign('{}', 'secret', 'bogus')$$), ($$SELECT sign('{}', 'secret', 'hs256')$$), ($$SELECT sign('{}', 'secret', 'none')$$),
    ($$SELECT sign('{}', 'secret', 'RS256')$$), ($$SELECT sign('{}', 'secret', '')$$),
    ($$SELECT algorithm_sign('x', 'secret', NULL)$$), ($$SELECT algorithm_sign('x', 'secret', 'SHA256')$$),
    ($$SELECT * FROM verify('a.b.c', NULL, 'bogus')$$),
    ($$SELECT verify(sign('{}', 'secret'), 'secret', 'bogus')$$), ($$SELECT verify(sign('{}', 'secret'), 'secret', NULL)$$)) v (statement);

--
-- Verifying
--
SELECT algorithm, v.*, (verify(sign('{"a":1}', 'secret', algorithm), 'badsecret', algorithm)).valid AS wrong_secret
  FROM unnest('{HS256,HS384,HS512}'::text[]) algorithm, verify(sign('{"a":1}', 'secret', algorithm), 'secret', algorithm) v;
SELECT * FROM verify(token => sign('{ "a" : 1 }', 'secret'), secret => 'secret');
-- in a target list, and once for each row
SELECT n, (verify(sign(json_build_object('n', n), 'secret'), 'secret')).payload->>'n' AS n FROM generate_series(1, 3) n;
SELECT count(*), bool_and(valid) FROM generate_series(1, 1000) n, verify(sign(json_build_object('n', n), 'secret'), 'secret');
-- NULLs
SELECT v.* FROM verify(NULL, 'secret') v;
SELECT v.* FROM verify(sign('{"exp":4000000000}', 'secret'), NULL) v;
SELECT v.* FROM verify(sign('{"exp":1}', 'secret'), NULL) v;
-- what cannot be read is an error, as it was
SELECT token, pg_temp.try(format('SELECT verify(%L, %L)', token, 'secret'))
  FROM (VALUES (''), ('.'), ('a.b.c'), ('bm8.e30.x'), ('e30.bm8.x'), ('gIA.e30.x'), ('e30.W10.x'), ('e30.e30.x')) v (token);

-- the header's alg is what the caller names: one with another, none, or no object is not valid
SELECT header, (verify(pg_temp.forge(header, '{}', 'secret'), 'secret')).valid
  FROM (VALUES ('{"alg":"HS256","typ":"JWT"}'), ('{"alg":"HS256"}'), ('{"typ":"JWT","alg":"HS256","kid":"x"}'),
               ('{"alg":"HS512"}'), ('{"alg":"hs256"}'), ('{"alg":"none"}'), ('{"alg":null}'), ('{"alg":["HS256"]}'), ('{"alg":"HS256 "}'), ('{}'),
               ('["alg","HS256"]'), ('"HS256"'), ('{"alg":"none","alg":"HS256"}'), ('{"alg":"HS256","alg":"none"}')) v (header);
SELECT (verify(sign('{}', 'secret', 'HS512'), 'secret', 'HS256')).valid, (verify(sign('{}', 'secret', 'HS512'), 'secret', 'HS512')).valid;

-- three parts, and a signature in its one spelling
SELECT replace(shape, '<t>', 'TOKEN') AS shape, v.valid
  FROM (SELECT sign('{"a":1}', 'secret') AS t) t,
       LATERAL (VALUES ('<t>', t), ('<t>.', t || '.'), ('<t>.x', t || '.x'), ('<t>=', t || '='), ('<t> ', t || ' '), ('<t> less one', left(t, -1)),
                       ('no signature', split_part(t, '.', 1) || '.' || split_part(t, '.', 2) || '.'),
                       ('two parts', split_part(t, '.', 1) || '.' || split_part(t, '.', 2)), ('one part', split_part(t, '.', 1))) s (shape, token),
       verify(token, 'secret') v;

-- times: of the transaction, nbf included, exp not
BEGIN;
SELECT claims, (verify(sign(claims::json, 'secret'), 'secret')).valid FROM (VALUES
    ('{"nbf":1}'), ('{"nbf":4000000000}'), ('{"exp":1}'), ('{"exp":4000000000}'), ('{"exp":"4000000000"}'), ('{"exp":" 1 "}'), ('{"nbf":1,"exp":4000000000}'),
    ('{"nbf":4000000000,"exp":4000000001}'), ('{"nbf":2,"exp":1}'), ('{"nbf":1,"exp":2}'), ('{"exp":1,"exp":4000000000}'), ('{"exp":4000000000,"exp":1}')) v (claims);
SELECT (verify(sign(json_build_object('nbf', extract(epoch FROM now())), 'secret'), 'secret')).valid AS nbf_now,
       (verify(sign(json_build_object('nbf', extract(epoch FROM now()) + 1), 'secret'), 'secret')).valid AS nbf_soon,
       (verify(sign(json_build_object('exp', extract(epoch FROM now())), 'secret'), 'secret')).valid AS exp_now,
       (verify(sign(json_build_object('exp', extract(epoch FROM now()) + 1), 'secret'), 'secret')).valid AS exp_soon;
COMMIT;
SELECT pg_temp.try($$SELECT verify(sign('{"exp":"NaN"}', 'secret'), 'secret')$$);
SELECT pg_temp.try($$SELECT verify(sign('{"exp":1e300}', 'secret'), 'secret')$$);

-- numbers
SELECT inp, try_cast_double(inp) FROM (VALUES (NULL), (''), ('1'), (' 1.5 '), ('1e3'), ('1e400'), ('NaN'), ('inf'), ('75z'), ('true'), ('--1')) v (inp);

--
-- Strict mode: what is read as "no limit" without it
--
CREATE VIEW pg_temp.unreadable AS
SELECT claims, (verify(sign(claims::json, 'secret'), 'secret')).valid FROM (VALUES
    ('{}'), ('{"exp":4000000000}'), ('{"exp":"4000000000"}'), ('{"nbf":1}'), ('{"nbf":1,"exp":4000000000}'),
    ('{"exp":"75z"}'), ('{"nbf":"no-double"}'), ('{"exp":null}'), ('{"nbf":null}'), ('{"exp":{}}'), ('{"exp":[]}'), ('{"exp":true}'), ('{"exp":""}'), ('{"exp":1e400}'),
    ('{"exp":"inf"}'), ('{"nbf":"-inf"}'), ('{"nbf":"x","exp":4000000000}'), ('[]'), ('1')) v (claims);
SELECT * FROM pg_temp.unreadable;
SELECT (verify(sign('{}', ''), '')).valid AS empty_secret, algorithm_sign('', '', 'HS384') IS NOT NULL AS signed;
SET jwt_auth_pgjwt.strict = on;
SELECT * FROM pg_temp.unreadable;
SELECT pg_temp.try($$SELECT verify(sign('{"exp":"NaN"}', 'secret'), 'secret')$$);
SELECT statement, pg_temp.try(statement) FROM (VALUES
    ($$SELECT sign('{}', '')$$), ($$SELECT algorithm_sign('x', '', 'HS256')$$), ($$SELECT verify('a.b.c', '')$$),
    ($$SELECT sign('{}', ' ')$$)) v (statement);
-- and NULL, which "NOT valid" lets pass, is false
SELECT v.* FROM verify(NULL, 'secret') v;
SELECT v.valid FROM verify(sign('{}', 'secret'), NULL) v;

-- only a superuser turns it off
CREATE ROLE regress_pgjwt;
GRANT USAGE ON SCHEMA pgjwt TO regress_pgjwt;
SET ROLE regress_pgjwt;
SET jwt_auth_pgjwt.strict = off;
SELECT (verify(sign('{"exp":"75z"}', 'secret'), 'secret')).valid;
RESET ROLE;
SET jwt_auth_pgjwt.strikt = off;
RESET jwt_auth_pgjwt.strict;

-- jwt_auth takes over the tokens, if the secret is long enough: see examples/migrate/pgjwt.sql
SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef'), kid => 'pgjwt', status => 'previous');
SELECT jwt.verify(sign('{"sub":"42","exp":4000000000}', '0123456789abcdef0123456789abcdef'));

RESET search_path;
DROP EXTENSION jwt_auth;
DROP EXTENSION jwt_auth CASCADE;
DROP SCHEMA pgjwt;
DROP ROLE regress_pgjwt;
