-- Private keys sealed with a file, kept outside, in time and rotated.
\set VERBOSITY default
CREATE EXTENSION jwt_auth;
SELECT current_setting('data_directory') AS dir \gset
\set absolute :dir '/jwt_test_first'

-- Files of the server: two good ones and some that are not.
COPY (SELECT repeat('first', 10)) TO PROGRAM 'umask 077; cat > jwt_test_first';
COPY (SELECT repeat('other', 10)) TO PROGRAM 'umask 077; cat > jwt_test_other';
COPY (SELECT repeat('first', 10)) TO PROGRAM 'umask 077; cat > jwt_test_group; chmod 640 jwt_test_group';
COPY (SELECT repeat('first', 10)) TO PROGRAM 'umask 077; cat > jwt_test_world; chmod 604 jwt_test_world';
COPY (SELECT repeat('x', 30)) TO PROGRAM 'umask 077; cat > jwt_test_short';
COPY (SELECT repeat('x', 31)) TO PROGRAM 'umask 077; cat > jwt_test_enough';
COPY (SELECT repeat('x', 65535)) TO PROGRAM 'umask 077; cat > jwt_test_long';
COPY (SELECT repeat('x', 65536)) TO PROGRAM 'umask 077; cat > jwt_test_too_long';

--
-- In the clear, and said so: once, for the first that is private
--
SELECT jwt.import_key('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'public');
SELECT jwt.generate_key('ES256', 'es');
SELECT jwt.generate_key('HS256', 'h1');
SELECT jwt.drop_key('es'), jwt.drop_key('h1');
SELECT jwt.generate_key('HS256', 'h1');
SELECT jwt.generate_key('ES256', 'es');
-- a secret that can be looked for
SELECT jwt.import_key('{"kty":"oct","alg":"HS384","k":"c2VjcmV0IHRoYXQgZXZlcnlib2R5IGtub3dzLCBhbmQgbG9uZyBlbm91Z2ggYXQgdGhhdC4"}', 'known');
SELECT kid, position('secret that everybody knows' IN encode(secret, 'escape')) > 0 AS shows, sealed_by
  FROM jwt.key_store WHERE kid = 'known';
SELECT jwt.sign('{}', 'h1', '1 day') AS h1_token, jwt.sign('{}', 'es', '1 day') AS es_token,
       jwt.sign('{}', 'known', '1 day') AS known_token \gset

--
-- Sealed
--
SELECT jwt.reseal();
SET jwt_auth.encryption_key_file = 'jwt_test_first';
SELECT jwt.reseal();
SELECT jwt.reseal();
SELECT kid, sealed_by FROM jwt.keys ORDER BY kid;
SELECT jwt.generate_key('RS256', 'rs');
SELECT kid, sealed_by = (SELECT sealed_by FROM jwt.keys WHERE kid = 'es') AS same FROM jwt.keys WHERE kid = 'rs';
-- what a dump would hold
SELECT count(*) FROM jwt.key_store k
 WHERE encode(secret, 'escape') ~ 'PRIVATE|BEGIN|secret that' OR k::text ~ encode('secret that', 'hex')
    OR k::text ~ encode('PRIVATE KEY', 'hex') OR k::text ~ '"(d|k|p|q)"';
-- the same secret twice is not the same sealed
SELECT count(DISTINCT substr(secret, 2, 12)) = count(*) AS nonces_differ FROM jwt.key_store WHERE secret IS NOT NULL;
SELECT jwt.verify(jwt.sign('{"sub":"1"}', 'rs')) ->> 'sub';
SELECT jwt.verify(jwt.sign('{"sub":"1"}', 'es')) ->> 'sub';
SELECT jwt.verify(:'h1_token') IS NOT NULL, jwt.verify(:'es_token') IS NOT NULL, jwt.verify(:'known_token') IS NOT NULL;

--
-- Without the file: what is public goes on, in a new session too
--
SET jwt_auth.encryption_key_file = '';
SELECT jwt.sign('{}', 'es');
\c -
SELECT jwt.sign('{}', 'es');
SELECT jwt.verify(:'h1_token');
SELECT valid FROM jwt.try_verify(:'h1_token');
SELECT jwt.verify(:'es_token') IS NOT NULL AS es_verifies;
SELECT jsonb_array_length(jwt.jwks() -> 'keys') AS published, (SELECT count(*) FROM jwt.keys) AS seen;
-- a key that is made now is in the clear
SELECT jwt.generate_key('PS256', 'clear');
SELECT jwt.verify(jwt.sign('{"sub":"2"}', 'clear')) ->> 'sub';

-- each of these is refused, and its neighbour is not
SET jwt_auth.encryption_key_file = 'jwt_test_missing';
SELECT jwt.sign('{}', 'es');
SELECT jwt.generate_key('EdDSA', 'never');
SET jwt_auth.encryption_key_file = 'jwt_test_other';
\set VERBOSITY terse
SELECT jwt.sign('{}', 'es');
\set VERBOSITY default
SET jwt_auth.encryption_key_file = 'jwt_test_group';
SELECT jwt.sign('{}', 'es');
SET jwt_auth.encryption_key_file = 'jwt_test_world';
SELECT jwt.sign('{}', 'es');
SET jwt_auth.encryption_key_file = '.';
SELECT jwt.sign('{}', 'es');
SET jwt_auth.encryption_key_file = 'jwt_test_short';
SELECT jwt.sign('{}', 'es');
SET jwt_auth.encryption_key_file = 'jwt_test_too_long';
SELECT jwt.sign('{}', 'es');
SET jwt_auth.encryption_key_file = 'jwt_test_first';
SELECT jwt.sign('{}', 'es') IS NOT NULL;
SET jwt_auth.encryption_key_file = :'absolute';
SELECT jwt.sign('{}', 'es') IS NOT NULL;
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; chmod 400 jwt_test_first';
SELECT jwt.verify(:'h1_token') IS NOT NULL;
SELECT count(*) FROM jwt.keys WHERE kid = 'never';

--
-- A sealed secret opens in its own row alone, and whole
--
SET jwt_auth.encryption_key_file = 'jwt_test_first';
SELECT jwt.generate_key('HS256', 'h2');
SELECT jwt.sign('{}', 'h2') IS NOT NULL;
BEGIN;
UPDATE jwt.key_store a SET secret = b.secret FROM jwt.key_store b WHERE a.kid = 'h2' AND b.kid = 'h1';
SELECT jwt.sign('{}', 'h2');
ROLLBACK;
BEGIN;
DELETE FROM jwt.key_store WHERE kid = 'h1';
UPDATE jwt.key_store SET kid = 'h1' WHERE kid = 'h2';
SELECT jwt.sign('{}', 'h1');
ROLLBACK;
BEGIN;
UPDATE jwt.key_store SET issuer = 'https://other.example' WHERE kid = 'h1';
SET LOCAL jwt_auth.encryption_key_file = 'jwt_test_other';
SELECT jwt.reseal('jwt_test_first');
ROLLBACK;
BEGIN;
UPDATE jwt.key_store SET alg = 'HS512' WHERE kid = 'h2';
SELECT jwt.sign('{}', 'h2');
ROLLBACK;
BEGIN;
UPDATE jwt.key_store SET secret = substr(secret, 1, length(secret) - 1) WHERE kid = 'es';
SELECT jwt.sign('{}', 'es');
ROLLBACK;
BEGIN;
UPDATE jwt.key_store SET secret = '' WHERE kid = 'es';
SELECT jwt.sign('{}', 'es');
ROLLBACK;
BEGIN;
UPDATE jwt.key_store SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1) WHERE kid = 'es';
SELECT jwt.sign('{}', 'es');
ROLLBACK;
BEGIN;
UPDATE jwt.key_store SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1) WHERE kid = 'es';
UPDATE jwt.key_store SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1) WHERE kid = 'es';
SELECT jwt.sign('{}', 'es') IS NOT NULL;
COMMIT;
SELECT jwt.verify(jwt.sign('{"sub":"3"}', 'h2')) ->> 'sub';

