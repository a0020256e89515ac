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

--
-- Several blocks: of one key that key, of several keys nothing but a set
--
\set pem_p8 '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYRYlVuB6F8kdIUq/\nfPH9fBy7rprjWO6s33SZ6UFVbHWhRANCAARRQiF1gWEAI60AmTRRjm5jwxmq+p9u\nJ7J/kqe+0AkiOClwOueBUhffSveYoKb0Gfyfx5npCEXPg/RB9kxHAQ0I\n-----END PRIVATE KEY-----'
\set pem_pub '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUUIhdYFhACOtAJk0UY5uY8MZqvqf\nbieyf5KnvtAJIjgpcDrngVIX30r3mKCm9Bn8n8eZ6QhFz4P0QfZMRwENCA==\n-----END PUBLIC KEY-----'
\set pem_cert '-----BEGIN CERTIFICATE-----\nMIIBcDCCARWgAwIBAgIUEI2eRN+pF7d2Xcm2FzMJjBTVEOQwCgYIKoZIzj0EAwIw\nDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMyMjU2MThaGA8yMTI2MTAzMDIyNTYxOFow\nDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFCIXWBYQAj\nrQCZNFGObmPDGar6n24nsn+Sp77QCSI4KXA654FSF99K95igpvQZ/J/HmekIRc+D\n9EH2TEcBDQijUzBRMB0GA1UdDgQWBBTILTbrLVN12tlc/5bEjuF6qTA32jAfBgNV\nHSMEGDAWgBTILTbrLVN12tlc/5bEjuF6qTA32jAPBgNVHRMBAf8EBTADAQH/MAoG\nCCqGSM49BAMCA0kAMEYCIQC7R5MZwlgCVPjahqdGXTosD9PH/35BpCet+yO+xdo6\nLwIhALEYpW5sh1LlPFlzOjyUAGgdCsilSyQ7Py4jJlmPb8hn\n-----END CERTIFICATE-----'
\set pem_enc '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgvaSGCD/5IcgICCAAw\nDAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEF2Ck62sGcYqrBIS4xBCUEoEgZCH\nq7vycy+6zo2rWzEnHMTtN3bJWzp4p/DwUYTJpN4MaCD9mJdtPCuzVGis48u0LGVC\n9rDUJEfTPxMDlfucRwc4jUcfWEU/B3pL9bcBsO58aeAveH/2UuTQq5QeN/oa+O7Z\nNCWuInWB1yAiQ/upXD+OOP7zv01vf5g9dXw2Vvy1ZEvVjGbOl/OYXpjprHiqItg=\n-----END ENCRYPTED PRIVATE KEY-----'
\set pem_pkcs1 '-----BEGIN RSA PUBLIC KEY-----\nMIIBCgKCAQEAp0XOKfGfk68eI2MzjCtfYKEjw1xBlHg20JBzCy3btf9hKCI+cZgM\nP521gvQyqKFu+19yNwGw9aykSO2SPrliAfbJT/Q0bgk+PN8rt/krY0A0R+PbjHQw\n9HxiQzUFsvEX/D1vTS3ti5IvPkUUuHD6EogSYmgRgk6UBbKJ15G3d1pagw9GpnlL\nCoYGr8D4ZUF9BdKgwn2D5I7DGmsR4zDof5aXt+u4e91qguGBDSLL4LoujF/eJh+F\nPV5VnbxK22C8vaY4lkABbOguSXXOq5hPYCDG/eQcCzWWZX8JwrN79OdDA5dt26gw\ncllSQ3LOnRe849J264GNrbH6KdnDZczw0wIDAQAB\n-----END RSA PUBLIC KEY-----'
\set pem_sec1 '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIGEWJVbgehfJHSFKv3zx/Xwcu66a41jurN90melBVWx1oAoGCCqGSM49\nAwEHoUQDQgAEUUIhdYFhACOtAJk0UY5uY8MZqvqfbieyf5KnvtAJIjgpcDrngVIX\n30r3mKCm9Bn8n8eZ6QhFz4P0QfZMRwENCA==\n-----END EC PRIVATE KEY-----'
\set pem_ed '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAnat3kJE6bjuEq22oSfLaVJEH/5EplMgel+PShvus3V4=\n-----END PUBLIC KEY-----'
\set pem_params '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----'
CREATE TABLE pg_temp.bundles (n integer PRIMARY KEY, what text, pem text);
INSERT INTO bundles VALUES
    (1, 'certificate, private key', concat_ws(E'\n', :'pem_cert', :'pem_p8')), (2, 'private key, certificate', concat_ws(E'\n', :'pem_p8', :'pem_cert')),
    (3, 'certificate, public key', concat_ws(E'\n', :'pem_cert', :'pem_pub')), (4, 'parameters, private key', concat_ws(E'\n', :'pem_params', 'Bag Attributes', :'pem_p8')),
    (5, 'two keys', concat_ws(E'\n', :'pem_cert', :'pem_ed')), (6, 'two keys, one private', concat_ws(E'\r\n', :'pem_cert', :'pem_ed', :'pem_p8')),
    (7, 'certificate, encrypted key', concat_ws(E'\n', :'pem_cert', :'pem_enc')), (8, 'two keys, encrypted key', concat_ws(E'\n', :'pem_pub', :'pem_ed', :'pem_enc')),
    (9, 'public key, half of one', concat_ws(E'\n', :'pem_pub', left(:'pem_ed', 80))), (10, 'parameters', :'pem_params'), (11, 'nothing', ''),
    (12, 'public key, 16 times', repeat(:'pem_pub' || E'\n', 16)), (13, 'public key, 17 times', repeat(:'pem_pub' || E'\n', 17));
