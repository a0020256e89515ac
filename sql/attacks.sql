--
-- Attacks that once succeeded, each beside what must go on working.
--
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
CREATE ROLE regress_jwt_mallory;
CREATE ROLE regress_jwt_web;
CREATE ROLE regress_jwt_writer;
GRANT pg_write_all_data, pg_read_all_data TO regress_jwt_writer;
GRANT CREATE ON SCHEMA public TO regress_jwt_mallory;
CREATE FUNCTION pg_temp.try(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- An exact match for a polymorphic function of pg_catalog, planted before
-- the install, takes no part in it; nor do default privileges.
SET ROLE regress_jwt_mallory;
CREATE FUNCTION public.cardinality(text[]) RETURNS int LANGUAGE plpgsql AS
	$$BEGIN RAISE EXCEPTION 'planted function was called'; END$$;
RESET ROLE;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO regress_jwt_web;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_jwt_web;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO regress_jwt_web;
CREATE EXTENSION jwt_auth;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM regress_jwt_web;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM regress_jwt_web;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM regress_jwt_web;
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
SELECT length(jwt.generate_key('ES256', 'own'));
SELECT jwt.open_session('42') ->> 'token_type';
SET ROLE regress_jwt_web;
SELECT pg_temp.try($$SELECT jwt.sign('{}')$$);
SELECT pg_temp.try($$SELECT jwt.subject()$$);
SELECT pg_temp.try($$SELECT * FROM jwt.keys$$);
SELECT pg_temp.try($$CREATE TABLE jwt.mine ()$$);

-- Views are for reading, whatever somebody may write elsewhere.
SET ROLE regress_jwt_writer;
SELECT pg_temp.try($$UPDATE jwt.keys SET public_jwk = '{}'$$);
SELECT pg_temp.try($$UPDATE jwt.sessions SET subject = 'admin'$$);
SELECT pg_temp.try($$DELETE FROM jwt.events$$);
SELECT pg_temp.try($$INSERT INTO jwt.my_sessions (sid) VALUES (gen_random_uuid())$$);
SELECT kid, status FROM jwt.keys;

-- A careless GRANT: no TRUNCATE of a deny list, and a trigger or a foreign
-- key on our tables stops our writes instead of running as their owner.
RESET ROLE;
GRANT ALL ON ALL TABLES IN SCHEMA jwt TO regress_jwt_mallory;
SET ROLE regress_jwt_mallory;
SELECT pg_temp.try('TRUNCATE jwt.revoked_tokens');
CREATE FUNCTION public.steal() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN RAISE EXCEPTION 'stolen as %', current_user; END$$;
CREATE TRIGGER zz AFTER INSERT ON jwt.key_store FOR EACH ROW EXECUTE FUNCTION public.steal();
RESET ROLE;
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', 'next')$$);
DROP TRIGGER zz ON jwt.key_store;
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', 'next')$$);
SELECT pg_temp.try('TRUNCATE jwt.revoked_tokens');
SET ROLE regress_jwt_mallory;
CREATE TABLE public.hold (sid uuid REFERENCES jwt.session_store ON DELETE CASCADE);
RESET ROLE;
SELECT pg_temp.try($$SELECT jwt.open_session('43')$$);
DROP TABLE public.hold;
SELECT pg_temp.try($$SELECT jwt.open_session('43')$$);
REVOKE ALL ON ALL TABLES IN SCHEMA jwt FROM regress_jwt_mallory;

-- A schema of the same name does not receive our writes.
ALTER SCHEMA jwt RENAME TO jwx;
CREATE SCHEMA jwt;
CREATE TABLE jwt.session_store (LIKE jwx.session_store);
SELECT jwx.open_session('44') ->> 'token_type';
SELECT count(*) FROM jwt.session_store;
SELECT count(*) FROM jwx.session_store WHERE subject = '44';
DROP SCHEMA jwt CASCADE;
ALTER SCHEMA jwx RENAME TO jwt;

-- Policies that explain_access() counts with cannot get back to the caller.
SET ROLE regress_jwt_mallory;
CREATE FUNCTION public.f() RETURNS boolean LANGUAGE plpgsql AS
	$$BEGIN PERFORM set_config('role', 'none', true); RETURN true; END$$;
CREATE TABLE public.t (owner text);
INSERT INTO public.t VALUES ('42'), ('43');
ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON public.t USING (public.f());
GRANT SELECT ON public.t TO regress_jwt_web;
RESET ROLE;
BEGIN;
SELECT jwt.impersonate('{"sub": "42"}', 'regress_jwt_web') ->> 'sub';
RESET ROLE;
SELECT pg_temp.try($$SELECT * FROM jwt.explain_access('public.t')$$);
ALTER POLICY p ON public.t USING (owner = jwt.subject());
SELECT applies, reads, asking_role, rows_seen, rows_passing FROM jwt.explain_access('public.t');
SELECT pg_temp.try($$SELECT * FROM jwt.explain_access('pg_catalog.pg_tables')$$);
COMMIT;

-- A sid that is no session of ours protects a token from nothing.
SELECT jwt.sign('{"sub": "50", "sid": "11111111-1111-4111-8111-111111111111"}') AS t \gset
SELECT (jwt.try_verify(:'t')).valid, jwt.revoke(:'t');
SELECT (jwt.try_verify(:'t')).error_code;
SELECT jwt.sign('{"sub": "51", "sid": "11111111-1111-4111-8111-111111111111"}') AS t \gset
SELECT (jwt.try_verify(:'t')).valid, jwt.revoke_subject('51');
SELECT (jwt.try_verify(:'t')).error_code;
-- a jti that no index holds, and an empty one
SELECT jwt.sign(jsonb_build_object('sub', '52', 'jti', repeat('x', 6000))) AS t, jwt.sign('{"jti": ""}') AS e1, jwt.sign('{"jti": "", "x": 1}') AS e2 \gset
SELECT jwt.revoke(:'t'), jwt.revoke(:'e1'), (jwt.try_verify(:'t')).valid, (jwt.try_verify(:'e1')).valid, (jwt.try_verify(:'e2')).valid;
-- times that a timestamp cannot hold
SELECT pg_temp.try($$SELECT jwt.sign('{"exp": -9000000000000}')$$);
SELECT pg_temp.try($$SELECT jwt.sign('{}', expires_in => interval '2562047788 hours' + interval '100 years')$$);
SELECT pg_temp.try($$SELECT jwt.sign('{}', expires_in => '99 years')$$);
SELECT error_code FROM jwt.try_verify(jwt.sign('{}'), as_of => '294276-12-31');
SELECT jwt.purge() >= 0;

-- An import does not give back what an administrator revoked.
SELECT jwt.generate_key('ES256', 'idp-1', 'standby');
SELECT jsonb_build_object('keys', jsonb_build_array(public_jwk)) AS set FROM jwt.keys WHERE kid = 'idp-1' \gset
SELECT jwt.import_jwks(:'set', 'https://idp.example');
SELECT jwt.set_key_status('idp-1', 'revoked', 'https://idp.example');
SELECT jwt.import_jwks(:'set', 'https://idp.example');
SELECT kid, status FROM jwt.keys WHERE issuer IS NOT NULL;
SELECT jwt.set_key_status('idp-1', 'current', 'https://idp.example');
SELECT jwt.import_jwks(:'set', 'https://idp.example');
SELECT kid, status FROM jwt.keys WHERE issuer IS NOT NULL;

-- A hostile set and a hostile PEM are refused before anything is computed.
SELECT pg_temp.try(format('SELECT jwt.import_jwks(%L, ''https://idp.example'')',
	jsonb_build_object('keys', (SELECT jsonb_agg(jsonb_build_object('kty', 'EC', 'kid', g)) FROM generate_series(1, 1001) g))));
SELECT pg_temp.try(format('SELECT jwt.import_jwks(%L, ''https://idp.example'')',
	jsonb_build_object('keys', (SELECT jsonb_agg(jsonb_build_object('kty', 'EC', 'kid', g)) FROM generate_series(1, 999) g) || (:'set'::jsonb -> 'keys'))));
SELECT pg_temp.try($$SELECT jwt.jwk_from_pem('-----BEGIN PUBLIC KEY-----' || repeat('A', 10000000) || '-----END PUBLIC KEY-----')$$);
SELECT pg_temp.try($$SELECT jwt.jwk_from_pem(jwt.jwk_to_pem((SELECT public_jwk FROM jwt.keys WHERE kid = 'own')) || repeat(' ', 1000))$$);

-- What was verified under other limits is judged anew under these.
SELECT jwt.generate_key('RS256', 'rsa');
SELECT jwt.sign('{"sub": "60"}', 'rsa') AS t \gset
SELECT public_jwk AS rsa FROM jwt.keys WHERE kid = 'rsa' \gset
SELECT jwt.verify_with(:'t', :'rsa') ->> 'sub';
SELECT (jwt.try_verify(:'t')).valid;
SET jwt_auth.min_rsa_bits = 4096;
SELECT (jwt.try_verify(:'t')).error_code;
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)', :'t', :'rsa'));
RESET jwt_auth.min_rsa_bits;
SELECT (jwt.try_verify(:'t')).valid;
SET jwt_auth.max_token_size = 256;
SELECT (jwt.try_verify(:'t')).error_code;
RESET jwt_auth.max_token_size;

