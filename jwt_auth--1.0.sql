/* jwt_auth--1.0.sql: what CREATE EXTENSION jwt_auth makes. */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION jwt_auth" to load this file. \quit

-- Nothing that somebody put into another schema takes part in what follows:
-- an exact match there would win over the polymorphic functions of
-- pg_catalog, and run as the superuser who installs.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The script makes its schema itself: a schema that somebody made before is
-- an error, and DROP EXTENSION takes it along.
CREATE SCHEMA jwt;
COMMENT ON SCHEMA jwt IS 'JSON Web Tokens: keys, tokens, sessions and who is asking';
REVOKE ALL ON SCHEMA jwt FROM PUBLIC;
GRANT USAGE ON SCHEMA jwt TO PUBLIC;

----------------------------------------------------------------------------
-- Tables.  The C code reads them by column number and primary key: columns
-- of the key come first and are COLLATE "C", and later versions add columns
-- at the end.  Row security without a policy keeps out all but the owner,
-- members of pg_read_all_data and pg_write_all_data included.
----------------------------------------------------------------------------

CREATE TABLE jwt.key_store (
    issuer text COLLATE "C" NOT NULL,
    kid text COLLATE "C" NOT NULL CHECK (kid <> '' AND octet_length(kid) <= 512),
    alg text COLLATE "C",
    kty text COLLATE "C" NOT NULL CHECK (kty IN ('oct', 'RSA', 'EC', 'OKP')),
    status text COLLATE "C" NOT NULL CHECK (status IN ('standby', 'current', 'previous', 'revoked')),
    may_sign boolean NOT NULL,
    public_jwk jsonb,
    secret bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    current_since timestamptz,
    not_before timestamptz,
    not_after timestamptz,
    status_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    sealed_by text COLLATE "C",
    key_uri text COLLATE "C",
    missing_since timestamptz,
    PRIMARY KEY (issuer, kid),
    CHECK (issuer <> '' OR alg IS NOT NULL),
    CHECK (public_jwk IS NOT NULL OR secret IS NOT NULL),
    CHECK (sealed_by IS NULL OR secret IS NOT NULL),
    CHECK (key_uri IS NULL OR (secret IS NULL AND public_jwk IS NOT NULL))
);
COMMENT ON TABLE jwt.key_store IS 'Keys, secret parts included; read jwt.keys instead';

-- One key signs, for each algorithm of our own.
CREATE UNIQUE INDEX key_store_current ON jwt.key_store (alg)
    WHERE issuer = '' AND status = 'current';