SELECT what, pg_temp.try(format('SELECT jwt.jwk_from_pem(%L)', pem)) AS jwk FROM bundles ORDER BY n;
SELECT what, pg_temp.try(format('SELECT jwt.jwks_from_pem(%L)', pem)) AS jwks FROM bundles ORDER BY n;
SELECT pg_temp.try('SELECT jwt.jwks_from_pem(NULL)');
SELECT pg_temp.try(format('SELECT jwt.jwk_from_pem(%L, alg => ''ES384'')', pem)) AS other_alg, jwt.jwk_from_pem(pem, 'ES256', 'k') - '{x,y,d}'::text[] AS alg FROM bundles WHERE n = 1;
-- sizes: what the kind of the key needs, and for PS512 what that needs
\set pem_small '-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCkkaaDcuJiCckwG8OXpBhMgsiI\nyi9fW0YaFs11BGAFhaGqpBOXIfMYT1W6/pyw3ekj1jgpd9Ca0CTdImWavcd8ZdRh\nr7rcaM2vcOq9JyXg65Z8ssFCbO82z2MgZeuSYmzytHbd4Soxl/lREFOtIXbPUWyD\nOJ8+Zxj0HsTrK7XouwIDAQAB\n-----END PUBLIC KEY-----'
SELECT alg, pg_temp.try(format('SELECT jwt.jwk_from_pem(%L, %L)->>''alg''', :'pem_small', alg)) FROM unnest('{RS256,PS384,PS512,ES256}'::text[]) alg;
SELECT bool_and(key->>'kid' = jwt.jwk_thumbprint(key)) AS named_by_thumbprint, count(*) FROM bundles, jsonb_array_elements(jwt.jwks_from_pem(pem)->'keys') key WHERE n IN (5, 6);
-- that imports as a set of another issuer, as long as none of it is private
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:');
SELECT what, pg_temp.try(format('SELECT jwt.import_jwks(jwt.jwks_from_pem(%L), ''https://idp.example'')', pem)) FROM bundles WHERE n IN (5, 6) ORDER BY n;
SELECT kid, alg, kty, status FROM jwt.keys ORDER BY kid;
SELECT n, left(pg_temp.try(format('SELECT jwt.jwks_from_pem(%L)->>''x''', repeat(E'\n', 65536 - length(:'pem_pub') - n) || :'pem_pub')), 40) FROM unnest('{0,-1}'::int[]) n;

--
-- The base64 of a key is no secret either, however it is written; neighbours are
--
CREATE FUNCTION pg_temp.body(pem text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT regexp_replace(pem, '-----.*?-----\s*', '', 'g') $$;
SELECT what, left(pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::text)->>''kty''', pg_temp.body(pem))), 42) AS as_it_is,
       left(pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::text)->>''kty''', translate(pg_temp.body(pem), E'+/=\n', '-_'))), 42) AS url,
       left(pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::bytea)->>''kty''', decode(pg_temp.body(pem), 'base64'))), 42) AS der,
       left(pg_temp.try(format('SELECT jwt.import_key(%L)', jsonb_build_object('kty', 'oct', 'k', pg_temp.base64url(pg_temp.body(pem))))), 42) AS jwk,
       left(pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::text)->>''kty''', left(pg_temp.body(pem), 60))), 42) AS begun
  FROM (VALUES ('SPKI', :'pem_pub'), ('PKCS#8', :'pem_p8'), ('certificate', :'pem_cert'), ('encrypted', :'pem_enc'), ('SEC1', :'pem_sec1'), ('PKCS#1', :'pem_pkcs1')) v (what, pem);
SELECT secret, left(pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::text)->>''kty''', secret)), 42) AS taken
  FROM (VALUES ('kq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8o='), ('MIIkq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8oPwNn3hB6sTz5Xc9aYe'),
               ('MIIBkq3tJZbVdFzq0m7m4Kp1L5e0xG2fYl7uVbYkQ1v0d8oPwNn3hB6sTz5Xc9aY'), ('AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')) v (secret);

DROP EXTENSION jwt_auth CASCADE;