--
-- From one file to another, and back into the clear
--
SET jwt_auth.encryption_key_file = 'jwt_test_other';
\set VERBOSITY terse
SELECT jwt.reseal();
SELECT jwt.reseal('jwt_test_enough');
SELECT jwt.reseal('jwt_test_group');
SELECT jwt.reseal('jwt_test_missing');
\set VERBOSITY default
SELECT count(*) FILTER (WHERE sealed_by IS NULL) AS clear, count(DISTINCT sealed_by) AS files
  FROM jwt.key_store WHERE secret IS NOT NULL;
SELECT jwt.reseal('jwt_test_first');
SELECT count(*) FILTER (WHERE sealed_by IS NULL) AS clear, count(DISTINCT sealed_by) AS files
  FROM jwt.key_store WHERE secret IS NOT NULL;
SELECT jwt.verify(jwt.sign('{"sub":"4"}', 'es')) ->> 'sub';
SELECT jwt.verify(:'h1_token') IS NOT NULL, jwt.verify(:'known_token') IS NOT NULL;
SET jwt_auth.encryption_key_file = 'jwt_test_first';
\set VERBOSITY terse
SELECT jwt.sign('{}', 'es');
\set VERBOSITY default
SET jwt_auth.encryption_key_file = '';
SELECT jwt.reseal('jwt_test_other');
SELECT count(*) FILTER (WHERE sealed_by IS NULL) AS clear, count(DISTINCT sealed_by) AS files
  FROM jwt.key_store WHERE secret IS NOT NULL;
