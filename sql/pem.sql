-- PEM text that is hostile, and PEM text with several keys.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;

--
-- A private key that is not for signing is not decoded: of one for DSA the
-- public half would be computed, for a minute that nothing interrupts
--
CREATE FUNCTION pg_temp.der(tag integer, VARIADIC parts bytea[]) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT set_byte('\x00', 0, tag) || CASE WHEN length(body) < 128 THEN set_byte('\x00', 0, length(body)) ELSE '\x82'::bytea || substr(int4send(length(body)), 3) END || body
      FROM (SELECT string_agg(part, ''::bytea ORDER BY n) AS body FROM unnest(parts) WITH ORDINALITY u (part, n)) b
$$;
CREATE FUNCTION pg_temp.pem(label text, der bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format(E'-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n', label, encode(der, 'base64'))
$$;
CREATE FUNCTION pg_temp.number(bytes integer) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_temp.der(2, '\x00'::bytea || decode(repeat('fb', bytes), 'hex'))
$$;
SET statement_timeout = '20s';
SELECT what, pg_temp.try(format('SELECT jwt.jwk_from_pem(%L)', pg_temp.pem('PRIVATE KEY', pg_temp.der(48, '\x020100', pg_temp.der(48, pg_temp.der(6, oid), params), pg_temp.der(4, key)))))
  FROM (VALUES ('DSA', '\x2a8648ce380401'::bytea, pg_temp.der(48, pg_temp.number(6144), pg_temp.number(1536), pg_temp.number(6144)), pg_temp.number(6144)),
               ('DH', '\x2a864886f70d010301', pg_temp.der(48, pg_temp.number(6144), pg_temp.number(6144)), pg_temp.number(6144)),
               ('X25519', '\x2b656e', ''::bytea, pg_temp.der(4, decode(repeat('01', 32), 'hex'))),
               ('Ed25519', '\x2b6570', '', pg_temp.der(4, decode(repeat('01', 32), 'hex'))),
               ('Ed25519, half', '\x2b6570', '', pg_temp.der(4, decode(repeat('01', 16), 'hex')))) v (what, oid, params, key);
RESET statement_timeout;
SELECT pg_temp.try(format('SELECT jwt.jwk_from_pem(%L)', pg_temp.pem('PUBLIC KEY', pg_temp.der(48, pg_temp.der(48, pg_temp.der(6, '\x2a8648ce380401'),
       pg_temp.der(48, pg_temp.number(6144), pg_temp.number(1536), pg_temp.number(6144))), pg_temp.der(3, '\x00'::bytea || pg_temp.number(6144))))));

--
-- What libcrypto takes for a header may be half of the key: no block has any,
-- but one that is encrypted
--
SELECT what, pg_temp.try(format('SELECT jwt.jwk_from_pem(%L)->>''crv''', format(E'-----BEGIN PRIVATE KEY-----\n%sMC4CAQAwBQYDK2VwBCIEIFKbnMVsC3Z3kuXdvc1/587oUEcFu9WkluitO36Ryk65\n-----END PRIVATE KEY-----', header)))
  FROM (VALUES ('none', ''), ('an empty line', E'\n'), ('junk', E'MC4CAQAwBQYDK2Vw----BEGIN PRIVATE KEY----------\n\n'), ('comment', E'Comment: x\n\n'), ('no cipher', E'Proc-Type: 4,CLEAR\n\n'),
               ('encrypted', E'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n')) v (what, header);

DROP EXTENSION jwt_auth CASCADE;
