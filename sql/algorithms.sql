-- Algorithms: each signs and verifies; none is taken for another.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;

CREATE TABLE algs AS
SELECT alg, n FROM unnest('{HS256,HS384,HS512,RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,ES256K,EdDSA,Ed25519,Ed448}'::text[])
    WITH ORDINALITY v (alg, n);

-- RSA keys take long to make: one that is given serves six algorithms (RFC 7515, A.2).
\set rsa '{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}'
SELECT alg, CASE WHEN alg ~ '^[RP]S' THEN jwt.import_key(:'rsa'::jsonb || jsonb_build_object('alg', alg), alg)
                 ELSE jwt.generate_key(alg, alg) END = alg AS made
  FROM algs ORDER BY n;
CREATE TABLE tokens AS SELECT n, alg, jwt.sign('{"sub":"42"}', alg) AS token FROM algs;
SELECT alg, (d).header, length(split_part(token, '.', 3)) AS signature, pg_temp.words(token),
       pg_temp.words(token || '.') = pg_temp.words('a.b.c.d') AS four_parts,
       pg_temp.words(split_part(token, '.', 1) || '.' || pg_temp.base64url('{"sub":"43","exp":4000000000}') || '.' || split_part(token, '.', 3)) AS other_claims
  FROM tokens, jwt.decode_unverified(token) d ORDER BY n;
-- by the published keys alone; secrets are not among them
SELECT alg, left(pg_temp.try(format('SELECT jwt.verify_with(%L, jwt.jwks())->>''sub''', token)), 28) AS verdict FROM tokens ORDER BY n;
-- each key under each other's name: the key decides, the header must agree
SELECT count(*) AS pairs, count(*) FILTER (WHERE verdict = 'ok') AS accepted, array_agg(DISTINCT verdict) AS verdicts
  FROM (SELECT pg_temp.verdict(pg_temp.base64url(jsonb_build_object('alg', t.alg, 'kid', k.alg)::text) || '.' || split_part(t.token, '.', 2) || '.' || split_part(t.token, '.', 3)) AS verdict
          FROM tokens t, algs k WHERE t.alg <> k.alg) v;
-- a new RSA key, once
SELECT jwt.generate_key('PS384', 'made');
SELECT pg_temp.words(jwt.sign('{}', 'made')), public_jwk ? 'n' AS public FROM jwt.keys WHERE kid = 'made';

--
-- The caller's keys
--
CREATE TABLE jwks AS
SELECT n, alg, CASE WHEN alg ~ '^HS' THEN jwt.jwk_from_secret(repeat('x', right(alg, 3)::int / 8), alg)
                    WHEN alg ~ '^[RP]S' THEN :'rsa'::jsonb || jsonb_build_object('alg', alg) ELSE (CASE alg
        WHEN 'ES256' THEN '{"kty":"EC","crv":"P-256","alg":"ES256","d":"E2sJCNO3n_XnUuv6SkpvUG6g8YZp47Hf_P9-vVXGESc","x":"J2F6J-J6tkaZPgtK1Zf1cacrgAaMl16VeWlfpBLHBz0","y":"vn5G1QodFvYllX20V_0yA3krnJtRFD-hk7d7PlkDgcI"}'
        WHEN 'ES384' THEN '{"kty":"EC","crv":"P-384","alg":"ES384","d":"1LUscsyMp9nz0fFd66LM5x7zh9dxjK1XqUFc8eu2qYJmYvwvrkmpCYlFyWSIkejR","x":"2jhHjlyViCwoZox-8IclVPGlNMeH0S2EshTQvnKfJVh6vzNkwGpHTj22Ogm1AQ_c","y":"EFcavPM8uvOQcPry-MOAdvfeZ6mXXPBlOKdxRbqOrdrnAy4WUCWF7bXC656rbW1T"}'
        WHEN 'ES512' THEN '{"kty":"EC","crv":"P-521","alg":"ES512","d":"ASdJ9Xpfm_bxRly0eGClvtwG9H9_JxQ3uo3q_YORv08Zn8hbXlrYFgaLekm1yt-ljCzuW1P7p7wOcF5h5-5DANTZ","x":"AXKWUdGFbmykQswGaZjc5TjtCoaK26lSwsA6KwxhZXstYyUtVkVZil3c_GJ4f961eGTk0Tw-QG9UIfuengOWyTzd","y":"AY5udiJC7ABOPDxU8C247_bREWGIkjpGWzuPKnjtmuKqOhiTSCbT8Q_hwQ0vxunDXwRiDQBLKqep-Z_Y2DafIu-2"}'
        WHEN 'ES256K' THEN '{"kty":"EC","crv":"secp256k1","alg":"ES256K","d":"UlzncjT9-i6LdL0oSxAId9qqEAZCKofpFj3wlGOz-fs","x":"06Kv8ItwXxcGYHBRmKN8_UFiTAPw1ItZYR6gucXSSqE","y":"iC0xAj3qsDHP160fY9KSzDUaNiGCfCRiXwc13Zl5HXg"}'
        WHEN 'EdDSA' THEN '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA"}'
        WHEN 'Ed25519' THEN '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"Ed25519"}'
        WHEN 'Ed448' THEN '{"kty":"OKP","crv":"Ed448","alg":"Ed448","d":"DcYOAu1w7fZdeVkrW9hMAcQHcy2c6EDx0AcxWA90QLsRLkPaoh-4k6FvMkrU3j7sFPcUDJjCTA7I","x":"-cskD23luEJ_pZM-4LmgRiGK-ZUnxh8VzEFjrrKohcZG9d_CMl244z1JAd8AMGgeXEDyEWuDGnMA"}' END)::jsonb END AS jwk
  FROM algs;