-- An own key of a later version's algorithm is of no use, and no crash.
BEGIN;
UPDATE jwt.key_store SET alg = 'ML-DSA-44', status = 'standby' WHERE kid = 'rsa';
SELECT pg_temp.try($$SELECT jwt.set_key_status('rsa', 'current')$$);
UPDATE jwt.key_store SET status = 'current' WHERE kid = 'rsa';
SELECT pg_temp.try($$SELECT jwt.rotate_key()$$);
ROLLBACK;

-- A call site in PL/pgSQL answers for the argument it is given.
CREATE FUNCTION pg_temp.may(r text) RETURNS boolean LANGUAGE plpgsql STABLE AS
	$$BEGIN RETURN jwt.has_role(r); END$$;
BEGIN;
SELECT jwt.authenticate(jwt.sign('{"sub": "1", "role": "user"}'), false) ->> 'role';
SELECT r, pg_temp.may(lower(r)), jwt.has_role(lower(r)) FROM unnest('{USER,ROOT,ADMIN,USER}'::text[]) r;
COMMIT;

-- A claims hook that closes, or refreshes, the session it is asked about.
CREATE FUNCTION public.hook(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF claims ? 'close' THEN
		PERFORM jwt.close_session(sid);
	END IF;
	RETURN claims;
END $$;
SELECT s ->> 'refresh_token' AS r FROM jwt.open_session('70', '{"close": true}') s \gset
SELECT s ->> 'refresh_token' AS r2 FROM jwt.open_session('71', '{"stay": true}') s \gset
SET jwt_auth.claims_hook = 'public.hook';
SELECT jwt.refresh(:'r') ->> 'error';
SELECT subject, is_open FROM jwt.sessions WHERE subject IN ('70', '71') ORDER BY subject;
SELECT jwt.refresh(:'r2') ->> 'token_type';
RESET jwt_auth.claims_hook;

-- What verify would refuse is not signed.
SELECT pg_temp.try($$SELECT jwt.sign('{"n": 1e1000}')$$);
SELECT pg_temp.try($$SELECT jwt.sign('{"n": 1e999}')$$);
SELECT pg_temp.try(format('SELECT jwt.sign(%L)', '{"a":' || repeat('[', 64) || repeat(']', 64) || '}'));
SELECT pg_temp.try(format('SELECT jwt.sign(%L)', '{"a":' || repeat('[', 63) || repeat(']', 63) || '}'));

DROP TABLE public.t;
DROP FUNCTION public.f(), public.steal(), public.cardinality(text[]), public.hook(text, uuid, jsonb);
DROP EXTENSION jwt_auth;
REVOKE CREATE ON SCHEMA public FROM regress_jwt_mallory;
DROP ROLE regress_jwt_mallory, regress_jwt_web, regress_jwt_writer;
