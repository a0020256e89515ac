/* jwt_auth_pgjwt--1.0.sql: what CREATE EXTENSION jwt_auth_pgjwt makes. */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION jwt_auth_pgjwt" to load this file. \quit

-- The functions of pgjwt 0.2.0, for code that calls them already.  The
-- extension is relocatable, so no name here carries a schema; types are
-- those of pg_catalog, which is searched first.

CREATE FUNCTION url_encode(data bytea) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_pgjwt_url_encode';
COMMENT ON FUNCTION url_encode(bytea) IS 'Bytes as base64url without padding';

CREATE FUNCTION url_decode(data text) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_pgjwt_url_decode';
COMMENT ON FUNCTION url_decode(text) IS 'The bytes of base64url; padding, white space and the ordinary alphabet are accepted, too';

-- Not STRICT: an algorithm that is NULL is no algorithm, which is an error.
CREATE FUNCTION algorithm_sign(signables text, secret text, algorithm text) RETURNS text
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_pgjwt_algorithm_sign';
COMMENT ON FUNCTION algorithm_sign(text, text, text) IS 'The HMAC of a text under a secret, as base64url';

CREATE FUNCTION sign(payload json, secret text, algorithm text DEFAULT 'HS256') RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_pgjwt_sign';
COMMENT ON FUNCTION sign(json, text, text) IS 'A token with that payload, byte for byte, signed with that secret; jwt.sign() needs no secret';

CREATE FUNCTION try_cast_double(inp text) RETURNS double precision
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'jwt_auth_pgjwt_try_cast_double';
COMMENT ON FUNCTION try_cast_double(text) IS 'The number that a text says, or NULL';

-- STABLE: it reads the clock.  Not STRICT: it answers one row always.
CREATE FUNCTION verify(token text, secret text, algorithm text DEFAULT 'HS256')
    RETURNS TABLE (header json, payload json, valid boolean)
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 1
    AS 'MODULE_PATHNAME', 'jwt_auth_pgjwt_verify';
COMMENT ON FUNCTION verify(text, text, text) IS 'What a token says, and whether it is signed with that secret and in its time; jwt.verify() needs no secret';

-- As pgjwt has it: whoever brings the secret may use it.
REVOKE ALL ON FUNCTION url_encode(bytea), url_decode(text), algorithm_sign(text, text, text),
    sign(json, text, text), try_cast_double(text), verify(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION url_encode(bytea), url_decode(text), algorithm_sign(text, text, text),
    sign(json, text, text), try_cast_double(text), verify(text, text, text) TO PUBLIC;