SELECT alg, jwt.verify_with(jwt.sign_with('{"sub":"42"}', jwk), jwk - '{d,p,q,dp,dq,qi}'::text[])->>'sub' AS sub,
       convert_from(jwt.jws_verify(jwt.jws_sign('payload', jwk), jwk - '{d,p,q,dp,dq,qi}'::text[]), 'UTF8') AS payload,
       left(pg_temp.try(format('SELECT jwt.sign_with(''{}'', %L) IS NOT NULL', jwk - '{d,p,q,dp,dq,qi}'::text[])), 40) AS sign_with_public
  FROM jwks ORDER BY n;
-- without alg: the curve decides, for RSA and oct RS256 and HS256 are meant
SELECT alg, (jwt.decode_unverified(jwt.sign_with('{}', jwk - 'alg'))).header->>'alg' AS signs,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', jwt.sign_with('{"sub":"42"}', jwk), jwk - 'alg')), 28) AS verifies,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L, algorithms => %L)->>''sub''', jwt.sign_with('{"sub":"42"}', jwk), jwk - 'alg', ARRAY[alg])), 28) AS if_allowed,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L, algorithms => %L)->>''sub''', jwt.sign_with('{"sub":"42"}', jwk), jwk - 'alg', '{RS256,HS256}')), 28) AS if_not
  FROM jwks ORDER BY n;
-- an allow list never widens what the key says
SELECT t.alg AS token, k.alg AS key, left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L, algorithms => %L)->>''sub''', jwt.sign_with('{"sub":"42"}', t.jwk), k.jwk, ARRAY[t.alg, k.alg])), 28) AS verdict
  FROM jwks t, jwks k WHERE (t.alg, k.alg) IN (('RS256', 'RS256'), ('RS256', 'RS512'), ('RS256', 'PS256'), ('HS256', 'HS512'), ('EdDSA', 'Ed25519'), ('Ed25519', 'EdDSA'), ('Ed25519', 'Ed448'), ('EdDSA', 'Ed448'))
  ORDER BY t.n, k.n;
-- use and key_ops
SELECT members, left(pg_temp.try(format('SELECT jwt.sign_with(''{}'', %L) IS NOT NULL', jwk || members)), 30) AS sign,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', jwt.sign_with('{"sub":"42"}', jwk), jwk || members)), 30) AS verify
  FROM jwks, (VALUES ('{}'::jsonb), ('{"use":"sig"}'), ('{"use":"enc"}'), ('{"use":1}'), ('{"key_ops":["sign"]}'), ('{"key_ops":["verify"]}'), ('{"key_ops":["sign","verify"]}'),
               ('{"key_ops":["encrypt"]}'), ('{"key_ops":[]}'), ('{"key_ops":"sign"}'), ('{"alg":"none"}'), ('{"alg":"ES384"}'), ('{"alg":1}'), ('{"kid":1}')) m (members)
 WHERE alg = 'ES256';