CREATE FUNCTION jwt.check_algorithms(algorithms text[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_check_algorithms';
REVOKE ALL ON FUNCTION jwt.check_algorithms(text[]) FROM PUBLIC;
COMMENT ON FUNCTION jwt.check_algorithms(text[]) IS 'Are these all names of algorithms that we know?';

CREATE TABLE jwt.issuers (
    issuer text COLLATE "C" NOT NULL PRIMARY KEY CHECK (issuer <> '' AND octet_length(issuer) <= 1024),
    audiences text[] COLLATE "C" NOT NULL CHECK (cardinality(audiences) > 0 AND array_position(audiences, NULL) IS NULL),
    algorithms text[] COLLATE "C" CHECK (jwt.check_algorithms(algorithms)),
    jwks_uri text COLLATE "C",
    leeway interval NOT NULL DEFAULT '30 seconds' CHECK (leeway BETWEEN '0' AND '300 seconds'),
    max_token_age interval CHECK (max_token_age > '0'),
    typ text[] COLLATE "C",
    required_claims text[] COLLATE "C" NOT NULL DEFAULT '{exp}',
    role_claim jsonpath,
    allowed_roles text[] COLLATE "C",
    default_role text COLLATE "C",
    subject_prefix text COLLATE "C" NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE jwt.issuers IS 'Issuers whose tokens are trusted, and what is demanded of theirs; see jwt.trust_issuer()';

CREATE TABLE jwt.session_store (
    sid uuid NOT NULL PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    claims jsonb NOT NULL,
    client jsonb,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    access_expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_why text,
    generation integer NOT NULL,
    live_hash bytea NOT NULL,
    previous_hash bytea,
    salt bytea,
    tag_key bytea NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE jwt.session_store IS 'Sessions with the hashes of their refresh tokens; read jwt.sessions instead';
CREATE INDEX session_store_open ON jwt.session_store (subject, opened_at)
    WHERE closed_at IS NULL;

CREATE TABLE jwt.revoked_tokens (
    issuer text COLLATE "C" NOT NULL,
    token_id text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, token_id)
);
COMMENT ON TABLE jwt.revoked_tokens IS 'Tokens that were revoked one by one';

CREATE TABLE jwt.revoked_subjects (
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    revoked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
COMMENT ON TABLE jwt.revoked_subjects IS 'Subjects of whom everything issued until a moment is void';

CREATE TABLE jwt.event_store (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text COLLATE "C" NOT NULL,
    issuer text COLLATE "C",
    kid text COLLATE "C",
    subject text COLLATE "C",
    sid uuid,
    detail text COLLATE "C",
    session_user_name text COLLATE "C"
);
COMMENT ON TABLE jwt.event_store IS 'What happened to keys, sessions and revocations; read jwt.events instead';
CREATE INDEX event_store_at ON jwt.event_store (at);

ALTER TABLE jwt.event_store ENABLE ROW LEVEL SECURITY;
ALTER TABLE jwt.key_store ENABLE ROW LEVEL SECURITY;
ALTER TABLE jwt.issuers ENABLE ROW LEVEL SECURITY;
ALTER TABLE jwt.session_store ENABLE ROW LEVEL SECURITY;
ALTER TABLE jwt.revoked_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE jwt.revoked_subjects ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON jwt.key_store, jwt.issuers, jwt.session_store,
    jwt.revoked_tokens, jwt.revoked_subjects, jwt.event_store FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('jwt.key_store', '');
SELECT pg_catalog.pg_extension_config_dump('jwt.issuers', '');
SELECT pg_catalog.pg_extension_config_dump('jwt.session_store', '');
SELECT pg_catalog.pg_extension_config_dump('jwt.revoked_tokens', '');
SELECT pg_catalog.pg_extension_config_dump('jwt.revoked_subjects', '');
SELECT pg_catalog.pg_extension_config_dump('jwt.event_store', '');
SELECT pg_catalog.pg_extension_config_dump('jwt.event_store_id_seq', '');

----------------------------------------------------------------------------
-- Every backend hears of a change that can turn a verdict.  ENABLE ALWAYS:
-- session_replication_role = replica must not switch that off.  Opening and
-- refreshing a session can turn none, so they tell nobody.
----------------------------------------------------------------------------

CREATE FUNCTION jwt.invalidate() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_invalidate';
REVOKE ALL ON FUNCTION jwt.invalidate() FROM PUBLIC;
COMMENT ON FUNCTION jwt.invalidate() IS 'Trigger: every backend forgets what it knows of the table';

CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON jwt.key_store
    FOR EACH ROW EXECUTE FUNCTION jwt.invalidate();
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON jwt.issuers
    FOR EACH ROW EXECUTE FUNCTION jwt.invalidate();
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON jwt.revoked_tokens
    FOR EACH ROW EXECUTE FUNCTION jwt.invalidate();
CREATE TRIGGER invalidate AFTER INSERT OR UPDATE OR DELETE ON jwt.revoked_subjects
    FOR EACH ROW EXECUTE FUNCTION jwt.invalidate();
CREATE TRIGGER invalidate_insert AFTER INSERT ON jwt.session_store
    FOR EACH ROW WHEN (new.closed_at IS NOT NULL)
    EXECUTE FUNCTION jwt.invalidate();
CREATE TRIGGER invalidate_update AFTER UPDATE ON jwt.session_store
    FOR EACH ROW WHEN (new.closed_at IS DISTINCT FROM old.closed_at
                       OR new.sid <> old.sid)
    EXECUTE FUNCTION jwt.invalidate();
CREATE TRIGGER invalidate_delete AFTER DELETE ON jwt.session_store
    FOR EACH ROW EXECUTE FUNCTION jwt.invalidate();

ALTER TABLE jwt.key_store ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE jwt.issuers ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE jwt.revoked_tokens ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE jwt.revoked_subjects ENABLE ALWAYS TRIGGER invalidate;
ALTER TABLE jwt.session_store ENABLE ALWAYS TRIGGER invalidate_insert;
ALTER TABLE jwt.session_store ENABLE ALWAYS TRIGGER invalidate_update;
ALTER TABLE jwt.session_store ENABLE ALWAYS TRIGGER invalidate_delete;

----------------------------------------------------------------------------
-- Functions.  No function that judges a token is STRICT: with null for a
-- token, PERFORM jwt.verify(...) would pass.
----------------------------------------------------------------------------

-- Tokens

CREATE FUNCTION jwt.sign(claims jsonb, kid text DEFAULT NULL, expires_in interval DEFAULT NULL, header jsonb DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_sign';
COMMENT ON FUNCTION jwt.sign(jsonb, text, interval, jsonb) IS 'Signs claims with a stored key: the named one, else the one that became current last';

CREATE FUNCTION jwt.sign_with(claims jsonb, jwk jsonb, expires_in interval DEFAULT NULL, header jsonb DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_sign_with';
COMMENT ON FUNCTION jwt.sign_with(jsonb, jsonb, interval, jsonb) IS 'Signs claims with a JWK that the caller holds';

CREATE FUNCTION jwt.verify(token text, audience text DEFAULT NULL, issuer text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS jsonb LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_verify';
COMMENT ON FUNCTION jwt.verify(text, text, text, timestamptz) IS 'Claims of a token that the stored keys and trusted issuers vouch for, or an error of class 28';

CREATE FUNCTION jwt.try_verify(token text, audience text DEFAULT NULL, issuer text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
        OUT valid boolean, OUT claims jsonb, OUT header jsonb, OUT kid text, OUT error_code text, OUT error text)
    RETURNS record LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_try_verify';
COMMENT ON FUNCTION jwt.try_verify(text, text, text, timestamptz) IS 'The decision of jwt.verify() as one row, never raised for a fault of the token';

CREATE FUNCTION jwt.verify_with(token text, jwks jsonb, audience text DEFAULT NULL, issuer text DEFAULT NULL, as_of timestamptz DEFAULT NULL, algorithms text[] DEFAULT NULL)
    RETURNS jsonb LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_verify_with';
COMMENT ON FUNCTION jwt.verify_with(text, jsonb, text, text, timestamptz, text[]) IS 'Claims of a token that a JWK or JWKS of the caller vouches for, or an error of class 28';

CREATE FUNCTION jwt.decode_unverified(token text, OUT header jsonb, OUT claims jsonb)
    RETURNS record LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_decode_unverified';
COMMENT ON FUNCTION jwt.decode_unverified(text) IS 'What a token says, believed by nobody: for debugging';

CREATE FUNCTION jwt.renew(token text, expires_in interval DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_renew';
COMMENT ON FUNCTION jwt.renew(text, interval) IS 'A still valid token of ours issued anew, never past jwt_auth.session_lifetime';

CREATE FUNCTION jwt.introspect(token text)
    RETURNS jsonb LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_introspect';
COMMENT ON FUNCTION jwt.introspect(text) IS 'Token introspection: {"active": false}, or the claims with "active": true (RFC 7662)';

CREATE FUNCTION jwt.jws_sign(payload bytea, jwk jsonb, header jsonb DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jws_sign';
COMMENT ON FUNCTION jwt.jws_sign(bytea, jsonb, jsonb) IS 'Compact JWS over any payload (RFC 7515)';

CREATE FUNCTION jwt.jws_verify(token text, jwks jsonb, algorithms text[] DEFAULT NULL)
    RETURNS bytea LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jws_verify';
COMMENT ON FUNCTION jwt.jws_verify(text, jsonb, text[]) IS 'Payload of a compact JWS whose signature is good (RFC 7515); no rules of JWT apply';

-- Keys

CREATE FUNCTION jwt.generate_key(alg text DEFAULT 'ES256', kid text DEFAULT NULL, status text DEFAULT 'current')
    RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_generate_key';
COMMENT ON FUNCTION jwt.generate_key(text, text, text) IS 'Makes and stores a signing key; returns its name';

CREATE FUNCTION jwt.import_key(jwk jsonb, kid text DEFAULT NULL, issuer text DEFAULT NULL, status text DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_import_key';
COMMENT ON FUNCTION jwt.import_key(jsonb, text, text, text) IS 'Stores a JWK, of our own or of another issuer; returns its name';

CREATE FUNCTION jwt.import_jwks(jwks jsonb, issuer text, keep_missing boolean DEFAULT false)
    RETURNS integer LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_import_jwks';
COMMENT ON FUNCTION jwt.import_jwks(jsonb, text, boolean) IS 'Replaces the keys of another issuer by a JWKS; returns how many it holds';

CREATE FUNCTION jwt.rotate_key(alg text DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_rotate_key';
COMMENT ON FUNCTION jwt.rotate_key(text) IS 'A standby key, or a new one, becomes current; the one before it verifies on';

CREATE FUNCTION jwt.set_key_status(kid text, status text, issuer text DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_set_key_status';
COMMENT ON FUNCTION jwt.set_key_status(text, text, text) IS 'Makes a key standby, current, previous or revoked';

CREATE FUNCTION jwt.drop_key(kid text, issuer text DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_drop_key';
COMMENT ON FUNCTION jwt.drop_key(text, text) IS 'Deletes a key for good';

CREATE FUNCTION jwt.set_key_times(kid text, not_before timestamptz, not_after timestamptz, issuer text DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_set_key_times';
COMMENT ON FUNCTION jwt.set_key_times(text, timestamptz, timestamptz, text) IS 'Sets from when and until when a key is good for anything; null: no limit';

CREATE FUNCTION jwt.add_key_uri(uri text, alg text DEFAULT NULL, kid text DEFAULT NULL, status text DEFAULT 'current')
    RETURNS text LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_add_key_uri';
COMMENT ON FUNCTION jwt.add_key_uri(text, text, text, text) IS 'Adds a private key that stays outside, where OpenSSL opens it by URI; returns its name';

CREATE FUNCTION jwt.reseal(old_key_file text DEFAULT NULL)
    RETURNS integer LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_reseal';
COMMENT ON FUNCTION jwt.reseal(text) IS 'Seals every stored private key with the file of jwt_auth.encryption_key_file; returns how many it moved';

CREATE FUNCTION jwt.jwks()
    RETURNS jsonb LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwks';
COMMENT ON FUNCTION jwt.jwks() IS 'Our public keys that are not revoked, as a JWKS (RFC 7517)';

CREATE FUNCTION jwt.jwk_from_pem(pem text, alg text DEFAULT NULL, kid text DEFAULT NULL)
    RETURNS jsonb LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_from_pem';
COMMENT ON FUNCTION jwt.jwk_from_pem(text, text, text) IS 'JWK of a PEM text: SPKI, PKCS#8, PKCS#1, SEC1 or a certificate';

CREATE FUNCTION jwt.jwk_from_secret(secret text, alg text DEFAULT 'HS256', kid text DEFAULT NULL)
    RETURNS jsonb LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_from_secret';
COMMENT ON FUNCTION jwt.jwk_from_secret(text, text, text) IS 'JWK of the bytes of a text, for HMAC';

CREATE FUNCTION jwt.jwk_from_secret(secret bytea, alg text DEFAULT 'HS256', kid text DEFAULT NULL)
    RETURNS jsonb LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_from_secret';
COMMENT ON FUNCTION jwt.jwk_from_secret(bytea, text, text) IS 'JWK of a secret, for HMAC';

CREATE FUNCTION jwt.jwk_to_pem(jwk jsonb)
    RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_to_pem';
COMMENT ON FUNCTION jwt.jwk_to_pem(jsonb) IS 'PEM of a JWK: PKCS#8 if it is private, else SPKI';

CREATE FUNCTION jwt.jwk_thumbprint(jwk jsonb)
    RETURNS text LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_thumbprint';
COMMENT ON FUNCTION jwt.jwk_thumbprint(jsonb) IS 'SHA-256 thumbprint of a JWK (RFC 7638)';

CREATE VIEW jwt.keys WITH (security_barrier) AS
    SELECT kid, nullif(issuer, '') AS issuer, alg, kty, status, may_sign,
           created_at, current_since, status_since, not_before, not_after,
           public_jwk, sealed_by, split_part(key_uri, '?', 1) AS key_uri
      FROM jwt.key_store;
COMMENT ON VIEW jwt.keys IS 'Keys without their secret parts; issuer is null for our own';

-- Only our own keys: others rotate theirs.  The call of a C function loads
-- the library, and with it the settings.
CREATE FUNCTION jwt.key_advice()
    RETURNS TABLE (kid text, alg text, status text, age interval, signs boolean,
        last_token_expires_at timestamptz, safe_to_revoke_since timestamptz, advice text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := statement_timestamp();
    lifetime interval;
    leeway interval;
BEGIN
    PERFORM jwt.own_issuer();
    lifetime := current_setting('jwt_auth.access_token_lifetime');
    leeway := current_setting('jwt_auth.leeway');
    RETURN QUERY
    WITH keys AS (
        SELECT k.*,
               coalesce(k.not_after <= at, false) AS is_over,
               k.status = 'current' AND k.may_sign
                   AND at >= coalesce(k.not_before, '-infinity')
                   AND at < coalesce(k.not_after, 'infinity') AS signs,
               CASE WHEN NOT k.may_sign OR k.current_since IS NULL THEN NULL
                    WHEN k.status = 'current' THEN at
                    ELSE k.status_since END AS signed_until
          FROM jwt.key_store k
         WHERE k.issuer = ''
    ), expiries AS (
        SELECT k.*,
               -- A key that is over verifies nothing, and a revoked one neither.
               CASE WHEN k.status = 'revoked' THEN NULL
                    WHEN k.signed_until IS NOT NULL
                    THEN least(least(k.signed_until, k.not_after) + lifetime, k.not_after) END AS last_expiry
          FROM keys k
    ), ends AS (
        SELECT k.*, least(k.last_expiry + leeway, k.not_after) AS kept_until
          FROM expiries k
    )
    SELECT k.kid, k.alg, k.status, at - k.created_at, k.signs, k.last_expiry,
           CASE WHEN k.status IN ('previous', 'standby') AND k.kept_until <= at
                THEN k.kept_until END,
           CASE WHEN k.status = 'revoked'
                THEN 'verifies nothing: may be dropped'
                WHEN k.is_over
                THEN CASE k.status WHEN 'current' THEN 'its time is over and it signs no more: rotate'
                                   ELSE 'its time is over: may be revoked' END
                WHEN k.status = 'current' AND NOT k.signs
                THEN 'signs from ' || k.not_before || ' on'
                WHEN k.status = 'current' AND k.not_after <= at + interval '30 days'
                THEN 'rotate: signs only until ' || k.not_after
                WHEN k.status = 'current' AND k.current_since <= at - interval '90 days'
                THEN 'rotate: has signed for more than 90 days'
                WHEN k.status = 'current'
                THEN 'nothing to do'
                WHEN NOT k.may_sign
                THEN 'verifies tokens that are signed elsewhere: ask there before revoking'
                WHEN k.kept_until > at
                THEN 'keep until ' || k.kept_until
                WHEN k.status = 'previous' AND k.kept_until IS NULL
                THEN 'has not signed here: ask where it has before revoking'
                WHEN k.status = 'previous'
                THEN 'may be revoked'
                WHEN k.kty <> 'oct' AND k.created_at > at - interval '1 day'
                THEN 'publish long enough for others to fetch jwks(), a day say, then rotate'
                ELSE 'ready: rotating makes it current' END
      FROM ends k
     ORDER BY k.created_at, k.kid;
END
$$;
COMMENT ON FUNCTION jwt.key_advice() IS 'What to do with each of our keys: rotate, keep or revoke, and why';

-- Sessions

CREATE FUNCTION jwt.open_session(subject text, claims jsonb DEFAULT '{}', client jsonb DEFAULT NULL)
    RETURNS jsonb LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_open_session';
COMMENT ON FUNCTION jwt.open_session(text, jsonb, jsonb) IS 'Opens a session; returns access and refresh token (RFC 6749, section 5.1)';

CREATE FUNCTION jwt.refresh(refresh_token text, client jsonb DEFAULT NULL)
    RETURNS jsonb LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_refresh';
COMMENT ON FUNCTION jwt.refresh(text, jsonb) IS 'Spends a refresh token for new tokens, or returns an OAuth error object (RFC 6749, sections 5.2 and 6)';

CREATE FUNCTION jwt.close_session(sid uuid)
    RETURNS boolean LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_close_session';
COMMENT ON FUNCTION jwt.close_session(uuid) IS 'Closes a session; false if it was not open';

CREATE FUNCTION jwt.close_sessions(subject text)
    RETURNS integer LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_close_sessions';
COMMENT ON FUNCTION jwt.close_sessions(text) IS 'Closes all sessions of a subject; returns how many were open';

CREATE FUNCTION jwt.revoke(token text)
    RETURNS boolean LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_revoke';
COMMENT ON FUNCTION jwt.revoke(text) IS 'Takes an access or refresh token back, quietly if it is unknown (RFC 7009)';

CREATE FUNCTION jwt.revoke_subject(subject text, issuer text DEFAULT NULL)
    RETURNS integer LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_revoke_subject';
COMMENT ON FUNCTION jwt.revoke_subject(text, text) IS 'Voids everything issued to a subject until now; returns how many sessions closed';

CREATE FUNCTION jwt.purge()
    RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_purge';
COMMENT ON FUNCTION jwt.purge() IS 'Deletes sessions and revocations that can no longer matter; returns how many';

CREATE FUNCTION jwt.own_subject()
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_own_subject';
COMMENT ON FUNCTION jwt.own_subject() IS 'Subject of the token in force if we issued it, else null';

CREATE FUNCTION jwt.close_my_session(sid uuid)
    RETURNS boolean LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_close_my_session';
COMMENT ON FUNCTION jwt.close_my_session(uuid) IS 'Closes a session of the asking subject; false if it is not theirs or not open';

CREATE VIEW jwt.sessions WITH (security_barrier) AS
    SELECT sid, subject, claims, client, opened_at, refreshed_at,
           least(idle_expires_at, expires_at) AS expires_at,
           expires_at AS absolute_expires_at, generation,
           closed_at, closed_why,
           closed_at IS NULL AND least(idle_expires_at, expires_at) > statement_timestamp() AS is_open
      FROM jwt.session_store;
COMMENT ON VIEW jwt.sessions IS 'All sessions, without what their refresh tokens are made of';

-- Who is asking

CREATE FUNCTION jwt.authenticate(token text, set_role boolean DEFAULT true)
    RETURNS jsonb LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY INVOKER
    AS 'MODULE_PATHNAME', 'jwt_auth_authenticate';
COMMENT ON FUNCTION jwt.authenticate(text, boolean) IS 'Verifies a token, puts it in force until the transaction ends, takes its role; returns the claims';

CREATE FUNCTION jwt.claims()
    RETURNS jsonb LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_claims';
COMMENT ON FUNCTION jwt.claims() IS 'Claims in force; null for nobody';

CREATE FUNCTION jwt.claim(VARIADIC path text[])
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_claim';
COMMENT ON FUNCTION jwt.claim(text[]) IS 'One claim as text, by its path; null if it is missing';

CREATE FUNCTION jwt.subject()
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_subject';
COMMENT ON FUNCTION jwt.subject() IS 'Who is asking: claim sub, behind the prefix of its issuer';

CREATE FUNCTION jwt.issuer()
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_issuer';
COMMENT ON FUNCTION jwt.issuer() IS 'Claim iss';

CREATE FUNCTION jwt.uid()
    RETURNS uuid LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_uid';
COMMENT ON FUNCTION jwt.uid() IS 'subject() as a UUID; null if it is none';

CREATE FUNCTION jwt.role()
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_role';
COMMENT ON FUNCTION jwt.role() IS 'The database role that the claims name';

CREATE FUNCTION jwt.session_id()
    RETURNS uuid LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_session_id';
COMMENT ON FUNCTION jwt.session_id() IS 'Claim sid as a UUID; null if it is none';

CREATE FUNCTION jwt.expires_at()
    RETURNS timestamptz LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_expires_at';
COMMENT ON FUNCTION jwt.expires_at() IS 'Claim exp';

CREATE FUNCTION jwt.has_role(role text)
    RETURNS boolean LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_has_role';
COMMENT ON FUNCTION jwt.has_role(text) IS 'Is that role among those of the role claim?';

CREATE FUNCTION jwt.has_scope(scope text)
    RETURNS boolean LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_has_scope';
COMMENT ON FUNCTION jwt.has_scope(text) IS 'Is that scope among those of claim scope or scp?';

CREATE FUNCTION jwt.is_authenticated()
    RETURNS boolean LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_is_authenticated';
COMMENT ON FUNCTION jwt.is_authenticated() IS 'Is anybody asking at all?';

CREATE FUNCTION jwt.pre_request()
    RETURNS void LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY INVOKER
    AS 'MODULE_PATHNAME', 'jwt_auth_pre_request';
COMMENT ON FUNCTION jwt.pre_request() IS 'For PostgREST''s db-pre-request: authenticates with the token of the HTTP request, if it has one';

CREATE FUNCTION jwt.impersonate(claims jsonb, role text DEFAULT NULL)
    RETURNS jsonb LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC
        SELECT jwt.authenticate(jwt.sign(
            CASE WHEN role IS NULL THEN claims
                 ELSE claims OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('role', role) END,
            expires_in => '5 minutes'));
    END;
COMMENT ON FUNCTION jwt.impersonate(jsonb, text) IS 'To test a policy as somebody: authenticates with a five-minute token of our own';

CREATE FUNCTION jwt.count_passing(rel regclass, asking_role text, oids oid[], tids tid[])
    RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_count_passing';
COMMENT ON FUNCTION jwt.count_passing(regclass, text, oid[], tid[]) IS 'How many of these rows a role may see; for jwt.explain_access()';

CREATE FUNCTION jwt.explain_access(rel regclass, sample_rows integer DEFAULT 1000,
        OUT policy name, OUT command text, OUT permissive boolean, OUT roles name[], OUT applies boolean,
        OUT using_expression text, OUT check_expression text, OUT reads text[],
        OUT asking_role text, OUT rows_seen bigint, OUT rows_passing bigint)
    RETURNS SETOF record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    was text := current_setting('row_security');
    sample_oids oid[];
    sample_tids tid[];
    table_oid oid := rel;
BEGIN
    asking_role := coalesce(jwt.role(), current_user);
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = table_oid AND c.relkind IN ('r', 'p')) THEN
        RAISE EXCEPTION '"%" is not a table', rel USING ERRCODE = 'wrong_object_type';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname::text = asking_role) THEN
        RAISE EXCEPTION 'role "%" of the claims in force does not exist', asking_role
            USING ERRCODE = 'undefined_object';
    END IF;

    -- The sample is the caller's own view of the table, with row security
    -- off: whoever may not see all of it gets an error, not a count.
    PERFORM set_config('row_security', 'off', true);
    EXECUTE format('SELECT array_agg(s.t), array_agg(s.c), count(*) FROM (SELECT tableoid AS t, ctid AS c FROM %s LIMIT $1) s', rel)
       INTO sample_oids, sample_tids, rows_seen USING sample_rows;
    PERFORM set_config('row_security', was, true);

    rows_passing := jwt.count_passing(rel, asking_role, sample_oids, sample_tids);

    FOR policy, command, permissive, roles, applies, using_expression, check_expression IN
        SELECT p.polname,
               CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
               p.polpermissive,
               ARRAY(SELECT CASE WHEN o = 0 THEN 'public' ELSE pg_get_userbyid(o) END FROM unnest(p.polroles) o),
               c.relrowsecurity AND EXISTS (SELECT FROM unnest(p.polroles) o WHERE o = 0 OR pg_has_role(asking_role::name, o, 'USAGE')),
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
          FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
         WHERE p.polrelid = table_oid
         ORDER BY p.polpermissive DESC, p.polname
    LOOP
        reads := ARRAY(SELECT DISTINCT m[1]
                         FROM regexp_matches(concat_ws(' ', using_expression, check_expression),
                                             '(jwt\.\w+\([^()]*\)|current_setting\([^()]*\))', 'g') m
                        ORDER BY m[1]);
        RETURN NEXT;
    END LOOP;
    IF NOT FOUND THEN
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION jwt.explain_access(regclass, integer) IS 'Which policies of a table apply to the asking role, what they read, and how many rows of a sample pass';

-- Trusted issuers

CREATE FUNCTION jwt.own_issuer()
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_own_issuer';
COMMENT ON FUNCTION jwt.own_issuer() IS 'The issuer that we sign as; empty if jwt_auth.issuer is not set';

CREATE FUNCTION jwt.trust_issuer(issuer text, audiences text[], algorithms text[] DEFAULT NULL, jwks_uri text DEFAULT NULL,
        leeway interval DEFAULT '30 seconds', max_token_age interval DEFAULT NULL, typ text[] DEFAULT NULL,
        required_claims text[] DEFAULT '{exp}', role_claim jsonpath DEFAULT NULL, allowed_roles text[] DEFAULT NULL,
        default_role text DEFAULT NULL, subject_prefix text DEFAULT '', enabled boolean DEFAULT true)
    RETURNS void LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    is_known boolean;
BEGIN
    IF trust_issuer.audiences IS NULL OR trust_issuer.issuer IS NULL THEN
        RAISE EXCEPTION 'issuer and audiences must be given'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'A token minted for another service is not for us. To accept any audience say so: audiences => ''{*}''.';
    END IF;
    IF trust_issuer.default_role IS NOT NULL
       AND (trust_issuer.issuer <> jwt.own_issuer() OR trust_issuer.allowed_roles IS NOT NULL)
       AND NOT trust_issuer.default_role = ANY (coalesce(trust_issuer.allowed_roles, '{}')) THEN
        RAISE EXCEPTION 'default_role is not among allowed_roles'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    is_known := EXISTS (SELECT FROM jwt.issuers i WHERE i.issuer = trust_issuer.issuer);
    INSERT INTO jwt.issuers
    VALUES (trust_issuer.issuer, trust_issuer.audiences, trust_issuer.algorithms, trust_issuer.jwks_uri,
            trust_issuer.leeway, trust_issuer.max_token_age, trust_issuer.typ, trust_issuer.required_claims,
            trust_issuer.role_claim, trust_issuer.allowed_roles, trust_issuer.default_role,
            trust_issuer.subject_prefix, trust_issuer.enabled)
    ON CONFLICT (issuer) DO UPDATE SET
        audiences = excluded.audiences, algorithms = excluded.algorithms, jwks_uri = excluded.jwks_uri,
        leeway = excluded.leeway, max_token_age = excluded.max_token_age, typ = excluded.typ,
        required_claims = excluded.required_claims, role_claim = excluded.role_claim,
        allowed_roles = excluded.allowed_roles, default_role = excluded.default_role,
        subject_prefix = excluded.subject_prefix, enabled = excluded.enabled;
    INSERT INTO jwt.event_store (kind, issuer, session_user_name)
    VALUES (CASE WHEN is_known THEN 'issuer changed' ELSE 'issuer trusted' END, trust_issuer.issuer, session_user);

    -- Our own subjects have no prefix, unless a row of our name says so.
    IF trust_issuer.enabled AND EXISTS (
        SELECT FROM (SELECT issuer, subject_prefix FROM jwt.issuers WHERE enabled
                     UNION ALL
                     SELECT jwt.own_issuer(), ''
                      WHERE NOT EXISTS (SELECT FROM jwt.issuers o WHERE o.issuer = jwt.own_issuer())) i
         WHERE i.issuer <> trust_issuer.issuer
           AND (i.subject_prefix = trust_issuer.subject_prefix
                OR i.subject_prefix <> '' AND trust_issuer.subject_prefix <> ''
                   AND (starts_with(i.subject_prefix, trust_issuer.subject_prefix)
                        OR starts_with(trust_issuer.subject_prefix, i.subject_prefix)))) THEN
        RAISE WARNING 'another trusted issuer, or our own, has the same subject_prefix, or one begins the other'
            USING DETAIL = 'Subjects of two issuers could be one subject to every policy.',
                  HINT = 'Give each issuer a subject_prefix of its own.';
    END IF;
END
$$;
COMMENT ON FUNCTION jwt.trust_issuer(text, text[], text[], text, interval, interval, text[], text[], jsonpath, text[], text, text, boolean)
    IS 'Trusts the tokens of an issuer, on the terms given; a second call replaces them';

CREATE FUNCTION jwt.distrust_issuer(issuer text)
    RETURNS boolean LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM jwt.issuers i WHERE i.issuer = distrust_issuer.issuer;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO jwt.event_store (kind, issuer, session_user_name)
    VALUES ('issuer distrusted', distrust_issuer.issuer, session_user);
    RETURN true;
END
$$;
COMMENT ON FUNCTION jwt.distrust_issuer(text) IS 'Trusts an issuer no longer; its keys stay, for when it is trusted again';

CREATE VIEW jwt.events WITH (security_barrier) AS
    SELECT id, at, kind, issuer, kid, subject, sid, detail, session_user_name
      FROM jwt.event_store;
COMMENT ON VIEW jwt.events IS 'What happened to keys, sessions and revocations, by whom and when';

CREATE VIEW jwt.my_sessions WITH (security_barrier) AS
    SELECT sid, client, opened_at, refreshed_at, expires_at, is_open,
           sid = jwt.session_id() AS is_this
      FROM jwt.sessions
     WHERE subject = jwt.own_subject() AND is_open;
COMMENT ON VIEW jwt.my_sessions IS 'Open sessions of the asking subject';

-- Statistics.  They are nobody's data, but tell what is going on: for those
-- who may read the server's own.

CREATE FUNCTION jwt.stats_source()
    RETURNS text LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_stats_source';
COMMENT ON FUNCTION jwt.stats_source() IS 'Where statistics are collected; null if they are not';

CREATE FUNCTION jwt.stats_rows(OUT issuer text, OUT kid text, OUT alg text, OUT signed bigint, OUT verified bigint,
        OUT cache_hits bigint, OUT cache_evicted bigint, OUT rejected bigint, OUT rejected_by_code jsonb,
        OUT last_rejected_at timestamptz, OUT last_used_at timestamptz, OUT refreshed bigint, OUT refresh_refused bigint,
        OUT replays bigint, OUT sessions_opened bigint, OUT sessions_closed bigint, OUT since timestamptz)
    RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'jwt_auth_stats_rows';
COMMENT ON FUNCTION jwt.stats_rows() IS 'Rows of jwt.stats, which is what to read';

CREATE FUNCTION jwt.stats_reset()
    RETURNS void LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'jwt_auth_stats_reset';
COMMENT ON FUNCTION jwt.stats_reset() IS 'Sets the statistics of this database to zero';

CREATE VIEW jwt.stats AS
    SELECT issuer, kid, alg, signed, verified, cache_hits, cache_evicted, rejected, rejected_by_code,
           last_rejected_at, last_used_at, refreshed, refresh_refused, replays, sessions_opened, sessions_closed, since
      FROM jwt.stats_rows();
COMMENT ON VIEW jwt.stats IS 'What was signed, verified, refused and refreshed in this database, by issuer, key and algorithm';

-- The views run with their owner's rights, so a write through them would
-- reach the tables past their row security.
CREATE FUNCTION jwt.refuse_write() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_refuse_write';
COMMENT ON FUNCTION jwt.refuse_write() IS 'Trigger: the views are for reading, and only owners truncate tables';

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR UPDATE OR DELETE ON jwt.keys
    FOR EACH ROW EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_write INSTEAD OF INSERT OR UPDATE OR DELETE ON jwt.sessions
    FOR EACH ROW EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_write INSTEAD OF INSERT OR UPDATE OR DELETE ON jwt.my_sessions
    FOR EACH ROW EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_write INSTEAD OF INSERT OR UPDATE OR DELETE ON jwt.stats
    FOR EACH ROW EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_write INSTEAD OF INSERT OR UPDATE OR DELETE ON jwt.events
    FOR EACH ROW EXECUTE FUNCTION jwt.refuse_write();

-- Row security does not bind TRUNCATE, and an empty deny list denies nothing.
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON jwt.key_store
    FOR EACH STATEMENT EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON jwt.issuers
    FOR EACH STATEMENT EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON jwt.session_store
    FOR EACH STATEMENT EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON jwt.revoked_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON jwt.revoked_subjects
    FOR EACH STATEMENT EXECUTE FUNCTION jwt.refuse_write();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON jwt.event_store
    FOR EACH STATEMENT EXECUTE FUNCTION jwt.refuse_write();
ALTER TABLE jwt.key_store ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE jwt.issuers ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE jwt.session_store ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE jwt.revoked_tokens ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE jwt.revoked_subjects ENABLE ALWAYS TRIGGER refuse_truncate;
ALTER TABLE jwt.event_store ENABLE ALWAYS TRIGGER refuse_truncate;

----------------------------------------------------------------------------
-- Who may do what, said for each function whatever the default privileges.
----------------------------------------------------------------------------

DO $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
          FROM (SELECT nspacl AS acl, nspowner AS owner FROM pg_namespace WHERE nspname = 'jwt'
                UNION ALL
                SELECT relacl, relowner FROM pg_class WHERE relnamespace = 'jwt'::regnamespace
                UNION ALL
                SELECT coalesce(proacl, acldefault('f', proowner)), proowner FROM pg_proc WHERE pronamespace = 'jwt'::regnamespace) o,
               aclexplode(o.acl) a
         WHERE a.grantee <> o.owner
    LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA jwt FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA jwt FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA jwt FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA jwt FROM %s', grantee);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA jwt TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    jwt.verify(text, text, text, timestamptz),
    jwt.try_verify(text, text, text, timestamptz),
    jwt.verify_with(text, jsonb, text, text, timestamptz, text[]),
    jwt.decode_unverified(text),
    jwt.jws_verify(text, jsonb, text[]),
    jwt.jwks(),
    jwt.jwk_from_pem(text, text, text),
    jwt.jwk_from_secret(text, text, text),
    jwt.jwk_from_secret(bytea, text, text),
    jwt.jwk_to_pem(jsonb),
    jwt.jwk_thumbprint(jsonb),
    jwt.authenticate(text, boolean),
    jwt.pre_request(),
    jwt.claims(),
    jwt.claim(text[]),
    jwt.subject(),
    jwt.issuer(),
    jwt.uid(),
    jwt.role(),
    jwt.session_id(),
    jwt.expires_at(),
    jwt.has_role(text),
    jwt.has_scope(text),
    jwt.is_authenticated(),
    jwt.own_subject(),
    jwt.close_my_session(uuid)
    TO PUBLIC;
GRANT SELECT ON jwt.my_sessions TO PUBLIC;
GRANT EXECUTE ON FUNCTION jwt.stats_source(), jwt.stats_rows() TO pg_read_all_stats;
GRANT SELECT ON jwt.stats TO pg_read_all_stats;
