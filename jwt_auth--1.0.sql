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
    longest_life integer NOT NULL DEFAULT 0,   -- of a token it signed; seconds, rounded up to minutes
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
    tag_key bytea NOT NULL,
    access_lifetime integer NOT NULL DEFAULT 0
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

-- Rows are only added, so nobody waits for whoever revokes the same subject.
-- With closed_why they are about sessions alone, those opened until then or
-- the one named, which somebody held who did not let them be closed.
CREATE TABLE jwt.revoked_subjects (
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    revoked_at timestamptz NOT NULL,
    sid uuid,
    closed_why text,
    expires_at timestamptz,
    PRIMARY KEY (issuer, subject, revoked_at),
    CHECK ((closed_why IS NULL) = (expires_at IS NULL)),
    CHECK (sid IS NULL OR closed_why IS NOT NULL)
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
COMMENT ON SEQUENCE jwt.event_store_id_seq IS 'Numbers the events';
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
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
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
-- A row that violates a constraint is shown by PostgreSQL; of these it would
-- be secrets that are shown.
----------------------------------------------------------------------------

CREATE FUNCTION jwt.check_row() RETURNS trigger
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_check_row';
REVOKE ALL ON FUNCTION jwt.check_row() FROM PUBLIC;
COMMENT ON FUNCTION jwt.check_row() IS 'Trigger: the constraints of the table, asked without showing the row';

CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON jwt.key_store
    FOR EACH ROW EXECUTE FUNCTION jwt.check_row();
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON jwt.session_store
    FOR EACH ROW EXECUTE FUNCTION jwt.check_row();
ALTER TABLE jwt.key_store ENABLE ALWAYS TRIGGER check_row;
ALTER TABLE jwt.session_store ENABLE ALWAYS TRIGGER check_row;

----------------------------------------------------------------------------
-- Functions.  No function that judges a token is STRICT: with null for a
-- token, PERFORM jwt.verify(...) would pass.
----------------------------------------------------------------------------

-- Tokens

CREATE FUNCTION jwt.sign(claims jsonb, kid text DEFAULT NULL, expires_in interval DEFAULT NULL, header jsonb DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_sign';
COMMENT ON FUNCTION jwt.sign(jsonb, text, interval, jsonb) IS 'Signs claims with a stored key: the named one, else the one that became current last';

CREATE FUNCTION jwt.sign_with(claims jsonb, jwk jsonb, expires_in interval DEFAULT NULL, header jsonb DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_sign_with';
COMMENT ON FUNCTION jwt.sign_with(jsonb, jsonb, interval, jsonb) IS 'Signs claims with a JWK that the caller holds';

CREATE FUNCTION jwt.verify(token text, audience text DEFAULT NULL, issuer text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS jsonb LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_verify';
COMMENT ON FUNCTION jwt.verify(text, text, text, timestamptz) IS 'Claims of a token that the stored keys and trusted issuers vouch for, or an error of class 28';

CREATE FUNCTION jwt.try_verify(token text, audience text DEFAULT NULL, issuer text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
        OUT valid boolean, OUT claims jsonb, OUT header jsonb, OUT kid text, OUT error_code text, OUT error text)
    RETURNS record LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_try_verify';
COMMENT ON FUNCTION jwt.try_verify(text, text, text, timestamptz) IS 'The decision of jwt.verify() as one row, never raised for a fault of the token';

CREATE FUNCTION jwt.verify_with(token text, jwks jsonb, audience text DEFAULT NULL, issuer text DEFAULT NULL, as_of timestamptz DEFAULT NULL, algorithms text[] DEFAULT NULL)
    RETURNS jsonb LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_verify_with';
COMMENT ON FUNCTION jwt.verify_with(text, jsonb, text, text, timestamptz, text[]) IS 'Claims of a token that a JWK or JWKS of the caller vouches for, or an error of class 28';

CREATE FUNCTION jwt.decode_unverified(token text, OUT header jsonb, OUT claims jsonb)
    RETURNS record LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_decode_unverified';
COMMENT ON FUNCTION jwt.decode_unverified(text) IS 'What a token says, believed by nobody: for debugging';

CREATE FUNCTION jwt.renew(token text, expires_in interval DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_renew';
COMMENT ON FUNCTION jwt.renew(text, interval) IS 'A still valid token of ours issued anew, never past jwt_auth.session_lifetime';

CREATE FUNCTION jwt.introspect(token text)
    RETURNS jsonb LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_introspect';
COMMENT ON FUNCTION jwt.introspect(text) IS 'Token introspection: {"active": false}, or the claims with "active": true (RFC 7662)';

CREATE FUNCTION jwt.jws_sign(payload bytea, jwk jsonb, header jsonb DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jws_sign';
COMMENT ON FUNCTION jwt.jws_sign(bytea, jsonb, jsonb) IS 'Compact JWS over any payload (RFC 7515)';

CREATE FUNCTION jwt.jws_verify(token text, jwks jsonb, algorithms text[] DEFAULT NULL)
    RETURNS bytea LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jws_verify';
COMMENT ON FUNCTION jwt.jws_verify(text, jsonb, text[]) IS 'Payload of a compact JWS whose signature is good (RFC 7515); no rules of JWT apply';

-- Keys

CREATE FUNCTION jwt.generate_key(alg text DEFAULT 'ES256', kid text DEFAULT NULL, status text DEFAULT 'current')
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_generate_key';
COMMENT ON FUNCTION jwt.generate_key(text, text, text) IS 'Makes and stores a signing key; returns its name';

CREATE FUNCTION jwt.import_key(jwk jsonb, kid text DEFAULT NULL, issuer text DEFAULT NULL, status text DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_import_key';
COMMENT ON FUNCTION jwt.import_key(jsonb, text, text, text) IS 'Stores a JWK, of our own or of another issuer; returns its name';

CREATE FUNCTION jwt.import_jwks(jwks jsonb, issuer text, keep_missing boolean DEFAULT false)
    RETURNS integer LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_import_jwks';
COMMENT ON FUNCTION jwt.import_jwks(jsonb, text, boolean) IS 'Replaces the keys of another issuer by a JWKS; returns how many of it are in force';

CREATE FUNCTION jwt.rotate_key(alg text DEFAULT NULL)
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_rotate_key';
COMMENT ON FUNCTION jwt.rotate_key(text) IS 'A standby key, or a new one, becomes current; the one before it verifies on';

CREATE FUNCTION jwt.set_key_status(kid text, status text, issuer text DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_set_key_status';
COMMENT ON FUNCTION jwt.set_key_status(text, text, text) IS 'Makes a key standby, current, previous or revoked';

CREATE FUNCTION jwt.drop_key(kid text, issuer text DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_drop_key';
COMMENT ON FUNCTION jwt.drop_key(text, text) IS 'Deletes a key for good';

CREATE FUNCTION jwt.set_key_times(kid text, not_before timestamptz, not_after timestamptz, issuer text DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_set_key_times';
COMMENT ON FUNCTION jwt.set_key_times(text, timestamptz, timestamptz, text) IS 'Sets from when and until when a key is good for anything; null: no limit';

CREATE FUNCTION jwt.add_key_uri(uri text, alg text DEFAULT NULL, kid text DEFAULT NULL, status text DEFAULT 'current')
    RETURNS text LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_add_key_uri';
COMMENT ON FUNCTION jwt.add_key_uri(text, text, text, text) IS 'Adds a private key that stays outside, where OpenSSL opens it by URI; returns its name';

CREATE FUNCTION jwt.reseal(old_key_file text DEFAULT NULL)
    RETURNS integer LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_reseal';
COMMENT ON FUNCTION jwt.reseal(text) IS 'Seals every stored private key with the file of jwt_auth.encryption_key_file; returns how many it moved';

CREATE FUNCTION jwt.jwks()
    RETURNS jsonb LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwks';
COMMENT ON FUNCTION jwt.jwks() IS 'Our public keys that are not revoked, as a JWKS (RFC 7517)';

CREATE FUNCTION jwt.jwk_from_pem(pem text, alg text DEFAULT NULL, kid text DEFAULT NULL)
    RETURNS jsonb LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_from_pem';
COMMENT ON FUNCTION jwt.jwk_from_pem(text, text, text) IS 'JWK of a PEM text: SPKI, PKCS#8, PKCS#1, SEC1 or a certificate';

CREATE FUNCTION jwt.jwks_from_pem(pem text)
    RETURNS jsonb LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwks_from_pem';
COMMENT ON FUNCTION jwt.jwks_from_pem(text) IS 'JWKS of all keys in a PEM text, each named by its thumbprint';

CREATE FUNCTION jwt.jwk_from_secret(secret text, alg text DEFAULT 'HS256', kid text DEFAULT NULL)
    RETURNS jsonb LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_from_secret';
COMMENT ON FUNCTION jwt.jwk_from_secret(text, text, text) IS 'JWK of the bytes of a text, for HMAC';

CREATE FUNCTION jwt.jwk_from_secret(secret bytea, alg text DEFAULT 'HS256', kid text DEFAULT NULL)
    RETURNS jsonb LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_from_secret';
COMMENT ON FUNCTION jwt.jwk_from_secret(bytea, text, text) IS 'JWK of a secret, for HMAC';

CREATE FUNCTION jwt.jwk_to_pem(jwk jsonb)
    RETURNS text LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_jwk_to_pem';
COMMENT ON FUNCTION jwt.jwk_to_pem(jsonb) IS 'PEM of a JWK: PKCS#8 if it is private, else SPKI';

CREATE FUNCTION jwt.jwk_thumbprint(jwk jsonb)
    RETURNS text LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
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
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SECURITY DEFINER
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
                    ELSE k.status_since END AS signed_until,
               greatest(lifetime, make_interval(secs => k.longest_life)) AS life
          FROM jwt.key_store k
         WHERE k.issuer = ''
    ), expiries AS (
        SELECT k.*,
               -- A key that is over verifies nothing, and a revoked one neither.
               CASE WHEN k.status = 'revoked' THEN NULL
                    WHEN k.signed_until IS NOT NULL
                    THEN least(least(k.signed_until, k.not_after) + k.life, k.not_after) END AS last_expiry
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
                THEN CASE k.status WHEN 'current' THEN format('its time is over and it signs no more: rotate %s', k.alg)
                                   ELSE 'its time is over: may be revoked' END
                WHEN k.status = 'current' AND NOT k.signs
                THEN 'signs from ' || k.not_before || ' on'
                WHEN k.status = 'current' AND k.not_after <= at + interval '30 days'
                THEN format('rotate %s: signs only until %s', k.alg, k.not_after)
                WHEN k.status = 'current' AND k.current_since <= at - interval '90 days'
                THEN format('rotate %s: has signed for more than 90 days', k.alg)
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
    RETURNS jsonb LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_open_session';
COMMENT ON FUNCTION jwt.open_session(text, jsonb, jsonb) IS 'Opens a session; returns access and refresh token (RFC 6749, section 5.1)';

CREATE FUNCTION jwt.refresh(refresh_token text, client jsonb DEFAULT NULL)
    RETURNS jsonb LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_refresh';
COMMENT ON FUNCTION jwt.refresh(text, jsonb) IS 'Spends a refresh token for new tokens, or returns an OAuth error object (RFC 6749, sections 5.2 and 6)';

CREATE FUNCTION jwt.close_session(sid uuid)
    RETURNS boolean LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_close_session';
COMMENT ON FUNCTION jwt.close_session(uuid) IS 'Closes a session; false if it was not open';

CREATE FUNCTION jwt.close_sessions(subject text)
    RETURNS integer LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_close_sessions';
COMMENT ON FUNCTION jwt.close_sessions(text) IS 'Closes all sessions of a subject; returns how many were open';

CREATE FUNCTION jwt.revoke(token text)
    RETURNS boolean LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_revoke';
COMMENT ON FUNCTION jwt.revoke(text) IS 'Takes an access or refresh token back, quietly if it is unknown (RFC 7009)';

CREATE FUNCTION jwt.revoke_subject(subject text, issuer text DEFAULT NULL)
    RETURNS integer LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_revoke_subject';
COMMENT ON FUNCTION jwt.revoke_subject(text, text) IS 'Voids everything issued to a subject until now; returns how many sessions closed';

CREATE FUNCTION jwt.purge()
    RETURNS integer LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_purge';
COMMENT ON FUNCTION jwt.purge() IS 'Deletes sessions and revocations that can no longer matter; returns how many';

CREATE FUNCTION jwt.own_subject()
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_own_subject';
COMMENT ON FUNCTION jwt.own_subject() IS 'Subject of the token in force if we issued it, else null';

CREATE FUNCTION jwt.close_my_session(sid uuid)
    RETURNS boolean LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_close_my_session';
COMMENT ON FUNCTION jwt.close_my_session(uuid) IS 'Closes a session of the asking subject; false if it is not theirs or not open';

CREATE VIEW jwt.sessions WITH (security_barrier) AS
    SELECT s.sid, s.subject, s.claims, s.client, s.opened_at, s.refreshed_at,
           least(s.idle_expires_at, s.expires_at) AS expires_at,
           s.expires_at AS absolute_expires_at, s.generation,
           coalesce(s.closed_at, c.at, a.at) AS closed_at, coalesce(s.closed_why, c.why, a.why) AS closed_why,
           s.closed_at IS NULL AND c.at IS NULL AND a.at IS NULL AND least(s.idle_expires_at, s.expires_at) > statement_timestamp() AS is_open
      FROM jwt.session_store s
      LEFT JOIN (SELECT r.subject, r.sid, min(r.revoked_at) AS at, min(r.closed_why) AS why
                   FROM jwt.revoked_subjects r WHERE r.issuer = '' AND r.sid IS NOT NULL
                  GROUP BY r.subject, r.sid) c
        ON c.subject = s.subject AND c.sid = s.sid
      LEFT JOIN (SELECT r.subject, max(r.revoked_at) AS at,
                        (array_agg(coalesce(r.closed_why, 'subject revoked') ORDER BY r.revoked_at DESC))[1] AS why
                   FROM jwt.revoked_subjects r WHERE r.issuer = '' AND r.sid IS NULL
                  GROUP BY r.subject) a
        ON a.subject = s.subject AND a.at >= s.opened_at;
COMMENT ON VIEW jwt.sessions IS 'All sessions, without what their refresh tokens are made of';

-- Who is asking

CREATE FUNCTION jwt.authenticate(token text, set_role boolean DEFAULT true)
    RETURNS jsonb LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY INVOKER
    AS 'MODULE_PATHNAME', 'jwt_auth_authenticate';
COMMENT ON FUNCTION jwt.authenticate(text, boolean) IS 'Verifies a token, puts it in force until the transaction ends, takes its role; returns the claims';

CREATE FUNCTION jwt.claims()
    RETURNS jsonb LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_claims';
COMMENT ON FUNCTION jwt.claims() IS 'Claims in force; null for nobody';

CREATE FUNCTION jwt.claim(VARIADIC path text[])
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_claim';
COMMENT ON FUNCTION jwt.claim(text[]) IS 'One claim as text, by its path; null if it is missing';

CREATE FUNCTION jwt.subject()
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_subject';
COMMENT ON FUNCTION jwt.subject() IS 'Who is asking: claim sub, behind the prefix of its issuer';

CREATE FUNCTION jwt.issuer()
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_issuer';
COMMENT ON FUNCTION jwt.issuer() IS 'Claim iss';

CREATE FUNCTION jwt.uid()
    RETURNS uuid LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_uid';
COMMENT ON FUNCTION jwt.uid() IS 'subject() as a UUID; null if it is none';

CREATE FUNCTION jwt.role()
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_role';
COMMENT ON FUNCTION jwt.role() IS 'The database role that the claims name';

CREATE FUNCTION jwt.session_id()
    RETURNS uuid LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_session_id';
COMMENT ON FUNCTION jwt.session_id() IS 'Claim sid as a UUID; null if it is none';

CREATE FUNCTION jwt.expires_at()
    RETURNS timestamptz LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_expires_at';
COMMENT ON FUNCTION jwt.expires_at() IS 'Claim exp';

CREATE FUNCTION jwt.has_role(role text)
    RETURNS boolean LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_has_role';
COMMENT ON FUNCTION jwt.has_role(text) IS 'Is that role among those of the role claim?';

CREATE FUNCTION jwt.has_scope(scope text)
    RETURNS boolean LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_has_scope';
COMMENT ON FUNCTION jwt.has_scope(text) IS 'Is that scope among those of claim scope or scp?';

CREATE FUNCTION jwt.is_authenticated()
    RETURNS boolean LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_is_authenticated';
COMMENT ON FUNCTION jwt.is_authenticated() IS 'Is anybody asking at all?';

CREATE FUNCTION jwt.pre_request()
    RETURNS void LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY INVOKER
    AS 'MODULE_PATHNAME', 'jwt_auth_pre_request';
COMMENT ON FUNCTION jwt.pre_request() IS 'For PostgREST''s db-pre-request: authenticates with the token of the HTTP request, if it has one';

CREATE FUNCTION jwt.impersonate(claims jsonb, role text DEFAULT NULL)
    RETURNS jsonb LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    BEGIN ATOMIC
        SELECT jwt.authenticate(jwt.sign(
            pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('aud', nullif(pg_catalog.current_setting('jwt_auth.audience', true), '')))
                OPERATOR(pg_catalog.||) claims
                OPERATOR(pg_catalog.||) pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('role', role)),
            expires_in => '5 minutes'));
    END;
COMMENT ON FUNCTION jwt.impersonate(jsonb, text) IS 'To test a policy as somebody: authenticates with a five-minute token of our own';

CREATE FUNCTION jwt.explain_access(rel regclass, sample_rows integer DEFAULT 1000,
        OUT policy name, OUT command text, OUT permissive boolean, OUT roles name[], OUT applies boolean,
        OUT using_expression text, OUT check_expression text, OUT reads text[],
        OUT asking_role text, OUT rows_seen bigint, OUT rows_passing bigint)
    RETURNS SETOF record LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'jwt_auth_explain_access';
COMMENT ON FUNCTION jwt.explain_access(regclass, integer) IS 'Which policies of a table apply to the asking role, what they read, and how many rows of a sample pass';

-- Trusted issuers

CREATE FUNCTION jwt.own_issuer()
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_own_issuer';
COMMENT ON FUNCTION jwt.own_issuer() IS 'The issuer that we sign as; empty if jwt_auth.issuer is not set';

CREATE FUNCTION jwt.trust_issuer(issuer text, audiences text[], algorithms text[] DEFAULT NULL, jwks_uri text DEFAULT NULL,
        leeway interval DEFAULT '30 seconds', max_token_age interval DEFAULT NULL, typ text[] DEFAULT NULL,
        required_claims text[] DEFAULT '{exp}', role_claim jsonpath DEFAULT NULL, allowed_roles text[] DEFAULT NULL,
        default_role text DEFAULT NULL, subject_prefix text DEFAULT '', enabled boolean DEFAULT true)
    RETURNS void LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    is_known boolean;
    name text;
    need text;
BEGIN
    IF trust_issuer.audiences IS NULL OR trust_issuer.issuer IS NULL THEN
        RAISE EXCEPTION 'issuer and audiences must be given'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'A token minted for another service is not for us. To accept any audience say so: audiences => ''{*}''.';
    END IF;
    IF num_nulls(trust_issuer.leeway, trust_issuer.required_claims, trust_issuer.subject_prefix, trust_issuer.enabled) > 0 THEN
        RAISE EXCEPTION 'leeway, required_claims, subject_prefix and enabled must not be null'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave them out for their defaults.';
    END IF;
    IF trust_issuer.default_role IS NOT NULL
       AND (trust_issuer.issuer <> jwt.own_issuer() OR trust_issuer.allowed_roles IS NOT NULL)
       AND NOT trust_issuer.default_role = ANY (coalesce(trust_issuer.allowed_roles, '{}')) THEN
        RAISE EXCEPTION 'default_role is not among allowed_roles'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A variable that nobody sets would be an error in each token's way.
    IF regexp_replace(trust_issuer.role_claim::text, '"([^"\\]|\\.)*"', '""', 'g') ~ '[$]"' THEN
        RAISE EXCEPTION 'role_claim must not have variables'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- What the table would refuse, said of the arguments.
    FOR name, need IN
        SELECT a.name, a.need
          FROM (VALUES (trust_issuer.issuer = '' OR octet_length(trust_issuer.issuer) > 1024, 'issuer', 'It must have 1 to 1024 bytes.'),
                       (cardinality(trust_issuer.audiences) = 0 OR array_position(trust_issuer.audiences, NULL) IS NOT NULL,
                        'audiences', 'It must hold at least one name and no null; ''{*}'' is any.'),
                       (NOT jwt.check_algorithms(trust_issuer.algorithms), 'algorithms', 'It must hold names of algorithms that are known.'),
                       (trust_issuer.leeway NOT BETWEEN '0' AND '300 seconds', 'leeway', 'It must be from 0 to 300 seconds.'),
                       (trust_issuer.max_token_age <= '0', 'max_token_age', 'It must be longer than 0.')) a (refused, name, need)
         WHERE a.refused
    LOOP
        RAISE EXCEPTION 'value of argument "%" is not valid', name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = need;
    END LOOP;
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
    RETURNS boolean LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
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
    RETURNS text LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_stats_source';
COMMENT ON FUNCTION jwt.stats_source() IS 'Where statistics are collected; null if they are not';

CREATE FUNCTION jwt.stats_rows(OUT issuer text, OUT kid text, OUT alg text, OUT signed bigint, OUT verified bigint,
        OUT cache_hits bigint, OUT cache_evicted bigint, OUT rejected bigint, OUT rejected_by_code jsonb,
        OUT last_rejected_at timestamptz, OUT last_used_at timestamptz, OUT refreshed bigint, OUT refresh_refused bigint,
        OUT replays bigint, OUT sessions_opened bigint, OUT sessions_closed bigint, OUT since timestamptz, OUT newest_iat timestamptz)
    RETURNS SETOF record LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'jwt_auth_stats_rows';
COMMENT ON FUNCTION jwt.stats_rows() IS 'Rows of jwt.stats, which is what to read';

CREATE FUNCTION jwt.stats_reset()
    RETURNS void LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED
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
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
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
-- Advice: what is misconfigured, and the SQL that mends it.  It reads
-- catalogs and settings, and evaluates nothing that it finds there.
----------------------------------------------------------------------------

-- Names are other people's: a fix that is a comment ends where its line does.
CREATE FUNCTION jwt.sql_comment(words text) RETURNS text
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT '-- ' || regexp_replace(words COLLATE "C", '[[:cntrl:]]+', ' ', 'g')
$$;
COMMENT ON FUNCTION jwt.sql_comment(text) IS 'Words as one line of comment; for jwt.advise()';

-- An expression is written with the names that mean the right thing under
-- this search_path; under another, a function of somebody's may fit better.
CREATE FUNCTION jwt.pinned_sql(statement text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE WHEN strpos(statement, '$fix$') > 0 THEN jwt.sql_comment(statement)
            ELSE format('DO $fix$ BEGIN SET LOCAL search_path = pg_catalog, pg_temp; %s END $fix$;', statement) END
$$;
COMMENT ON FUNCTION jwt.pinned_sql(text) IS 'A statement that means the same whatever the search_path; for jwt.advise()';

CREATE FUNCTION jwt.expression_facts(expression pg_node_tree, relation oid, helpers oid[],
        OUT kind text, OUT function oid, OUT relation_compared oid, OUT attnum smallint, OUT said text, OUT is_indexed boolean)
    RETURNS SETOF record LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 10
    AS 'MODULE_PATHNAME', 'jwt_auth_expression_facts';
COMMENT ON FUNCTION jwt.expression_facts(pg_node_tree, oid, oid[]) IS 'What the expression of a policy calls, reads and compares with helpers; for jwt.advise()';

CREATE FUNCTION jwt.mend_expression(expression pg_node_tree, relation oid, helpers oid[]) RETURNS text
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_mend_expression';
COMMENT ON FUNCTION jwt.mend_expression(pg_node_tree, oid, oid[]) IS 'The expression of a policy as jwt.advise() would have it; null if that is no other';

CREATE FUNCTION jwt.source_names(source text, OUT qualifier text, OUT name text, OUT is_called boolean)
    RETURNS SETOF record LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_source_names';
COMMENT ON FUNCTION jwt.source_names(text) IS 'The names in a source of SQL or PL/pgSQL; for jwt.advise()';

CREATE FUNCTION jwt.seconds_of(value text) RETURNS integer
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_seconds_of';
COMMENT ON FUNCTION jwt.seconds_of(text) IS 'Seconds of a setting that is a time, null if it is none; for jwt.advise()';

CREATE FUNCTION jwt.split_names(list text) RETURNS SETOF text
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_split_names';
COMMENT ON FUNCTION jwt.split_names(text) IS 'The names in a list like jwt_auth.trusted_gateways; for jwt.advise() and jwt.check()';

-- Values that new sessions of this database get, and the one that this session
-- has set, and how to set another.  A session that runs may still have what was
-- stored when it began, so for others its word counts only where nothing was.
CREATE FUNCTION jwt.settings_of(setting text, OUT value text, OUT duration interval, OUT place text, OUT mend text)
    RETURNS SETOF record LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH stored AS (
    SELECT substr(c, length(setting) + 2) AS value, s.setdatabase AS db, s.setrole AS role,
           (SELECT quote_ident(datname) FROM pg_database WHERE oid = s.setdatabase) AS datname,
           quote_ident(pg_get_userbyid(nullif(s.setrole, 0))) AS rolname
      FROM pg_db_role_setting s, unnest(s.setconfig) c
     WHERE split_part(c, '=', 1) = setting
       AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
), running AS (
    SELECT s.*, s.source IN ('session', 'client', 'interactive') AS is_ours,
           s.source IN ('default', 'configuration file', 'command line', 'environment variable', 'override') AS is_base
      FROM pg_settings s WHERE s.name = settings_of.setting
)
SELECT v.value, make_interval(secs => jwt.seconds_of(v.value)), v.place, v.mend
  FROM (SELECT s.value,
               concat_ws(' in ', coalesce('role ' || s.rolname, CASE WHEN s.db = 0 THEN 'every role' END), 'database ' || s.datname),
               concat('ALTER ', CASE WHEN s.role = 0 AND s.db <> 0 THEN 'DATABASE ' || s.datname
                                     ELSE 'ROLE ' || coalesce(s.rolname, 'ALL') || coalesce(' IN DATABASE ' || s.datname, '') END,
                      ' SET ', setting, ' = ')
          FROM stored s
         WHERE s.db <> 0 OR NOT EXISTS (SELECT FROM stored o WHERE o.role = s.role AND o.db <> 0)
        UNION ALL
        SELECT CASE WHEN r.is_base THEN r.setting
                    ELSE coalesce((SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = lower(r.name) AND f.applied ORDER BY f.seqno DESC LIMIT 1),
                                  r.boot_val) END,
               'every session', format('ALTER DATABASE %I SET %s = ', current_database(), r.name)
          FROM running r WHERE NOT EXISTS (SELECT FROM stored WHERE role = 0)
        UNION ALL
        SELECT r.setting, 'this session', format('SET %s = ', r.name) FROM running r WHERE r.is_ours) v (value, place, mend)
$$;
COMMENT ON FUNCTION jwt.settings_of(text) IS 'The values of a setting in this database, where they are set, and the beginning of the SQL that sets another; for jwt.advise()';

CREATE FUNCTION jwt.gateways() RETURNS SETOF text
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
SELECT DISTINCT n FROM jwt.settings_of('jwt_auth.trusted_gateways') s, jwt.split_names(s.value) n
$$;
COMMENT ON FUNCTION jwt.gateways() IS 'Session users whose claims setting is believed somewhere in this database; for jwt.advise() and jwt.check()';

-- The first line that fits a connection decides.  Regular expressions and
-- rule_number are of PostgreSQL 16.
CREATE FUNCTION jwt.open_doors(login text) RETURNS SETOF text
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH rules AS (
    SELECT coalesce((to_jsonb(h) ->> 'rule_number')::integer, h.line_number) AS n, h.line_number,
           h.type, h.address, h.auth_method,
           -- not a name of a host, be it "cafe.de"
           CASE WHEN h.address ~ '^([0-9]+(\.[0-9]+){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)$' THEN h.address::inet END AS net,
           CASE WHEN h.netmask ~ '^([0-9]+(\.[0-9]+){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)$' THEN h.netmask::inet END AS mask
      FROM pg_hba_file_rules h
     WHERE h.error IS NULL
       AND EXISTS (SELECT FROM unnest(h.database) d
                    WHERE d IN ('all', current_database()) OR d = 'sameuser' AND login = current_database()
                       OR d IN ('samerole', 'samegroup') AND EXISTS (
                          SELECT FROM pg_roles r WHERE r.rolname = current_database() AND pg_has_role(login::name, r.oid, 'MEMBER'))
                       OR d LIKE '/%' AND current_database() ~ substr(d, 2))
       AND EXISTS (SELECT FROM unnest(h.user_name) u
                    WHERE u IN ('all', login) OR u LIKE '/%' AND login ~ substr(u, 2)
                       OR u LIKE '+%' AND EXISTS (
                          SELECT FROM pg_roles r WHERE r.rolname = substr(u, 2) AND pg_has_role(login::name, r.oid, 'MEMBER')))
)
SELECT format('line %s of pg_hba.conf (%s)', r.line_number, concat_ws(' ', r.type, r.address))
  FROM rules r
 WHERE r.auth_method = 'trust'
   AND CASE r.type WHEN 'local' THEN current_setting('unix_socket_directories') <> ''
                   WHEN 'hostssl' THEN current_setting('listen_addresses') <> '' AND current_setting('ssl')::boolean
                   ELSE current_setting('listen_addresses') <> '' END
   AND NOT EXISTS (SELECT FROM rules e
                    WHERE e.n < r.n AND (e.type = r.type OR e.type = 'host' AND r.type LIKE 'host%')
                      AND (r.type = 'local' OR e.address = 'all' OR e.address = r.address AND e.net IS NULL
                           OR CASE WHEN family(e.net) = family(r.net)
                                   THEN (r.net & e.mask) = (e.net & e.mask) AND (r.mask & e.mask) = e.mask END))
 ORDER BY r.n
$$;
COMMENT ON FUNCTION jwt.open_doors(text) IS 'Lines of pg_hba.conf that let a role into this database without asking who it is; for jwt.advise() and jwt.check()';

-- pg_depend knows what a body calls that was parsed when it was made; in
-- others it is looked for by name.
CREATE FUNCTION jwt.helper_functions() RETURNS SETOF oid
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH RECURSIVE ours AS (
    SELECT p.oid, p.proname FROM pg_proc p WHERE p.pronamespace = 'jwt'::regnamespace
), asks (oid) AS (
    SELECT oid FROM ours
    UNION
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE (n.nspname, p.proname) = ('auth', 'jwt')
    UNION
    SELECT p.oid
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang, LATERAL jwt.source_names(p.prosrc) s
     WHERE l.lanname IN ('sql', 'plpgsql') AND p.prosrc ~* '\mjwt\M' AND s.qualifier = 'jwt' AND s.is_called
       AND s.name IN (SELECT proname FROM ours)
    UNION
    SELECT d.objid
      FROM asks a JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = a.oid AND d.classid = 'pg_proc'::regclass
)
SELECT oid FROM asks
$$;
COMMENT ON FUNCTION jwt.helper_functions() IS 'Functions that ask who is asking: ours, and those of others that call them; for jwt.advise()';

-- Web roles.  A superuser may take any role at all, which says nothing; what
-- counts is who was given to whom, and for what.
CREATE FUNCTION jwt.web_roles() RETURNS TABLE (role oid, ordinary boolean, via text)
    LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH path AS (
    SELECT coalesce((SELECT i.role_claim FROM jwt.issuers i WHERE i.issuer = jwt.own_issuer()), '$.role') AS p
), claimed AS (
    SELECT DISTINCT q AS claim
      FROM jwt.session_store s, path, jsonb_path_query(s.claims, path.p, '{}', true) q
     WHERE s.closed_at IS NULL
), asking AS (       -- policies that ask us
    SELECT DISTINCT p.oid, p.polroles, c.oid AS rel, c.relacl, c.relowner, c.relnamespace
      FROM jwt.helper_functions() f JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = f AND d.classid = 'pg_policy'::regclass
      JOIN pg_policy p ON p.oid = d.objid JOIN pg_class c ON c.oid = p.polrelid
), found (role, via) AS (
    SELECT r.oid, 'issuer ' || i.issuer
      FROM jwt.issuers i, unnest(array_append(i.allowed_roles, i.default_role)) n JOIN pg_roles r ON r.rolname = n
     WHERE i.enabled
    UNION ALL
    SELECT r.oid, 'open sessions'
      FROM claimed, LATERAL (SELECT claim UNION ALL SELECT jsonb_array_elements(CASE jsonb_typeof(claim) WHEN 'array' THEN claim END)) c (one)
      JOIN pg_roles r ON r.rolname = c.one #>> '{}'
     WHERE jsonb_typeof(c.one) = 'string'
    UNION ALL
    SELECT r.oid, 'jwt_auth.trusted_gateways' FROM jwt.gateways() g JOIN pg_roles r ON r.rolname = g
    UNION ALL
    SELECT r.oid, 'granted to ' || quote_ident(l.rolname)
      FROM pg_roles l, pg_roles r
     WHERE l.rolcanlogin AND NOT l.rolsuper AND l.oid <> r.oid
       AND l.oid IN (SELECT member FROM pg_auth_members) AND r.oid IN (SELECT roleid FROM pg_auth_members)
       AND has_database_privilege(l.oid, current_database(), 'CONNECT')
       AND pg_has_role(l.oid, r.oid, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    UNION ALL
    SELECT r.oid, 'policies that ask jwt'
      FROM asking p,
           LATERAL (SELECT unnest(p.polroles)
                    UNION ALL
                    SELECT a.grantee FROM aclexplode(p.relacl) a WHERE a.privilege_type = 'SELECT' AND a.grantee <> p.relowner) o (oid)
      JOIN pg_roles r ON r.oid = o.oid
     WHERE NOT r.rolcanlogin
    UNION ALL        -- an application that logs in as itself
    SELECT r.oid, 'policies that ask jwt'
      FROM pg_roles r
     WHERE r.rolcanlogin AND NOT (r.rolsuper OR r.rolbypassrls) AND NOT pg_has_role(r.oid, 'pg_read_all_data', 'USAGE')
       AND has_database_privilege(r.oid, current_database(), 'CONNECT')
       AND EXISTS (SELECT FROM asking p
                    WHERE NOT pg_has_role(r.oid, p.relowner, 'MEMBER')
                      AND has_schema_privilege(r.oid, p.relnamespace, 'USAGE') AND has_any_column_privilege(r.oid, p.rel, 'SELECT'))
)
SELECT r.oid, NOT (r.rolsuper OR r.rolbypassrls OR r.rolreplication), string_agg(DISTINCT f.via COLLATE "C", ', ')
  FROM found f JOIN pg_roles r ON r.oid = f.role
 WHERE r.rolname NOT LIKE 'pg\_%'
 GROUP BY r.oid, r.rolsuper, r.rolbypassrls, r.rolreplication
$$;
COMMENT ON FUNCTION jwt.web_roles() IS 'Roles that a token may take, as far as grants, issuers, sessions and policies show, and why; for jwt.advise()';

CREATE FUNCTION jwt.advise_tables(web oid[], OUT severity text, OUT rule text, OUT object text, OUT finding text, OUT fix text)
    RETURNS SETOF record LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH RECURSIVE reachable AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
           format('%I.%I', n.nspname, c.relname) AS name, r.readers, r.writers
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
           LATERAL (SELECT string_agg(w.name, ', ' ORDER BY w.name) FILTER (WHERE has_any_column_privilege(w.oid, c.oid, 'SELECT')) AS readers,
                           string_agg(w.name, ', ' ORDER BY w.name) FILTER (WHERE has_any_column_privilege(w.oid, c.oid, 'INSERT, UPDATE')
                                                                               OR has_table_privilege(w.oid, c.oid, 'DELETE')) AS writers
                      FROM (SELECT u, quote_ident(pg_get_userbyid(u)) FROM unnest(web) u) w (oid, name)
                     WHERE has_schema_privilege(w.oid, n.oid, 'USAGE')) r
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), readable AS (
    SELECT r.*, r.readers AS roles FROM reachable r WHERE r.readers IS NOT NULL
), uses AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS rel
      FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
       AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
     WHERE r.ev_type = '1' AND d.refobjid <> 'jwt.my_sessions'::regclass
), reaches AS (
    SELECT view, rel FROM uses UNION SELECT r.view, u.rel FROM reaches r JOIN uses u ON u.view = r.rel
), views AS (
    SELECT v.oid, string_agg(DISTINCT t.oid::regclass::text, ', ') AS tables,
           bool_or(o.rolsuper OR o.rolbypassrls OR t.relowner = v.relowner AND NOT t.relforcerowsecurity) AS past
      FROM pg_class v JOIN reaches r ON r.view = v.oid JOIN pg_class t ON t.oid = r.rel AND t.relrowsecurity JOIN pg_roles o ON o.oid = v.relowner
     GROUP BY v.oid
), definers AS MATERIALIZED (
    SELECT p.oid, p.proowner, p.pronamespace, p.prosrc, p.prosqlbody IS NOT NULL AS is_parsed, l.lanname IN ('sql', 'plpgsql') AS is_sql,
           p.oid::regprocedure::text AS name, (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity AS identity
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
     WHERE p.prosecdef AND n.nspname NOT LIKE 'pg\_%'
       AND NOT EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search\_path=%' AND c NOT LIKE '%$user%')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
       AND (p.prorettype = 'trigger'::regtype OR EXISTS (SELECT FROM unnest(web) w WHERE has_function_privilege(w, p.oid, 'EXECUTE')))
), words AS MATERIALIZED (    -- names in their sources
    SELECT f.oid, s.qualifier, s.name, s.is_called FROM definers f, LATERAL jwt.source_names(f.prosrc) s WHERE f.is_sql AND NOT f.is_parsed
    UNION
    SELECT f.oid, NULL, w.word, true
      FROM definers f, LATERAL regexp_matches(f.prosrc, '[[:alpha:]_][[:alnum:]_$]*', 'g') m, LATERAL (VALUES (m[1]), (lower(m[1]))) w (word)
     WHERE NOT f.is_sql
), named (name, schema, is_function, is_guarded, rel) AS MATERIALIZED (    -- what can be meant by a name
    SELECT c.relname, c.relnamespace, false, c.relrowsecurity OR c.oid IN (SELECT v.oid FROM views v), c.oid
      FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT DISTINCT p.proname, p.pronamespace, true, false, NULL::oid FROM pg_proc p
    UNION ALL
    SELECT t.typname, t.typnamespace, false, false, NULL FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r')
), meant AS MATERIALIZED (
    SELECT f.oid, w.qualifier, w.name, o.schema, o.is_guarded, o.rel
      FROM words w JOIN definers f USING (oid) JOIN named o ON o.name = w.name AND (w.is_called OR NOT o.is_function)
      JOIN pg_namespace n ON n.oid = o.schema AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
     WHERE coalesce(w.qualifier = n.nspname, n.nspname <> 'jwt' AND has_schema_privilege(f.proowner, n.oid, 'USAGE'))
), reached AS (
    SELECT f.oid, g.rel
      FROM definers f JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
      JOIN named g ON g.rel = d.refobjid AND g.is_guarded
    UNION
    SELECT m.oid, m.rel FROM meant m WHERE m.is_guarded
), creators (schema, role) AS (
    SELECT n.oid, n.nspowner FROM pg_namespace n
    UNION
    SELECT n.oid, a.grantee FROM pg_namespace n, aclexplode(n.nspacl) a WHERE a.privilege_type = 'CREATE'
), open_to AS (     -- who else can put something there
    SELECT f.proowner, n.oid AS schema
      FROM (SELECT DISTINCT proowner FROM definers) f, pg_namespace n
     WHERE n.nspname = '$user'
        OR EXISTS (SELECT FROM creators c
                    WHERE c.schema = n.oid AND c.role <> f.proowner AND c.role <> 'pg_database_owner'::regrole
                      AND c.role <> (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database())
                      AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.role AND r.rolsuper))
), bare AS (        -- which schema is a name's that has none?
    SELECT f.oid, m.name, min(m.schema) AS schema, count(DISTINCT m.schema) > 1 OR bool_or(o.schema IS NOT NULL) AS is_doubtful
      FROM meant m JOIN definers f USING (oid) LEFT JOIN open_to o ON (o.proowner, o.schema) = (f.proowner, m.schema)
     WHERE m.qualifier IS NULL
       AND NOT EXISTS (SELECT FROM named b WHERE b.name = m.name AND b.schema = 'pg_catalog'::regnamespace)
     GROUP BY f.oid, m.name
), needed (oid, schema) AS (
    SELECT oid, schema FROM bare
    UNION
    SELECT r.oid, c.relnamespace FROM reached r JOIN definers f USING (oid) JOIN pg_class c ON c.oid = r.rel WHERE f.is_parsed
    UNION
    SELECT oid, pronamespace FROM definers
), paths AS (
    SELECT w.oid, string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) FILTER (WHERE o.schema IS NULL) AS schemas
      FROM needed w JOIN definers f USING (oid) JOIN pg_namespace n ON n.oid = w.schema
      LEFT JOIN open_to o ON (o.proowner, o.schema) = (f.proowner, w.schema)
     GROUP BY w.oid
), doubts AS (
    SELECT b.oid, string_agg(quote_ident(b.name), ', ' ORDER BY b.name) AS names FROM bare b WHERE b.is_doubtful GROUP BY b.oid
)
SELECT 'error', 'no_rls', name,
       format('%s may read it, and no row security filters what they see. Without a policy nobody reads it afterwards; what everybody may see gets one USING (true).', roles),
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; ALTER TABLE %1$s FORCE ROW LEVEL SECURITY;', name)
  FROM readable WHERE relkind IN ('r', 'p') AND NOT relrowsecurity
UNION ALL
SELECT 'warning', 'no_rls_write', name,
       format('%s may write it, and no row security checks what they write, or in whose name. Without a policy nobody writes it afterwards; what everybody may write gets one WITH CHECK (true).', writers),
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; ALTER TABLE %1$s FORCE ROW LEVEL SECURITY;', name)
  FROM reachable WHERE relkind IN ('r', 'p') AND NOT relrowsecurity AND readers IS NULL AND writers IS NOT NULL
UNION ALL
SELECT 'warning', 'rls_not_forced', name,
       format('%s may read it, and its policies do not bind its owner %s: neither in views nor in functions of the owner.', roles, quote_ident(pg_get_userbyid(relowner))),
       format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', name)
  FROM readable WHERE relkind IN ('r', 'p') AND relrowsecurity AND NOT relforcerowsecurity
UNION ALL
SELECT CASE WHEN v.past THEN 'error' ELSE 'warning' END, 'view_as_owner', r.name,
       format('%s may read it, and it reads %s with the rights of its owner %s%s.', r.roles, v.tables, quote_ident(pg_get_userbyid(r.relowner)),
              CASE WHEN v.past THEN ', past the policies' ELSE ', not by the policies for who is asking' END),
       format('ALTER VIEW %s SET (security_invoker = true);', r.name)
  FROM readable r JOIN views v USING (oid)
 WHERE r.relkind = 'v'
   AND NOT EXISTS (SELECT FROM pg_options_to_table(r.reloptions) o WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
UNION ALL
SELECT 'error', 'materialized_view', r.name,
       format('%s may read it, and it holds rows of %s that no policy filters any more.', r.roles, v.tables),
       format('REVOKE SELECT ON %s FROM PUBLIC, %s;', r.name, r.roles)
  FROM readable r JOIN views v USING (oid) WHERE r.relkind = 'm'
UNION ALL
SELECT CASE WHEN f.is_parsed THEN 'warning' ELSE 'error' END, 'definer_search_path', f.name,
       format('It runs with its owner''s rights and reaches %s, but its caller''s search_path decides what the names in it mean.', r.tables),
       CASE WHEN d.names IS NULL THEN x.sql || ';'
            ELSE jwt.sql_comment(format('%s; but first write the schema of %s in it: several have such names, or others may create them there', x.sql, d.names)) END
  FROM definers f JOIN (SELECT oid, string_agg(DISTINCT rel::regclass::text, ', ') AS tables FROM reached GROUP BY oid) r USING (oid)
  JOIN paths p USING (oid) LEFT JOIN doubts d USING (oid),
       LATERAL (SELECT format('ALTER ROUTINE %s SET search_path = %s', f.identity, concat_ws(', ', 'pg_catalog', p.schemas, 'pg_temp')) AS sql) x
$$;
COMMENT ON FUNCTION jwt.advise_tables(oid[]) IS 'jwt.advise() on tables, views and functions';

-- Who holds a lock on a table keeps nobody waiting for advice.
CREATE FUNCTION jwt.mended_expression(expression pg_node_tree, relation oid, helpers oid[]) RETURNS text
    LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET extra_float_digits = 3 SET lock_timeout = '100ms'
    AS $$
BEGIN
    RETURN jwt.mend_expression(expression, relation, helpers);
EXCEPTION WHEN lock_not_available THEN
    RETURN '';
WHEN internal_error THEN    -- something of it was dropped meanwhile
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION jwt.mended_expression(pg_node_tree, oid, oid[]) IS 'As jwt.mend_expression(), empty where a table in it is locked, NULL where something of it is gone; for jwt.advise()';

CREATE FUNCTION jwt.advise_policies(OUT severity text, OUT rule text, OUT object text, OUT finding text, OUT fix text)
    RETURNS SETOF record LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH RECURSIVE helpers AS MATERIALIZED (
    SELECT array_agg(h) AS all FROM jwt.helper_functions() h
), policies AS MATERIALIZED (
    SELECT p.oid, p.polrelid, p.polqual, p.polwithcheck,
           format('%I ON %I.%I', p.polname, n.nspname, c.relname) AS name,
           format('policy %I on %s', p.polname, p.polrelid::regclass) AS object
      FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
), facts AS MATERIALIZED (
    SELECT p.oid, e.part, f.*
      FROM policies p, helpers h, LATERAL (VALUES ('using', p.polqual), ('check', p.polwithcheck)) e (part, tree),
           LATERAL jwt.expression_facts(e.tree, p.polrelid, h.all) f
     WHERE e.tree IS NOT NULL
), edited AS (
    SELECT f.* FROM facts f WHERE f.kind = 'names' AND f.said ~ '^user_metadata$|^\{(.*,)?user_metadata[,}]|\."user_metadata"|"user_metadata":'
), mended AS MATERIALIZED (
    SELECT p.oid, p.name, p.object,
           coalesce(CASE WHEN '' IN (m.using_text, m.check_text)
                         THEN jwt.sql_comment(format('ALTER POLICY %s ...: a table in it is locked, ask again later', p.name)) END,
                    jwt.pinned_sql('ALTER POLICY ' || p.name || nullif(concat(' USING (' || m.using_text || ')', ' WITH CHECK (' || m.check_text || ')'), '') || ';'),
                    jwt.sql_comment(format('ALTER POLICY %s ...', p.name))) AS fix
      FROM policies p, helpers h,
           LATERAL (SELECT jwt.mended_expression(p.polqual, p.polrelid, h.all), jwt.mended_expression(p.polwithcheck, p.polrelid, h.all)) m (using_text, check_text)
     WHERE p.oid IN (SELECT f.oid FROM facts f WHERE f.kind IN ('setting', 'compares in')
                      UNION ALL SELECT e.oid FROM edited e
                      UNION ALL SELECT f.oid FROM facts f WHERE f.kind = 'calls' AND f.function = 'pg_catalog.clock_timestamp'::regproc)
), compared AS (
    SELECT f.oid, f.relation_compared AS rel, f.attnum, f.said, f.function, c.relkind, quote_ident(a.attname) AS attname,
           format('%I.%I', n.nspname, c.relname) AS rel_name, f.kind = 'compares in' AS is_in, f.is_indexed,
           EXISTS (SELECT FROM facts o WHERE o.oid = f.oid AND o.part = 'using' AND o.kind = 'offers') AS has_or
      FROM facts f JOIN pg_class c ON c.oid = f.relation_compared JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = f.relation_compared AND a.attnum = f.attnum
     WHERE f.kind IN ('compares', 'compares in') AND f.part = 'using' AND c.relkind IN ('r', 'p')
), ranked AS (    -- one index is enough for columns that are compared together
    SELECT c.*, bool_or(c.is_indexed) OVER together AS any_indexed, row_number() OVER (together ORDER BY c.is_in, c.said IS NOT NULL, c.attnum) AS place
      FROM compared c
    WINDOW together AS (PARTITION BY c.oid, c.rel)
), leaves (root, rel) AS (
    SELECT c.rel, c.rel FROM compared c
    UNION
    SELECT l.root, i.inhrelid FROM leaves l JOIN pg_inherits i ON i.inhparent = l.rel JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
), unindexed AS (    -- the size of its files: pg_relation_size() waits for locks
    SELECT DISTINCT ON (c.rel, c.attnum, c.said, c.is_in) c.*,
           (SELECT sum((pg_stat_file(pg_relation_filepath(l.rel), true)).size) FROM leaves l WHERE l.root = c.rel) AS size
      FROM ranked c
     WHERE NOT c.is_indexed AND (c.has_or OR NOT c.any_indexed AND c.place = 1)
     ORDER BY c.rel, c.attnum, c.said, c.is_in, c.oid
)
SELECT 'error', 'claims_setting_in_policy', m.object,
       'It reads the claims from a setting that everybody can write; jwt.claims() reads them from a token, or from a gateway that is trusted.', m.fix
  FROM mended m WHERE m.oid IN (SELECT f.oid FROM facts f WHERE f.kind = 'setting')
UNION ALL
SELECT 'error', 'user_metadata_in_policy', m.object,
       'It reads user_metadata, which users edit themselves. What decides access belongs into app_metadata, or a claim of its own.', m.fix
  FROM mended m WHERE m.oid IN (SELECT e.oid FROM edited e)
UNION ALL
SELECT 'warning', 'volatile_in_policy', p.object,
       format('It calls %s, which is VOLATILE: asked again for every row, and never looked up in an index.', v.oid::regprocedure),
       CASE WHEN v.oid = 'pg_catalog.clock_timestamp'::regproc THEN m.fix
            WHEN v.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = v.oid AND d.deptype = 'e')
            THEN format('ALTER FUNCTION %s STABLE;', (pg_identify_object('pg_proc'::regclass, v.oid, 0)).identity)
            ELSE jwt.sql_comment(format('ALTER POLICY %s ... without %s', p.name, v.oid::regprocedure)) END
  FROM policies p
  JOIN (SELECT DISTINCT f.oid, f.function FROM facts f WHERE f.kind = 'calls') f USING (oid)
  JOIN pg_proc v ON v.oid = f.function AND v.provolatile = 'v'
  LEFT JOIN mended m ON m.oid = p.oid
UNION ALL
SELECT CASE WHEN u.size >= 1048576 THEN 'warning' ELSE 'info' END, 'no_index', format('%s.%s', u.rel::regclass, u.attname),
       CASE WHEN u.is_in
            THEN format('%s looks for %s in a subquery that calls %s(), which no index answers: every query reads the whole table.', p.object,
                        coalesce(u.said, u.attname), u.function::regproc)
            ELSE format('Policies compare %s with %s, and no index begins with it: every query reads the whole table.', coalesce(u.said, u.attname),
                        u.function::regproc || '()') END,
       CASE WHEN u.is_in THEN m.fix ELSE format('CREATE INDEX ON %s (%s);', u.rel_name, coalesce('(' || u.said || ')', u.attname)) END
  FROM unindexed u JOIN policies p USING (oid) LEFT JOIN mended m USING (oid)
$$;
COMMENT ON FUNCTION jwt.advise_policies() IS 'jwt.advise() on policies';

CREATE FUNCTION jwt.advise_server(OUT severity text, OUT rule text, OUT object text, OUT finding text, OUT fix text)
    RETURNS SETOF record LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH gateways AS MATERIALIZED (
    SELECT r.* FROM jwt.gateways() g JOIN pg_roles r ON r.rolname = g
), lifetimes AS (
    SELECT s.place, s.mend, extract(epoch FROM s.duration) AS idle,
           (SELECT extract(epoch FROM a.duration)
              FROM jwt.settings_of('jwt_auth.session_lifetime') a
             WHERE a.place = s.place OR a.place NOT LIKE 'role %' AND a.place <> 'this session'
             ORDER BY a.place = s.place DESC LIMIT 1) AS absolute
      FROM jwt.settings_of('jwt_auth.refresh_token_lifetime') s
)
SELECT 'error', 'bypassrls_role', format('role %I', r.rolname),
       format('A token may name it (%s), and no policy binds it. jwt.authenticate() refuses such roles; a gateway that takes roles by itself does not.', w.via),
       format('ALTER ROLE %I NOBYPASSRLS;', r.rolname)
  FROM jwt.web_roles() w JOIN pg_roles r ON r.oid = w.role
 WHERE r.rolbypassrls AND NOT r.rolsuper
UNION ALL
SELECT 'error', 'gateway_superuser', format('role %I', g.rolname),
       'A trusted gateway is a superuser: whatever gets SQL through it reads keys and rows as it likes.',
       format('ALTER ROLE %I NOSUPERUSER;', g.rolname)
  FROM gateways g WHERE g.rolsuper
UNION ALL
SELECT 'error', 'gateway_without_password', format('role %I', g.rolname),
       format('%s lets this trusted gateway in without a password: whoever reaches the server can be anybody.', string_agg(d, ', ')),
       jwt.sql_comment(format('in %s write scram-sha-256 for trust, then:', string_agg(d, ', '))) || E'\nSELECT pg_reload_conf();'
  FROM gateways g, jwt.open_doors(g.rolname) d WHERE g.rolcanlogin
 GROUP BY g.rolname
UNION ALL
SELECT 'error', 'publication', format('publication %I', p.pubname),
       'It publishes all tables, and so our keys and sessions.',
       format('DROP PUBLICATION %I; CREATE PUBLICATION %1$I%s WITH (publish = %L, publish_via_partition_root = %s);', p.pubname,
              (SELECT ' FOR TABLES IN SCHEMA ' || string_agg(DISTINCT quote_ident(n.nspname), ', ')
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'jwt')),
              concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                        CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END), p.pubviaroot::text)
  FROM pg_publication p
 WHERE p.puballtables
   AND EXISTS (SELECT FROM pg_class c    -- but for tables that it leaves out, from PostgreSQL 19 on
                WHERE c.relnamespace = 'jwt'::regnamespace AND c.relkind = 'r'
                  AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid))
UNION ALL
SELECT 'error', 'publication', format('publication %I', p.pubname),
       format('It publishes %s.', r.prrelid::regclass), format('ALTER PUBLICATION %I DROP TABLE jwt.%I;', p.pubname, c.relname)
  FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
 WHERE c.relnamespace = 'jwt'::regnamespace AND NOT p.puballtables
UNION ALL
SELECT 'error', 'publication', format('publication %I', p.pubname),
       'It publishes the schema of our keys and sessions.', format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA jwt;', p.pubname)
  FROM pg_publication p JOIN pg_publication_namespace n ON n.pnpubid = p.oid WHERE n.pnnspid = 'jwt'::regnamespace
UNION ALL
SELECT 'warning', 'long_access_tokens', 'jwt_auth.access_token_lifetime of ' || s.place,
       format('Access tokens live %s, and what their claims say with them: who holds a stolen one is somebody else as long.', justify_hours(s.duration)),
       s.mend || '''15min'';'
  FROM jwt.settings_of('jwt_auth.access_token_lifetime') s WHERE s.duration > '1 hour'
UNION ALL
SELECT CASE WHEN l.absolute > 86400 THEN 'warning' ELSE 'info' END, 'no_idle_limit', 'jwt_auth.refresh_token_lifetime of ' || l.place,
       'A session that nobody refreshes lives as long as one in use: refresh_token_lifetime is not below session_lifetime.',
       format('%s%L;', l.mend, least(14 * 86400, floor(l.absolute / 2)) || 's')
  FROM lifetimes l WHERE l.idle >= l.absolute
$$;
COMMENT ON FUNCTION jwt.advise_server() IS 'jwt.advise() on roles, gateways, publications and settings';

CREATE FUNCTION jwt.advise_keys(key_age interval, OUT severity text, OUT rule text, OUT object text, OUT finding text, OUT fix text)
    RETURNS SETOF record LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH signers AS (
    SELECT k.*, format('key %s', k.kid) AS name
      FROM jwt.key_store k
     WHERE k.issuer = '' AND k.status = 'current' AND k.may_sign
)
SELECT 'warning', 'key_age', k.name,
       CASE WHEN k.not_after <= statement_timestamp() THEN 'Its time is over, and it signs no more.'
            ELSE format('It has signed since %s, for more than %s.', k.current_since::date, key_age) END,
       format('SELECT jwt.rotate_key(%L);', k.alg)
  FROM signers k WHERE k.current_since <= statement_timestamp() - key_age OR k.not_after <= statement_timestamp()
UNION ALL
SELECT CASE WHEN concat(current_setting('jwt_auth.issuer'), current_setting('jwt_auth.audience')) = '' THEN 'info' ELSE 'warning' END, 'hmac_key', k.name,
       'Whoever is to verify its tokens can make them as well: an HMAC key is for tokens that never leave the database.',
       CASE WHEN EXISTS (SELECT FROM signers s WHERE s.kty <> 'oct') THEN '' ELSE 'SELECT jwt.generate_key(''ES256''); ' END
           || format('SELECT jwt.set_key_status(%L, ''previous'');', k.kid)
  FROM signers k WHERE k.kty = 'oct'
UNION ALL
SELECT DISTINCT 'info', 'no_standby_key', format('keys of %s', k.alg),
       'No standby key is published: when this one leaks, those who verify must fetch the next before they can believe it.',
       format('SELECT jwt.generate_key(%L, status => ''standby'');', k.alg)
  FROM signers k
 WHERE k.kty <> 'oct'
   AND NOT EXISTS (SELECT FROM jwt.key_store s WHERE s.issuer = '' AND s.alg = k.alg AND s.status = 'standby' AND s.may_sign)
$$;
COMMENT ON FUNCTION jwt.advise_keys(interval) IS 'jwt.advise() on keys';

-- Shares of many: a few tokens say nothing.
CREATE FUNCTION jwt.advise_use(OUT severity text, OUT rule text, OUT object text, OUT finding text, OUT fix text)
    RETURNS SETOF record LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF jwt.stats_source() IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH counts AS MATERIALIZED (
        SELECT s.*, s.verified + s.rejected AS judged, coalesce((s.rejected_by_code ->> '28J01')::bigint, 0) AS expired,
               coalesce((s.rejected_by_code ->> '28J04')::bigint, 0) AS unknown
          FROM jwt.stats_rows() s
    ), total AS (
        SELECT sum(c.judged) AS judged, sum(c.cache_hits) AS hits, sum(c.cache_evicted) AS evicted, sum(c.expired) AS expired,
               sum(c.refreshed) AS refreshed, sum(c.replays) AS replays, sum(c.sessions_opened) AS opened, min(c.since)::date AS since
          FROM counts c
    ), unknown AS (
        SELECT c.issuer, sum(c.unknown) AS unknown, sum(c.judged) AS judged, min(c.since)::date AS since
          FROM counts c WHERE c.issuer IS DISTINCT FROM '(caller)' GROUP BY c.issuer
    )
    SELECT 'warning', 'small_cache', 'jwt_auth.cache_size of ' || s.place,
           format('Of %s tokens judged since %s, %s%% were found in the cache, and %s had to leave it.', t.judged, t.since, round(100 * t.hits / t.judged), t.evicted),
           format('%s%L; SELECT jwt.stats_reset();', s.mend, 4 * s.value::bigint)
      FROM total t, jwt.settings_of('jwt_auth.cache_size') s
     WHERE t.judged >= 1000 AND t.hits < t.judged / 2 AND t.evicted > t.judged / 10 AND s.value ~ '^[0-9]{1,6}$'
    UNION ALL
    SELECT 'warning', 'expired_tokens', 'clients',
           format('Of %s tokens judged since %s, %s had expired: clients use a token until it is refused, and do not refresh in time.', t.judged, t.since, t.expired),
           jwt.sql_comment('clients: call jwt.refresh() before expires_in is over')
      FROM total t WHERE t.expired >= 100 AND t.expired > t.judged / 10
    UNION ALL
    SELECT 'warning', 'unknown_kids', coalesce('issuer ' || u.issuer, 'our own tokens'),
           format('Of %s tokens judged since %s, %s named a key that is not here: keys were changed over there, or somebody is guessing.', u.judged, u.since, u.unknown),
           jwt.sql_comment(CASE WHEN u.issuer IS NULL THEN 'was a key dropped too early?  See: SELECT * FROM jwt.events WHERE kid IS NOT NULL;'
                                ELSE format('SELECT jwt.import_jwks(..., %L);', u.issuer) END)
      FROM unknown u WHERE u.unknown >= 100 AND u.unknown > u.judged / 10
    UNION ALL
    SELECT 'warning', 'replays', 'refresh tokens',
           format('%s spent refresh tokens came back since %s, beside %s refreshes: stolen ones, or clients that send one twice.', t.replays, t.since, t.refreshed),
           jwt.sql_comment('whose: SELECT at, subject, sid FROM jwt.events WHERE detail = ''replay'' ORDER BY at DESC;')
      FROM total t WHERE t.replays >= 10 AND t.replays > t.refreshed / 100
    UNION ALL
    SELECT 'warning', 'sessions_not_refreshed', 'clients',
           format('%s sessions were opened since %s, and %s refreshed: clients sign in again instead.', t.opened, t.since, t.refreshed),
           jwt.sql_comment('clients: keep the refresh token, and call jwt.refresh() with it')
      FROM total t WHERE t.opened >= 100 AND t.opened > 10 * t.refreshed;
END
$$;
COMMENT ON FUNCTION jwt.advise_use() IS 'jwt.advise() on what statistics show';

-- The call of a C function loads the library, and with it the settings.
-- Compiling such queries takes seconds, running them milliseconds: no JIT.
CREATE FUNCTION jwt.advise(web_roles text[] DEFAULT NULL, key_age interval DEFAULT '90 days')
    RETURNS TABLE (severity text, rule text, object text, finding text, fix text)
    LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET jit = off
    AS $$
#variable_conflict use_column
DECLARE
    web oid[];
    nobody boolean;
BEGIN
    PERFORM jwt.own_issuer();
    IF advise.web_roles IS NULL THEN
        SELECT coalesce(array_agg(w.role) FILTER (WHERE w.ordinary), '{}'), count(*) = 0 INTO web, nobody FROM jwt.web_roles() w;
    ELSE
        web := ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolname = ANY (advise.web_roles));
        nobody := web = '{}' AND advise.web_roles <> '{}';
    END IF;
    RETURN QUERY
    SELECT a.*
      FROM (SELECT 'info' AS severity, 'no_web_role' AS rule, 'roles' AS object,
                   'No role is found that a token may take, so nobody is taken to read tables, views and functions.' AS finding,
                   jwt.sql_comment('name them: SELECT * FROM jwt.advise(web_roles => ''{...}'');') AS fix
             WHERE nobody
            UNION ALL SELECT * FROM jwt.advise_tables(web)
            UNION ALL SELECT * FROM jwt.advise_policies()
            UNION ALL SELECT * FROM jwt.advise_server()
            UNION ALL SELECT * FROM jwt.advise_keys(advise.key_age)
            UNION ALL SELECT * FROM jwt.advise_use()) a
     ORDER BY array_position('{error,warning,info}', a.severity), a.rule COLLATE "C", a.object COLLATE "C", a.finding COLLATE "C";
END
$$;
COMMENT ON FUNCTION jwt.advise(text[], interval) IS 'What is misconfigured, how bad it is, and the SQL that mends it';

----------------------------------------------------------------------------
-- Check: can this server do it, and is what we made still as we made it?
----------------------------------------------------------------------------

CREATE FUNCTION jwt.self_test(OUT alg text, OUT works boolean, OUT detail text)
    RETURNS SETOF record LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_self_test';
COMMENT ON FUNCTION jwt.self_test() IS 'Each algorithm tried: a key made, a signature made, verified, and refused over another text; for jwt.check()';

CREATE FUNCTION jwt.library_info(OUT version text, OUT crypto text, OUT crypto_built_for text, OUT fips boolean)
    RETURNS record LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_library_info';
COMMENT ON FUNCTION jwt.library_info() IS 'Versions of our library and of libcrypto; for jwt.check()';

CREATE FUNCTION jwt.sealing_file() RETURNS text
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_sealing_file';
COMMENT ON FUNCTION jwt.sealing_file() IS 'What sealed_by says of keys sealed with the file of jwt_auth.encryption_key_file; raises if that file cannot be used; for jwt.check()';

CREATE FUNCTION jwt.check_library(OUT area text, OUT item text, OUT status text, OUT detail text, OUT what_to_do text)
    RETURNS SETOF record LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH library AS MATERIALIZED (
    SELECT l.*, substring(l.crypto, '\d+') AS runs, substring(l.crypto_built_for, '\d+') AS built, e.extversion, a.default_version
      FROM jwt.library_info() l, pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname WHERE e.extname = 'jwt_auth'
), algorithms AS MATERIALIZED (
    SELECT t.*, EXISTS (SELECT FROM jwt.key_store k WHERE k.alg = t.alg AND k.status <> 'revoked')
                OR EXISTS (SELECT FROM jwt.issuers i WHERE i.enabled AND t.alg = ANY (i.algorithms)) AS needed
      FROM jwt.self_test() t
)
SELECT 'versions', 'PostgreSQL', 'ok', current_setting('server_version'), NULL
UNION ALL
SELECT 'versions', 'OpenSSL', CASE WHEN runs = built THEN 'ok' ELSE 'error' END, format('%s; compiled for %s', crypto, crypto_built_for),
       CASE WHEN runs <> built THEN 'Compile jwt_auth for the libcrypto that the server loads.' END FROM library
UNION ALL
SELECT 'versions', 'jwt_auth', CASE WHEN extversion <> version THEN 'error' WHEN default_version IS DISTINCT FROM version THEN 'warning' ELSE 'ok' END,
       format('extension %s, library %s, installed on this server %s', extversion, version, coalesce(default_version, 'no control file')),
       CASE WHEN default_version IS NULL THEN 'Install jwt_auth where this server looks: a dump cannot be restored without.'
            WHEN extversion <> default_version THEN 'ALTER EXTENSION jwt_auth UPDATE;'
            WHEN default_version <> version THEN 'Connect anew, or restart the server if shared_preload_libraries loads it.' END FROM library
UNION ALL
SELECT 'algorithms', alg, CASE WHEN works THEN 'ok' WHEN needed THEN 'error' ELSE 'warning' END, detail,
       CASE WHEN NOT works AND needed THEN 'Keys or issuers here need it: give OpenSSL a provider that has it, or change to another.'
            WHEN NOT works THEN 'Use another.' END FROM algorithms
UNION ALL
SELECT 'algorithms', 'FIPS', 'ok', CASE WHEN fips THEN 'libcrypto runs approved algorithms only' ELSE 'libcrypto is not restricted' END, NULL FROM library
$$;
COMMENT ON FUNCTION jwt.check_library() IS 'jwt.check() on versions and algorithms';

CREATE FUNCTION jwt.check_server(OUT area text, OUT item text, OUT status text, OUT detail text, OUT what_to_do text)
    RETURNS SETOF record LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH preloads AS MATERIALIZED (
    SELECT n.name FROM unnest('{shared_preload_libraries,session_preload_libraries}'::text[]) n (name)
     WHERE EXISTS (SELECT FROM jwt.settings_of(n.name) s WHERE s.value ~ '(^|[/",[:space:]])jwt_auth(\.\w+)?($|[",[:space:]])')
), tcp AS (
    SELECT current_setting('listen_addresses') <> '' AS listens, current_setting('ssl')::boolean AS ssl,
           current_setting('jwt_auth.require_tls')::boolean AS required, current_setting('ssl_min_protocol_version') AS least
), leeway AS (
    SELECT make_interval(secs => setting::integer) AS ours FROM pg_settings WHERE name = 'jwt_auth.leeway'
), seen AS (         -- the token that is furthest ahead of what its issuer is allowed
    SELECT s.newest_iat AS at, coalesce(s.issuer, 'we') AS who, coalesce(i.leeway, l.ours) AS leeway
      FROM jwt.stats_rows() s LEFT JOIN jwt.issuers i ON i.issuer = s.issuer, leeway l
     WHERE s.newest_iat IS NOT NULL AND jwt.stats_source() IS NOT NULL
     ORDER BY s.newest_iat - coalesce(i.leeway, l.ours) DESC LIMIT 1
), newest AS (
    SELECT greatest((SELECT max(s.refreshed_at) FROM jwt.session_store s), (SELECT max(e.at) FROM jwt.event_store e),
                    (SELECT max(greatest(k.created_at, k.current_since, k.status_since)) FROM jwt.key_store k),
                    (SELECT max(r.revoked_at) FROM jwt.revoked_subjects r)) AS at
)
SELECT 'preload', 'library', CASE WHEN p.names IS NULL THEN 'warning' ELSE 'ok' END,
       coalesce('by ' || p.names, 'loaded at the first call only: until then SHOW prints the token, and misspelt settings are accepted'),
       CASE WHEN p.names IS NULL THEN format('ALTER DATABASE %I SET session_preload_libraries = ''jwt_auth'';', current_database()) END
  FROM (SELECT string_agg(name, ', ') AS names FROM preloads) p
UNION ALL
SELECT 'TLS', 'ssl', CASE WHEN NOT listens OR ssl AND least NOT IN ('', 'TLSv1', 'TLSv1.1') THEN 'ok' WHEN required AND NOT ssl THEN 'error' ELSE 'warning' END,
       CASE WHEN ssl THEN 'on, from ' || coalesce(nullif(least, ''), 'any version') || ' on'
            WHEN NOT listens THEN 'off; the server listens on Unix-domain sockets only'
            WHEN required THEN 'off, and jwt_auth.require_tls refuses every token that comes over TCP'
            ELSE 'off: over TCP, tokens are readable on the wire' END,
       CASE WHEN listens AND NOT ssl THEN 'ALTER SYSTEM SET ssl = on; with a certificate and its key in place'
            WHEN listens AND least IN ('', 'TLSv1', 'TLSv1.1') THEN 'ALTER SYSTEM SET ssl_min_protocol_version = ''TLSv1.2'';' END FROM tcp
UNION ALL
SELECT 'TLS', 'jwt_auth.require_tls', CASE WHEN required OR NOT listens THEN 'ok' ELSE 'warning' END,
       CASE WHEN required THEN 'on' WHEN listens THEN 'off: a token is accepted from an open wire, too' ELSE 'off; the server listens on Unix-domain sockets only' END,
       CASE WHEN listens AND NOT required THEN format('ALTER DATABASE %I SET jwt_auth.require_tls = on;', current_database()) END FROM tcp
UNION ALL
SELECT 'clock', 'newest iat', CASE WHEN s.at > clock_timestamp() + s.leeway THEN 'error' ELSE 'ok' END,
       CASE WHEN jwt.stats_source() IS NULL THEN 'not known: no statistics of tokens are collected'
            WHEN s.at IS NULL THEN 'no token with a good signature was seen'
            WHEN s.at > clock_timestamp() THEN format('%s issued a token at %s, in %s', s.who, s.at, s.at - clock_timestamp())
            ELSE format('%s, before now', s.at) END,
       CASE WHEN s.at > clock_timestamp() + s.leeway THEN 'Set this clock, or theirs; tokens from the future are refused (28J02).' END
  FROM (VALUES (1)) one LEFT JOIN seen s ON true
UNION ALL
SELECT 'clock', 'newest record', CASE WHEN n.at > clock_timestamp() + l.ours THEN 'error' ELSE 'ok' END,
       CASE WHEN n.at IS NULL THEN 'no session, event, key or revocation is recorded'
            WHEN n.at > clock_timestamp() THEN format('something was recorded at %s, in %s', n.at, n.at - clock_timestamp())
            ELSE format('%s, before now', n.at) END,
       CASE WHEN n.at > clock_timestamp() + l.ours THEN 'Set the clock; what was signed then is refused until then (28J02).' END
  FROM newest n, leeway l
UNION ALL
SELECT 'issuer', n, CASE WHEN current_setting(n) = '' THEN 'warning' ELSE 'ok' END,
       CASE WHEN current_setting(n) <> '' THEN current_setting(n)
            WHEN n = 'jwt_auth.issuer' THEN 'not set: our tokens do not say whose they are'
            ELSE 'not set: our own tokens are accepted whatever audience they name' END,
       CASE WHEN current_setting(n) = '' THEN format('ALTER DATABASE %I SET %s = ''...'';%s', current_database(), n,
            CASE n WHEN 'jwt_auth.issuer' THEN ' it ends outstanding access tokens' ELSE ' claims of our tokens must name it as aud' END) END
  FROM unnest('{jwt_auth.issuer,jwt_auth.audience}'::text[]) n
UNION ALL
SELECT 'issuer', i.issuer, CASE WHEN NOT k.has OR '*' = ANY (i.audiences) THEN 'warning' ELSE 'ok' END,
       CASE WHEN NOT k.has THEN 'trusted, and none of its keys is here' WHEN '*' = ANY (i.audiences) THEN 'trusted, whatever audience a token names'
            ELSE 'trusted for ' || array_to_string(i.audiences, ', ') END,
       CASE WHEN NOT k.has THEN format('SELECT jwt.import_jwks(..., %L);', i.issuer) WHEN '*' = ANY (i.audiences) THEN 'Name our audience in jwt.trust_issuer().' END
  FROM jwt.issuers i,
       LATERAL (SELECT i.issuer = jwt.own_issuer() OR EXISTS (SELECT FROM jwt.key_store s WHERE s.issuer = i.issuer AND s.status <> 'revoked')) k (has)
 WHERE i.enabled
$$;
COMMENT ON FUNCTION jwt.check_server() IS 'jwt.check() on settings, the clock and issuers';

CREATE FUNCTION jwt.check_keys(OUT area text, OUT item text, OUT status text, OUT detail text, OUT what_to_do text)
    RETURNS SETOF record LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    sealing text;
    clear bigint;
    others bigint;
BEGIN
    area := 'keys';
    item := 'signing key';
    SELECT 'ok', format('key %s, %s', k.kid, k.alg) INTO status, detail
      FROM jwt.key_store k
     WHERE k.issuer = '' AND k.status = 'current' AND k.may_sign
       AND statement_timestamp() >= coalesce(k.not_before, '-infinity') AND statement_timestamp() < coalesce(k.not_after, 'infinity')
     ORDER BY k.current_since DESC LIMIT 1;
    IF status IS NULL THEN
        status := 'warning';
        detail := 'none: nothing can be signed and no session opened';
        what_to_do := 'SELECT jwt.generate_key();';
    END IF;
    RETURN NEXT;

    item := 'jwt_auth.encryption_key_file';
    what_to_do := NULL;
    BEGIN
        sealing := jwt.sealing_file();
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, what_to_do = PG_EXCEPTION_HINT;
        status := 'error';
        detail := concat_ws('. ', SQLERRM, nullif(detail, ''));
        RETURN NEXT;
        RETURN;
    END;
    SELECT count(*) FILTER (WHERE k.secret IS NOT NULL AND k.sealed_by IS NULL), count(*) FILTER (WHERE k.sealed_by IS DISTINCT FROM sealing AND k.sealed_by IS NOT NULL)
      INTO clear, others FROM jwt.key_store k;
    IF others > 0 THEN
        status := 'error';
        detail := format('%s keys are sealed with another file, and cannot be used', others);
        what_to_do := 'Set it to that file, or: SELECT jwt.reseal(''/path/of/that/file'');';
    ELSIF sealing IS NULL THEN
        status := CASE WHEN clear > 0 THEN 'warning' ELSE 'ok' END;
        detail := format('not set; %s private keys are stored in the clear', clear);
        what_to_do := CASE WHEN clear > 0 THEN 'ALTER SYSTEM SET jwt_auth.encryption_key_file = ''...''; SELECT pg_reload_conf(); SELECT jwt.reseal();' END;
    ELSE
        status := CASE WHEN clear > 0 THEN 'warning' ELSE 'ok' END;
        detail := concat('readable and private', CASE WHEN clear > 0 THEN format('; %s private keys are still stored in the clear', clear) END);
        what_to_do := CASE WHEN clear > 0 THEN 'SELECT jwt.reseal();' END;
    END IF;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION jwt.check_keys() IS 'jwt.check() on the signing key and the file that seals keys';

CREATE FUNCTION jwt.check_peers(OUT area text, OUT item text, OUT status text, OUT detail text, OUT what_to_do text)
    RETURNS SETOF record LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH gateways AS MATERIALIZED (
    SELECT g, r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolcanlogin,
           CASE WHEN r.rolcanlogin THEN (SELECT string_agg(d, ', ') FROM jwt.open_doors(g) d) END AS doors
      FROM jwt.gateways() g LEFT JOIN pg_roles r ON r.rolname = g
), lifetime AS (
    SELECT make_interval(secs => setting::integer) AS access FROM pg_settings WHERE name = 'jwt_auth.access_token_lifetime'
), upstream AS (
    SELECT EXISTS (SELECT FROM pg_stat_wal_receiver w WHERE w.status = 'streaming') AS streams,
           CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS paused,
           CASE WHEN pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
                THEN clock_timestamp() - pg_last_xact_replay_timestamp() ELSE '0' END AS lag
), standbys (item, lag, fault) AS (
    SELECT coalesce(nullif(s.application_name, ''), s.pid::text), coalesce(s.replay_lag, '0'),
           CASE WHEN s.state <> 'streaming' THEN format('It is in state %s.', s.state) END
      FROM pg_stat_replication s
     WHERE NOT EXISTS (SELECT FROM pg_replication_slots l WHERE l.active_pid = s.pid AND l.slot_type = 'logical')
    UNION ALL
    SELECT 'this standby', greatest(u.lag, (current_setting('recovery_min_apply_delay'))::interval),
           CASE WHEN u.paused THEN 'Its replay is paused.' WHEN NOT u.streams THEN 'It is not connected to its primary.' END
      FROM upstream u WHERE pg_is_in_recovery()
)
SELECT 'gateways', 'jwt_auth.trusted_gateways', 'ok', 'none: tokens alone say who is asking', NULL WHERE NOT EXISTS (SELECT FROM gateways)
UNION ALL
SELECT 'gateways', g, CASE WHEN rolsuper OR doors IS NOT NULL THEN 'error' WHEN rolcanlogin AND NOT rolbypassrls THEN 'ok' ELSE 'warning' END,
       CASE WHEN oid IS NULL THEN 'there is no such role'
            WHEN rolsuper THEN 'a superuser: whatever gets SQL through it reads keys and rows as it likes'
            WHEN doors IS NOT NULL THEN 'logs in without a password: ' || doors
            WHEN NOT rolcanlogin THEN 'cannot log in, and only session users are believed'
            WHEN rolbypassrls THEN 'bypasses row security until it takes another role'
            ELSE 'logs in with a proof of who it is' END,
       CASE WHEN rolsuper THEN format('ALTER ROLE %I NOSUPERUSER;', g)
            WHEN oid IS NULL OR NOT rolcanlogin THEN 'Name the role that logs in.'
            WHEN doors IS NOT NULL THEN 'Write scram-sha-256 for trust there, then: SELECT pg_reload_conf();'
            WHEN rolbypassrls THEN format('ALTER ROLE %I NOBYPASSRLS;', g) END
  FROM gateways
UNION ALL
SELECT 'standbys', 'revocations', 'ok', 'no standby is connected', NULL WHERE NOT EXISTS (SELECT FROM standbys)
UNION ALL
SELECT 'standbys', s.item, CASE WHEN s.fault IS NOT NULL OR s.lag > l.access THEN 'error' WHEN s.lag > '10 seconds' THEN 'warning' ELSE 'ok' END,
       concat_ws(' ', s.fault, format('Revocations take effect there %s later.', CASE WHEN s.fault IS NULL THEN justify_hours(s.lag)::text ELSE 'some time' END)),
       CASE WHEN s.fault IS NOT NULL THEN 'Let it stream and replay.' WHEN s.lag > l.access THEN 'A token expires before its revocation arrives: let the standby catch up.'
            WHEN s.lag > '10 seconds' THEN 'Let the standby catch up; see recovery_min_apply_delay and hot_standby_feedback.' END
  FROM standbys s, lifetime l
$$;
COMMENT ON FUNCTION jwt.check_peers() IS 'jwt.check() on gateways and standbys';

-- What CREATE EXTENSION granted stands in pg_init_privs.  EXECUTE for a role
-- that owns SECURITY DEFINER functions is how the README has it.
CREATE FUNCTION jwt.check_privileges(OUT area text, OUT item text, OUT status text, OUT detail text, OUT what_to_do text)
    RETURNS SETOF record LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH members AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
     WHERE e.extname = 'jwt_auth' AND d.deptype = 'e'
), objects (classid, objid, objsubid, owner, now, made, kind, name) AS (
    SELECT m.classid, c.oid, 0, c.relowner, c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner),
           CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text
      FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
    UNION ALL
    SELECT m.classid, p.oid, 0, p.proowner, p.proacl, acldefault('f', p.proowner), 'FUNCTION', p.oid::regprocedure::text
      FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
    UNION ALL
    SELECT m.classid, n.oid, 0, n.nspowner, n.nspacl, acldefault('n', n.nspowner), 'SCHEMA', quote_ident(n.nspname)
      FROM members m JOIN pg_namespace n ON m.classid = 'pg_namespace'::regclass AND n.oid = m.objid
    UNION ALL
    SELECT m.classid, c.oid, a.attnum, c.relowner, a.attacl, NULL, format('(%I)', a.attname), c.oid::regclass::text
      FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
), compared AS (
    SELECT o.*, i.initprivs, x.grantee, x.privilege_type, x.is_grantable, coalesce(x.is_now, false) AS is_now, coalesce(x.was_made, false) AS was_made
      FROM objects o LEFT JOIN pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.objid AND i.objsubid = o.objsubid,
           LATERAL (SELECT grantee, privilege_type, is_grantable, n.is_now, w.was_made
                      FROM (SELECT DISTINCT grantee, privilege_type, is_grantable, true AS is_now FROM aclexplode(coalesce(o.now, o.made))) n
                      FULL JOIN (SELECT DISTINCT grantee, privilege_type, is_grantable, true AS was_made FROM aclexplode(coalesce(i.initprivs, o.made))) w
                     USING (grantee, privilege_type, is_grantable)) x
     WHERE x.grantee <> o.owner
), differences AS (
    SELECT kind, name, grantee, is_now, string_agg(privilege_type || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END, ', ' ORDER BY privilege_type) AS privileges,
           string_agg(privilege_type || CASE WHEN kind LIKE '(%' THEN ' ' || kind ELSE '' END, ', ' ORDER BY privilege_type) AS sql,
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who,
           bool_and(privilege_type = 'EXECUTE' AND NOT is_grantable
                    AND EXISTS (SELECT FROM pg_proc p WHERE p.prosecdef AND p.proowner = grantee)) AS as_advised
      FROM compared
     WHERE is_now AND NOT was_made OR was_made AND NOT is_now AND grantee = 0
     GROUP BY kind, name, grantee, is_now
)
SELECT 'privileges', d.name, CASE WHEN NOT d.is_now THEN 'warning' WHEN d.grantee = 0 THEN 'error' WHEN d.as_advised THEN 'ok' ELSE 'warning' END,
       format(CASE WHEN d.is_now THEN '%s has %s%s' ELSE '%s lacks %s%s' END, d.who, d.privileges,
              CASE WHEN d.as_advised AND d.is_now THEN ', and owns SECURITY DEFINER functions' ELSE ', unlike after CREATE EXTENSION' END),
       CASE WHEN d.is_now AND d.as_advised AND d.grantee <> 0 THEN NULL
            ELSE format(CASE WHEN d.is_now THEN 'REVOKE %s ON %s FROM %s;' ELSE 'GRANT %s ON %s TO %s;' END, d.sql,
                        CASE WHEN d.kind LIKE '(%' THEN 'TABLE' ELSE d.kind END || ' ' || d.name, d.who) END
  FROM differences d
UNION ALL
SELECT 'privileges', 'grants', 'ok', 'as after CREATE EXTENSION', NULL WHERE NOT EXISTS (SELECT FROM differences)
UNION ALL
SELECT 'privileges', o.name, 'error', format('its owner %s is no superuser, and may do with it what it likes', quote_ident(r.rolname)),
       format('ALTER %s %s OWNER TO ...;', o.kind, o.name)
  FROM objects o JOIN pg_roles r ON r.oid = o.owner WHERE NOT r.rolsuper AND o.objsubid = 0
$$;
COMMENT ON FUNCTION jwt.check_privileges() IS 'jwt.check() on privileges that differ from a fresh install';

CREATE FUNCTION jwt.check_tables(OUT area text, OUT item text, OUT status text, OUT detail text, OUT what_to_do text)
    RETURNS SETOF record LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
WITH tables AS MATERIALIZED (
    SELECT c.oid, c.relrowsecurity, c.oid::regclass::text AS name
      FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'jwt_auth'
      JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND d.deptype = 'e' AND c.relkind = 'r'
), wanted (name, trigger) AS (
    SELECT t, 'invalidate' FROM unnest('{jwt.key_store,jwt.issuers,jwt.revoked_tokens,jwt.revoked_subjects}'::text[]) t
    UNION ALL
    SELECT 'jwt.session_store', t FROM unnest('{invalidate_insert,invalidate_update,invalidate_delete}'::text[]) t
    UNION ALL
    SELECT t, 'check_row' FROM unnest('{jwt.key_store,jwt.session_store}'::text[]) t
    UNION ALL
    SELECT t.name, 'refuse_truncate' FROM tables t
), purpose (trigger, otherwise) AS (
    VALUES ('refuse_truncate', 'whoever has TRUNCATE empties it'),
           ('check_row', 'a row that violates a constraint is shown, secrets included')
), triggers AS MATERIALIZED (
    SELECT t.name, g.tgname, g.tgenabled, n.nspname = 'jwt' AS is_ours
      FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
), faults (area, item, detail, what_to_do) AS (
    SELECT 'triggers', t.name,
           format('trigger %I is %s: %s%s', t.tgname, CASE t.tgenabled WHEN 'D' THEN 'disabled' ELSE 'no longer ENABLE ALWAYS' END,
                  CASE t.tgenabled WHEN 'D' THEN '' ELSE 'under session_replication_role = replica ' END,
                  coalesce((SELECT p.otherwise FROM purpose p WHERE p.trigger = t.tgname), 'other sessions hear of no change')),
           format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;', t.name, t.tgname)
      FROM triggers t WHERE t.is_ours AND t.tgenabled <> 'A'
    UNION ALL
    SELECT 'triggers', w.name,
           format('trigger %I is gone: %s', w.trigger, coalesce((SELECT p.otherwise FROM purpose p WHERE p.trigger = w.trigger), 'other sessions hear of no change')),
           'Make the extension anew, from a dump.'
      FROM wanted w WHERE NOT EXISTS (SELECT FROM triggers t WHERE t.is_ours AND (t.name, t.tgname) = (w.name, w.trigger))
    UNION ALL
    SELECT 'triggers', t.name, format('trigger %I is not ours, and stops our writes (55000)', t.tgname), format('DROP TRIGGER %I ON %s;', t.tgname, t.name)
      FROM triggers t WHERE NOT t.is_ours
    UNION ALL
    SELECT 'row security', t.name, 'is off: pg_read_all_data and a GRANT on all tables open it', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', t.name)
      FROM tables t WHERE NOT t.relrowsecurity
    UNION ALL
    SELECT 'row security', t.name, format('policy %I opens it; it is meant to have none', p.polname), format('DROP POLICY %I ON %s;', p.polname, t.name)
      FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
)
SELECT f.area, f.item, 'error', f.detail, f.what_to_do FROM faults f
UNION ALL
SELECT a.area, 'our tables', 'ok', a.detail, NULL
  FROM (VALUES ('triggers', 'there, and ENABLE ALWAYS'), ('row security', 'on, with no policy')) a (area, detail)
 WHERE NOT EXISTS (SELECT FROM faults f WHERE f.area = a.area)
$$;
COMMENT ON FUNCTION jwt.check_tables() IS 'jwt.check() on the triggers and the row security of our tables';

CREATE FUNCTION jwt.check()
    RETURNS TABLE (area text, item text, status text, detail text, what_to_do text)
    LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET jit = off
    AS $$
BEGIN
    PERFORM jwt.own_issuer();
    RETURN QUERY SELECT * FROM jwt.check_library();
    RETURN QUERY SELECT * FROM jwt.check_server();
    RETURN QUERY SELECT * FROM jwt.check_keys();
    RETURN QUERY SELECT * FROM jwt.check_peers();
    RETURN QUERY SELECT * FROM jwt.check_tables() t ORDER BY t.area DESC, t.item COLLATE "C", t.detail COLLATE "C";
    RETURN QUERY SELECT * FROM jwt.check_privileges() p ORDER BY p.item COLLATE "C", p.detail COLLATE "C";
END
$$;
COMMENT ON FUNCTION jwt.check() IS 'Can this server do it, and is what the extension made still as it made it?';

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
    jwt.jwks_from_pem(text),
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
