-- What verifies a token without an extension of its own, on pgcrypto.

-- As lean as PL/pgSQL gets, and with every check that a token needs.
CREATE FUNCTION base64url_decode(data text) RETURNS bytea LANGUAGE sql IMMUTABLE
    AS $$SELECT decode(rpad(translate(data, '-_', '+/'), (length(data) + 3) / 4 * 4, '='), 'base64')$$;
CREATE FUNCTION pgcrypto_verify(token text, secret text) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    parts text[] := string_to_array(token, '.');
    claims json;
BEGIN
    IF cardinality(parts) <> 3
       OR convert_from(base64url_decode(parts[1]), 'UTF8')::json->>'alg' IS DISTINCT FROM 'HS256'
       OR hmac(convert_to(parts[1] || '.' || parts[2], 'UTF8'), convert_to(secret, 'UTF8'), 'sha256')
          <> base64url_decode(parts[3]) THEN
        RAISE EXCEPTION 'invalid token';
    END IF;
    claims := convert_from(base64url_decode(parts[2]), 'UTF8')::json;
    IF to_timestamp((claims->>'exp')::float8) <= statement_timestamp() THEN
        RAISE EXCEPTION 'expired token';
    END IF;
    RETURN claims;
END
$$;

-- pgjwt's way: SQL functions that call each other, a cast that may fail, all
-- said to be IMMUTABLE, so that some are inlined.
CREATE FUNCTION pgjwt_encode(data bytea) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$SELECT translate(encode(data, 'base64'), E'+/=\n', '-_')$$;
CREATE FUNCTION pgjwt_decode(data text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    WITH t AS (SELECT translate(data, '-_', '+/') AS trans),
         r AS (SELECT length(t.trans) % 4 AS remainder FROM t)
    SELECT decode(t.trans || CASE WHEN r.remainder > 0 THEN repeat('=', 4 - r.remainder) ELSE '' END, 'base64') FROM t, r
$$;
CREATE FUNCTION pgjwt_sign(signables text, secret text, algorithm text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH alg AS (SELECT CASE algorithm WHEN 'HS256' THEN 'sha256' WHEN 'HS384' THEN 'sha384' WHEN 'HS512' THEN 'sha512' ELSE '' END AS id)
    SELECT pgjwt_encode(hmac(signables, secret, alg.id)) FROM alg
$$;
CREATE FUNCTION pgjwt_double(input text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    BEGIN
        RETURN input::float8;
    EXCEPTION WHEN OTHERS THEN
        RETURN NULL;
    END;
END
$$;
CREATE FUNCTION pgjwt_verify(token text, secret text, algorithm text)
    RETURNS TABLE (header json, payload json, valid boolean) LANGUAGE sql IMMUTABLE AS $$
    SELECT j.header, j.payload,
           j.signature_ok AND tstzrange(to_timestamp(pgjwt_double(j.payload->>'nbf')),
                                        to_timestamp(pgjwt_double(j.payload->>'exp'))) @> current_timestamp
      FROM (SELECT convert_from(pgjwt_decode(r[1]), 'utf8')::json AS header,
                   convert_from(pgjwt_decode(r[2]), 'utf8')::json AS payload,
                   r[3] = pgjwt_sign(r[1] || '.' || r[2], secret, algorithm) AS signature_ok
              FROM regexp_split_to_array(token, '\.') r) j
$$;

-- The same in the other direction.
CREATE FUNCTION base64url_encode(data bytea) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$SELECT translate(encode(data, 'base64'), E'+/=\n', '-_')$$;
CREATE FUNCTION pgcrypto_sign(claims jsonb, secret text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    input text := base64url_encode(convert_to('{"alg":"HS256","typ":"JWT"}', 'UTF8')) || '.' ||
        base64url_encode(convert_to(claims::text, 'UTF8'));
BEGIN
    RETURN input || '.' || base64url_encode(hmac(convert_to(input, 'UTF8'), convert_to(secret, 'UTF8'), 'sha256'));
END
$$;
CREATE FUNCTION pgjwt_style_sign(claims json, secret text, algorithm text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    WITH header AS (SELECT pgjwt_encode(convert_to('{"alg":"' || algorithm || '","typ":"JWT"}', 'utf8')) AS data),
         body AS (SELECT pgjwt_encode(convert_to(claims::text, 'utf8')) AS data),
         input AS (SELECT header.data || '.' || body.data AS data FROM header, body)
    SELECT input.data || '.' || pgjwt_sign(input.data, secret, algorithm) FROM input
$$;