-- RFC 7517 lets a private RSA key come without its primes: it signs, but has no PEM form to be kept in
SELECT jwt.verify_with(jwt.sign_with('{"sub":"42"}', :'rsa'::jsonb - '{p,q,dp,dq,qi}'::text[]), :'rsa')->>'sub' AS sub,
       pg_temp.try(format('SELECT jwt.jwk_to_pem(%L)', :'rsa'::jsonb - '{p,q,dp,dq,qi}'::text[])) AS pem,
       pg_temp.try(format('SELECT jwt.import_key(%L)', :'rsa'::jsonb - '{p,q,dp,dq,qi}'::text[])) AS import;

--
-- Confusion: a public key's text as an HMAC secret, in every dress
--
SELECT jwt.jwk_to_pem(:'rsa'::jsonb - '{d,p,q,dp,dq,qi}'::text[]) AS pem \gset
SELECT pg_temp.base64url('{"alg":"HS256","kid":"RS256"}') || '.' || pg_temp.base64url('{"sub":"root","exp":4000000000}') AS input \gset
SELECT what, pg_temp.words(:'input' || '.' || pg_temp.base64url(pg_temp.hmac(convert_to(:'input', 'UTF8'),
           CASE WHEN length(secret) > 64 THEN sha256(secret) ELSE secret END))) AS stored,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)', :'input' || '.' || pg_temp.base64url(pg_temp.hmac(convert_to(:'input', 'UTF8'),
           CASE WHEN length(secret) > 64 THEN sha256(secret) ELSE secret END)), :'rsa'::jsonb - '{alg,d,p,q,dp,dq,qi}'::text[] || '{"kid":"RS256"}')), 40) AS passed
  FROM (VALUES ('PEM', convert_to(:'pem', 'UTF8')), ('PEM without its last line end', convert_to(rtrim(:'pem', E'\n'), 'UTF8')),
               ('modulus', decode(translate(:'rsa'::jsonb->>'n', '-_', '+/') || '==', 'base64')), ('nothing', '')) v (what, secret);
-- our own secret does not verify a token that says RS256, nor one that says HS512
SELECT alg, pg_temp.words(pg_temp.forge(jsonb_build_object('alg', alg, 'kid', 'raw')::text, '{"exp":4000000000}', '0123456789abcdef0123456789abcdef'))
  FROM (SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'raw'), status => 'previous')) k, unnest('{HS256,HS512,RS256,none}'::text[]) alg;

--
-- There is no row for none, however it is spelled
--
SELECT alg, pg_temp.words(pg_temp.base64url(jsonb_build_object('alg', alg)::text) || '.' || pg_temp.base64url('{"sub":"root","exp":4000000000}') || '.') AS unsigned,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, ''{"keys":[]}'')', pg_temp.base64url(jsonb_build_object('alg', alg)::text) || '.' || pg_temp.base64url('{"sub":"root"}') || '.')), 40) AS passed,
       pg_temp.verdict(pg_temp.forge(jsonb_build_object('alg', alg, 'kid', 'raw')::text, '{"exp":4000000000}', '0123456789abcdef0123456789abcdef')) AS signed
  FROM unnest('{none,None,NONE,nOnE,"none ",""," ",null}'::text[]) alg;
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L, algorithms => ''{none}'')', pg_temp.base64url('{"alg":"none"}') || '.e30.', '{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}'));
SELECT pg_temp.try($$SELECT jwt.sign_with('{}', '{"kty":"none"}')$$);
SELECT pg_temp.try($$SELECT jwt.sign_with('{}', '{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","alg":"none"}')$$);
SELECT pg_temp.try($$SELECT jwt.trust_issuer('https://idp.example', '{*}', algorithms => '{none}')$$) ~ '^22023' AS refused;
SELECT alg, jwt.check_algorithms(ARRAY[alg]) FROM unnest('{HS256,Ed448,none,NONE,hs256,"HS256 ","",HS1,RS1,ES256K,A128KW}'::text[]) alg;