SELECT encode(secret, 'escape') FROM jwt.key_store WHERE kid = 'known';
SELECT jwt.verify(:'h1_token') IS NOT NULL, jwt.verify(jwt.sign('{"sub":"5"}', 'es')) ->> 'sub';
SET jwt_auth.encryption_key_file = 'jwt_test_long';
SELECT jwt.reseal();
SET jwt_auth.encryption_key_file = 'jwt_test_enough';
SELECT jwt.reseal('jwt_test_long');
SELECT jwt.verify(:'h1_token') IS NOT NULL, jwt.verify(jwt.sign('{"sub":"6"}', 'es')) ->> 'sub';

-- what jwt.check() asks of the file
SELECT jwt.sealing_file() = sealed_by AS this_file FROM jwt.keys WHERE kid = 'es';
SET jwt_auth.encryption_key_file = 'jwt_test_first';
SELECT jwt.sealing_file() = sealed_by AS this_file FROM jwt.keys WHERE kid = 'es';
SET jwt_auth.encryption_key_file = '';
SELECT jwt.sealing_file();

--
-- Keys outside
--
SET jwt_auth.encryption_key_file = '';
\set one '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}'
\set two '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}'
CREATE TEMP TABLE pems (name text, pem text);
INSERT INTO pems VALUES ('one', jwt.jwk_to_pem(:'one')), ('two', jwt.jwk_to_pem(:'two')), ('half', jwt.jwk_to_pem(:'one'::jsonb - 'd')),
  ('locked', E'-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBAR+yO1bJ8U8m3wVHs5\n84nPAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQAwIAiCpkPS29yHzE\n8FWCqQSBkNEiwXsv+4sJFN5HG90qDwezgP+JM0o5PGmreKEgBvSxhDkIglPK0Fc0\nNzYL/uk2R+CDIkljpMRATAKT8N3Zml5GftGvJFgVJHmCqtMj4DuULErt+qMAN/v6\nSjgH4zsW87vAwdLoj9d7KF6SxtLHU/GnMdymNgDXptPqc2ehT1iGgWsXg9sHZO6x\n/qkhu9BpVQ==\n-----END ENCRYPTED PRIVATE KEY-----');