--
-- Signatures of the wrong length or range
--
SELECT what, pg_temp.words(left(token, length(token) - length(split_part(token, '.', 3))) || signature)
  FROM tokens, LATERAL (VALUES ('none', ''), ('half', left(split_part(token, '.', 3), 44)), ('zero', repeat('A', 86)), ('one longer', split_part(token, '.', 3) || 'AA'),
      ('DER', pg_temp.base64url('\x3006020101020101'::bytea))) v (what, signature)
 WHERE alg = 'ES256';

--
-- Under a key of small order anybody signs: R is the identity, S is 0.  Such
-- keys are refused wherever they come from, and so is what is no point
--
CREATE TABLE pg_temp.points AS
SELECT what, crv, jsonb_build_object('kty', 'OKP', 'crv', crv, 'kid', what, 'x', pg_temp.base64url(x)) AS jwk
  FROM (VALUES ('identity', 'Ed25519', '\x01'::bytea || decode(repeat('00', 31), 'hex')), ('order 2', 'Ed25519', '\xec'::bytea || decode(repeat('ff', 30), 'hex') || '\x7f'),
               ('order 4', 'Ed25519', decode(repeat('00', 32), 'hex')), ('order 8', 'Ed25519', '\x26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
               ('no point', 'Ed25519', '\x02'::bytea || decode(repeat('00', 31), 'hex')), ('not below p', 'Ed25519', decode(repeat('ff', 32), 'hex')),
               ('a point', 'Ed25519', '\x03'::bytea || decode(repeat('00', 31), 'hex')),
               ('identity', 'Ed448', '\x01'::bytea || decode(repeat('00', 56), 'hex')), ('order 4', 'Ed448', decode(repeat('00', 57), 'hex')),
               ('no point', 'Ed448', '\x02'::bytea || decode(repeat('00', 56), 'hex')), ('a point', 'Ed448', '\x03'::bytea || decode(repeat('00', 56), 'hex'))) v (what, crv, x);
SELECT pg_temp.base64url('{"alg":"EdDSA","kid":"identity"}') || '.' || pg_temp.base64url('{"sub":"root"}') || '.' AS input,
       pg_temp.base64url('\x01'::bytea || decode(repeat('00', 63), 'hex')) AS s25519, pg_temp.base64url('\x01'::bytea || decode(repeat('00', 113), 'hex')) AS s448 \gset
SELECT crv, what, left(pg_temp.try(format('SELECT jwt.import_key(%L, ''%s %s'', ''https://idp.example'')', jwk, crv, what)), 34) AS import,
       left(pg_temp.try(format('SELECT jwt.jwk_to_pem(%L)', jwk)), 40) AS to_pem,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)', :'input' || CASE crv WHEN 'Ed448' THEN :'s448' ELSE :'s25519' END, jwk - 'kid')), 38) AS forged
  FROM points ORDER BY crv, what;
SET client_min_messages = notice;
SELECT jwt.import_jwks(jsonb_build_object('keys', (SELECT jsonb_agg(jwk || jsonb_build_object('kid', crv || ' ' || what)) FROM points)), 'https://idp.example');
SET client_min_messages = warning;
SELECT left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)', :'input' || :'s25519', jsonb_build_object('keys', (SELECT jsonb_agg(jwk) FROM points WHERE crv = 'Ed25519')))), 60) AS in_a_set;
-- nor is one that got into the store in another way used
UPDATE jwt.key_store SET public_jwk = (SELECT jwk FROM points WHERE crv = 'Ed25519' AND what = 'identity') WHERE kid = 'Ed25519 a point';
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:', required_claims => '{}');
SELECT pg_temp.words(pg_temp.base64url('{"alg":"EdDSA","kid":"Ed25519 a point"}') || '.' || pg_temp.base64url('{"iss":"https://idp.example","sub":"root"}') || '.' || :'s25519');

DROP TABLE algs, tokens, jwks;
DROP EXTENSION jwt_auth CASCADE;