CREATE FUNCTION pg_temp.write(name text, file text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('COPY (SELECT regexp_split_to_table(trim(pem, E''\n''), E''\n'') FROM pems WHERE name = %L) TO PROGRAM %L',
                 name, 'umask 077; cat > ' || file);
END $$;
SELECT pg_temp.write('one', 'jwt_test_one.pem'), pg_temp.write('two', 'jwt_test_two.pem'),
       pg_temp.write('half', 'jwt_test_half.pem'), pg_temp.write('locked', 'jwt_test_locked.pem');

SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_one.pem') = jwt.jwk_thumbprint(:'one') AS named_by_thumbprint;
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_two.pem', 'Ed25519', 'two', 'standby');
SELECT jwt.set_key_status('two', 'current');
SELECT alg, status, may_sign, replace(key_uri, :'dir', 'DIR') AS key_uri, public_jwk ? 'x' AS public, public_jwk ? 'd' AS private
  FROM jwt.keys WHERE key_uri IS NOT NULL ORDER BY alg;
SELECT secret FROM jwt.key_store WHERE key_uri IS NOT NULL;
SELECT jwt.verify_with(jwt.sign('{"sub":"7"}', jwt.jwk_thumbprint(:'one')), :'one'::jsonb - 'd') ->> 'sub';
SELECT jwt.verify(jwt.sign('{"sub":"8"}', 'two')) ->> 'sub';
-- there is nothing of theirs to seal
SET jwt_auth.encryption_key_file = 'jwt_test_first';
SELECT jwt.reseal('jwt_test_enough') > 0, count(*) FROM jwt.keys WHERE key_uri IS NOT NULL AND sealed_by IS NULL;
SET jwt_auth.encryption_key_file = '';

-- refused, with a word of why
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_missing.pem', kid => 'no');
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_half.pem', kid => 'no');
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_locked.pem', kid => 'no');
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_one.pem', 'RS256', 'no');
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_one.pem', kid => 'two');
SELECT jwt.add_key_uri('file:jwt_test_one.pem', kid => 'no');
SELECT jwt.add_key_uri('jwt_test_one.pem', kid => 'no');
SELECT jwt.add_key_uri('org.openssl.engine:../../evil:key', kid => 'no');
SELECT jwt.add_key_uri('pkcs11:object=none;pin-value=1234', kid => 'no');
SELECT jwt.add_key_uri('pkcs11:object=none?pin-value=1234', kid => 'no');
SELECT jwt.add_key_uri(NULL);

-- another key in its place, no key in its place, and the right one again
SELECT jwt.sign('{}', 'two') AS two_token \gset
\c -
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; cp jwt_test_two.pem jwt_test_kept.pem; cp jwt_test_one.pem jwt_test_two.pem';
SELECT jwt.sign('{}', 'two');
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; cp jwt_test_locked.pem jwt_test_two.pem';
SELECT jwt.sign('{}', 'two');
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm jwt_test_two.pem';
SELECT jwt.sign('{}', 'two');
SELECT jwt.verify(:'two_token') IS NOT NULL AS verifies;
COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; mv jwt_test_kept.pem jwt_test_two.pem';
SELECT jwt.verify(jwt.sign('{"sub":"9"}', 'two')) ->> 'sub';
-- a PIN is shown to nobody
UPDATE jwt.key_store SET key_uri = 'pkcs11:object=none?pin-value=1234' WHERE kid = 'two';
SELECT key_uri FROM jwt.keys WHERE kid = 'two';
SELECT jwt.sign('{}', 'two');
SELECT jwt.drop_key('two');

SELECT jwt.set_key_status('es', 'current');

--
-- Who may
--
CREATE ROLE regress_jwt_sealer;
GRANT SELECT ON jwt.keys TO regress_jwt_sealer;
SET ROLE regress_jwt_sealer;
SELECT jwt.reseal();
SELECT jwt.add_key_uri('file:/etc/passwd');
SELECT jwt.set_key_times('es', NULL, NULL);
SELECT * FROM jwt.key_advice();
\set VERBOSITY sqlstate
SHOW jwt_auth.encryption_key_file;
SET jwt_auth.encryption_key_file = '/etc/passwd';
\set VERBOSITY default
RESET ROLE;
SET jwt_auth.encryption_key_file = 'jwt_test_first';
GRANT EXECUTE ON FUNCTION jwt.reseal(text), jwt.add_key_uri(text, text, text, text), jwt.sign(jsonb, text, interval, jsonb) TO regress_jwt_sealer;
SET ROLE regress_jwt_sealer;
SELECT jwt.reseal();
SELECT jwt.sign('{}', 'es') IS NOT NULL;
SELECT jwt.reseal('jwt_test_first');
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_two.pem', kid => 'three');
RESET ROLE;
GRANT pg_read_server_files TO regress_jwt_sealer;
SET ROLE regress_jwt_sealer;
SELECT jwt.reseal('jwt_test_first');
SELECT jwt.add_key_uri('file:' || :'dir' || '/jwt_test_two.pem', kid => 'three');
SELECT jwt.add_key_uri('pkcs11:object=none');
RESET ROLE;

--
-- A key's time
--
SELECT jwt.set_key_times('es', now() + interval '1 hour', NULL);
SELECT jwt.sign('{}', 'es');
SELECT error_code FROM jwt.try_verify(:'es_token');
SELECT jwt.set_key_times('es', NULL, now() - interval '1 hour');
SELECT jwt.sign('{}', 'es');
SELECT error_code FROM jwt.try_verify(:'es_token');
SELECT jwt.set_key_times('es', now() - interval '1 hour', now() + interval '1 hour');
SELECT jwt.sign('{}', 'es') IS NOT NULL;
SELECT valid FROM jwt.try_verify(:'es_token');
SELECT jwt.set_key_times('es', NULL, NULL);
SELECT valid FROM jwt.try_verify(:'es_token');
SELECT jwt.set_key_times('es', now(), now());
SELECT jwt.set_key_times('nobody', NULL, NULL);
SELECT jwt.set_key_times('es', NULL, NULL, 'https://nobody.example');

--
-- What to do with each
--
DELETE FROM jwt.key_store;
SELECT jwt.generate_key('ES256', kid, status)
  FROM (VALUES ('old', 'current'), ('older', 'current'), ('standby', 'standby'), ('ripe', 'standby'), ('current', 'current')) v(kid, status);
SELECT jwt.generate_key('ES384', 'aged'), jwt.generate_key('ES512', 'ending'), jwt.generate_key('RS256', 'over'),
       jwt.generate_key('EdDSA', 'future'), jwt.generate_key('HS256', 'gone');
SELECT jwt.set_key_status('gone', 'revoked');
SELECT jwt.import_key('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'public');
SELECT jwt.import_key('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}', 'moved', NULL, 'previous');
SELECT jwt.set_key_times('ending', NULL, now() + interval '20 days'), jwt.set_key_times('over', NULL, now() - interval '1 minute'),
       jwt.set_key_times('future', now() + interval '1 day', NULL);
UPDATE jwt.key_store SET status_since = now() - interval '16 minutes' WHERE kid = 'older';
UPDATE jwt.key_store SET current_since = now() - interval '91 days' WHERE kid = 'aged';
UPDATE jwt.key_store SET created_at = now() - interval '25 hours' WHERE kid = 'ripe';
SELECT kid, status, age < '1 minute' AS young, signs, last_token_expires_at > now() AS in_use,
       date_trunc('minute', now() - safe_to_revoke_since) AS safe_for,
       regexp_replace(advice, '(until|from) .*', '\1 ...') AS advice
  FROM jwt.key_advice() ORDER BY kid COLLATE "C";
-- with another lifetime, another time
SET jwt_auth.access_token_lifetime = '1d';
SET jwt_auth.leeway = '1min';
SELECT kid, date_trunc('minute', last_token_expires_at - now() + interval '30 seconds') AS in_use,
       safe_to_revoke_since, regexp_replace(advice, 'until .*', 'until ...') AS advice
  FROM jwt.key_advice() WHERE kid = 'older';
RESET jwt_auth.access_token_lifetime;
RESET jwt_auth.leeway;
-- a token that outlives the lifetime is remembered with its key, and a shorter one changes nothing
SELECT kid, longest_life FROM jwt.key_store WHERE kid IN ('aged', 'current') ORDER BY kid;
SELECT jwt.sign('{}', 'current') IS NOT NULL AS signed;
SELECT kid, longest_life FROM jwt.key_store WHERE kid IN ('aged', 'current') ORDER BY kid;
SELECT jwt.sign('{}', 'current', '1 day 1 second') IS NOT NULL AS signed;
SELECT jwt.sign(jsonb_build_object('exp', extract(epoch FROM now())::bigint + 3600), 'current') IS NOT NULL AS signed;
SELECT jwt.sign('{"exp": 1}', 'current') IS NOT NULL AS expired;
SELECT kid, longest_life FROM jwt.key_store WHERE kid IN ('aged', 'current') ORDER BY kid;
SELECT jwt.sign('{"exp": 99999999999}', 'aged') IS NOT NULL AS signed;
SELECT kid, longest_life FROM jwt.key_store WHERE kid IN ('aged', 'current') ORDER BY kid;
BEGIN READ ONLY;
SELECT jwt.sign('{}', 'current', '2 days') IS NOT NULL AS signed;
COMMIT;
SELECT longest_life FROM jwt.key_store WHERE kid = 'current';
SELECT jwt.set_key_status('current', 'previous');
UPDATE jwt.key_store SET status_since = now() - interval '23 hours' WHERE kid = 'current';
SELECT date_trunc('minute', last_token_expires_at - now() + interval '30 seconds') AS in_use, safe_to_revoke_since, regexp_replace(advice, 'until .*', 'until ...') AS advice
  FROM jwt.key_advice() WHERE kid = 'current';
UPDATE jwt.key_store SET status_since = now() - interval '25 hours' WHERE kid = 'current';
SELECT date_trunc('hour', now() - safe_to_revoke_since) AS safe_for, advice FROM jwt.key_advice() WHERE kid = 'current';
-- what is advised works: a key whose time is over is rotated, too
UPDATE jwt.key_store SET status = 'previous' WHERE kid NOT IN ('over', 'future') AND status = 'current';
SELECT advice FROM jwt.key_advice() WHERE kid = 'over';
SELECT current_since > now() - interval '1 minute' AS since FROM jwt.keys WHERE kid = 'over';
UPDATE jwt.key_store SET current_since = now() - interval '1 day' WHERE kid = 'future';
SELECT jwt.rotate_key() IS NOT NULL AS rotated;
SELECT kid, status FROM jwt.keys WHERE kid IN ('over', 'future') ORDER BY kid;
DELETE FROM jwt.key_store WHERE status = 'current';
SELECT jwt.rotate_key();

COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; rm -f jwt_test_*';
DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_sealer;
