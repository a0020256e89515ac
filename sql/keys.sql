-- Keys: generate, import, rotate, revoke, publish, convert.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
CREATE FUNCTION pg_temp.keys() RETURNS TABLE (kid text, issuer text, alg text, status text, may_sign boolean, published boolean)
    LANGUAGE sql AS $$
    SELECT kid, issuer, alg, status, may_sign, EXISTS (SELECT FROM jsonb_array_elements(jwt.jwks()->'keys') k WHERE k->>'kid' = kid AND issuer IS NULL)
      FROM jwt.keys ORDER BY issuer NULLS FIRST, kid
$$;

--
-- generate_key
--
SELECT jwt.jwks();
SELECT jwt.generate_key() AS kid \gset
SELECT kid = :'kid' AS named, kid = jwt.jwk_thumbprint(public_jwk) AS thumbprint, alg, kty, status, may_sign, issuer,
       current_since IS NOT NULL AS current_since, not_before, not_after
  FROM jwt.keys;
SELECT jwt.generate_key('EdDSA', 'ed'), jwt.generate_key('HS512', 'hs'), jwt.generate_key('ES256', 'waiting', 'standby'), jwt.generate_key('ES256', 'old', 'previous');
SELECT * FROM pg_temp.keys() WHERE kid <> :'kid';
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', 'ed')$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('none')$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('es256')$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', '')$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', repeat('x', 513))$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', repeat('x', 512)) IS NOT NULL$$);
SELECT pg_temp.try($$SELECT jwt.drop_key(repeat('x', 512))$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', 'x', 'active')$$);
SELECT pg_temp.try($$SELECT jwt.generate_key(NULL)$$);
SELECT pg_temp.try($$SELECT jwt.generate_key('ES256', status => NULL)$$);
-- the largest takes minutes, and may be cancelled
SET jwt_auth.min_rsa_bits = 16384;
SET statement_timeout = '300ms';
SELECT jwt.generate_key('RS256', 'large');
RESET statement_timeout;
RESET jwt_auth.min_rsa_bits;
SELECT count(*) FROM jwt.keys WHERE kid = 'large';
-- no key is known twice, and no secret part is to be seen
SELECT count(DISTINCT secret) = count(*) AS all_different FROM jwt.key_store;
SELECT count(*) AS seen FROM jwt.keys k WHERE k::text ~ '"(d|p|q|dp|dq|qi|k|oth)"';
SELECT jsonb_object_agg(k->>'kid', (SELECT jsonb_agg(m ORDER BY m) FROM jsonb_object_keys(k) m)) FILTER (WHERE k->>'kid' IN ('ed', 'waiting', 'old')) AS published
  FROM jsonb_array_elements(jwt.jwks()->'keys') k;

--
-- A second current key demotes the first of its algorithm alone
--
SELECT jwt.generate_key('ES256', 'next');
SELECT CASE WHEN kid = :'kid' THEN 'first' ELSE kid END AS kid, status FROM jwt.keys ORDER BY 1;
SELECT (jwt.decode_unverified(jwt.sign('{}'))).header->>'kid' AS signs_by_default;
-- rotate: a standby key first, then a new one
SELECT jwt.rotate_key() AS standby;
SELECT CASE WHEN kid = :'kid' THEN 'first' ELSE kid END AS kid, status FROM jwt.keys WHERE alg = 'ES256' ORDER BY 1;
SELECT jwt.rotate_key() AS made \gset
SELECT CASE WHEN kid = :'kid' THEN 'first' WHEN kid = :'made' THEN 'made' ELSE kid END AS kid, status FROM jwt.keys WHERE alg = 'ES256' ORDER BY 1;
SELECT jwt.rotate_key('HS512') AS made2 \gset
SELECT (jwt.decode_unverified(jwt.sign('{}'))).header->>'kid' = :'made2' AS became_current_last;
SELECT pg_temp.try($$SELECT jwt.rotate_key('none')$$);
SELECT jwt.rotate_key('HS256') IS NOT NULL AS first_of_its_algorithm;
-- one of each algorithm is current at any time
SELECT alg, count(*) FROM jwt.keys WHERE status = 'current' GROUP BY 1 ORDER BY 1;
SELECT pg_temp.try($$INSERT INTO jwt.key_store SELECT issuer, 'second', alg, kty, status, may_sign, public_jwk, secret FROM jwt.key_store WHERE kid = 'ed'$$) ~ '^23505' AS refused;

--
-- What each status does
--
SELECT jwt.generate_key('EdDSA', 'life') AS kid \gset
SELECT jwt.sign('{}', 'life') AS token \gset
SELECT status, pg_temp.try(format('SELECT jwt.set_key_status(''life'', %L)', status)), pg_temp.words(:'token'),
       left(pg_temp.try($$SELECT jwt.sign('{}', 'life') IS NOT NULL$$), 29) AS sign, jwt.jwks()->'keys' @> '[{"kid":"life"}]' AS published
  FROM (VALUES ('standby'), ('current'), ('previous'), ('revoked'), ('current'), ('gone'), ('')) v (status);
SELECT pg_temp.try($$SELECT jwt.set_key_status('nosuch', 'current')$$);
SELECT pg_temp.try($$SELECT jwt.set_key_status('life', NULL)$$);
SELECT pg_temp.try($$SELECT jwt.set_key_status('life', 'current', 'https://idp.example')$$);
SELECT pg_temp.try($$SELECT jwt.set_key_status('life', 'current', '')$$);
-- a key's time
UPDATE jwt.key_store SET not_after = now() - interval '1 second' WHERE kid = 'life';
SELECT pg_temp.words(:'token'), pg_temp.words(:'token', as_of => now() - interval '1 minute');
SELECT pg_temp.try($$SELECT jwt.sign('{}', 'life')$$);
UPDATE jwt.key_store SET not_before = now() + interval '1 hour', not_after = NULL WHERE kid = 'life';
SELECT pg_temp.words(:'token');
UPDATE jwt.key_store SET not_before = NULL WHERE kid = 'life';
SELECT pg_temp.words(:'token');
SELECT jwt.drop_key('life');
SELECT pg_temp.words(:'token');
SELECT pg_temp.try($$SELECT jwt.drop_key('life')$$);
SELECT pg_temp.try($$SELECT jwt.drop_key(NULL)$$);
DELETE FROM jwt.key_store;

--
-- import_key
--
-- RFC 7638, 3.1; RFC 8037, A.3
\set rsa '{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}'
\set ed '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
SELECT jwt.jwk_thumbprint(:'rsa') AS rfc7638, jwt.jwk_thumbprint(:'ed') AS rfc8037;
SELECT jwt.jwk_thumbprint(:'ed'::jsonb - 'd') = jwt.jwk_thumbprint(:'ed'::jsonb || '{"use":"sig","kid":"x","alg":"EdDSA"}') AS needed_members_alone;
SELECT jwt.jwk_thumbprint('{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}') AS oct;
SELECT jwt.import_key(:'rsa') AS own_kid, jwt.import_key(:'ed') AS thumbprint, jwt.import_key(:'ed', 'named') AS named,
       jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'hs')) AS hs,
       jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdeX', kid => 'hs'), 'hs2', status => 'standby') AS hs2;
SELECT * FROM pg_temp.keys();
SELECT jwt.jwks()->'keys' @> '[{"kid":"hs"}]' AS secret_published, jwt.jwks()::text ~ '"d"' AS private_published;
-- a public key of our own verifies and does not sign
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, ''x'', status => ''current'')', :'rsa'));
SELECT pg_temp.try($$SELECT jwt.set_key_status('2011-04-29', 'current')$$);
SELECT left(pg_temp.try($$SELECT jwt.sign('{}', '2011-04-29')$$), 24);
SELECT pg_temp.try(format('SELECT jwt.import_key(%L)', :'rsa'));
-- what is no key
SELECT jwk, pg_temp.try(format('SELECT jwt.import_key(%L, ''bad'')', jwk))
  FROM (VALUES ('{}'), ('[]'), ('null'), ('{"kty":"EC"}'), ('{"kty":"ec","crv":"P-256"}'), ('{"kty":"AES","k":"AAAA"}'),
               ('{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}'),
               ('{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"}'),
               ('{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0="}'),
               ('{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'),
               ('{"kty":"EC","crv":"P-384","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'),
               ('{"kty":"EC","crv":"P-256K","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'),
               ('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"}'), ('{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'),
               ('{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"12qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'),
               ('{"kty":"oct","k":""}'), ('{"kty":"oct","k":"AAAA"}'), ('{"kty":"oct","k":1}'), ('{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","alg":"RS256"}'),
               ('{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","alg":"HS512"}'), ('{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","use":"enc"}'),
               ('{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","key_ops":["encrypt"]}'),
               ('{"kty":"RSA","n":"AQAB","e":"AQAB"}'), ('{"kty":"RSA","e":"AQAB"}')) v (jwk);
SELECT e, pg_temp.try(format('SELECT jwt.import_key(%L, ''bad'')', :'rsa'::jsonb || jsonb_build_object('e', e)))
  FROM (VALUES ('AQ'), ('AA'), (''), ('AQAA'), ('AQAAAAAAAAAAAQ')) v (e);
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, ''other_e'')', :'rsa'::jsonb || '{"e":"Aw"}'));
SET jwt_auth.min_rsa_bits = 3072;
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, ''small'')', :'rsa'));
SELECT pg_temp.try($$SET jwt_auth.min_rsa_bits = 1024$$);
RESET jwt_auth.min_rsa_bits;
SELECT pg_temp.try('SELECT jwt.import_key(NULL)');
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, repeat(''x'', 513))', :'ed'));
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, issuer => '''')', :'ed'));
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, ''bad'')', :'ed'::jsonb || '{"kid":1}'));
-- with our own name for an issuer it is ours
SET jwt_auth.issuer = 'https://db.example';
SELECT jwt.import_key(:'ed', 'by name', 'https://db.example');
RESET jwt_auth.issuer;
SELECT issuer, status FROM pg_temp.keys() WHERE kid = 'by name';
DELETE FROM jwt.key_store;

--
-- A header without kid: the issuer's keys that fit, at most 16
--
SELECT jwt.trust_issuer('https://idp.example', '{*}', algorithms => '{HS256,HS384}', subject_prefix => 'idp:');
CREATE FUNCTION pg_temp.secret(n integer) RETURNS text LANGUAGE sql AS $$ SELECT md5(n::text) $$;
CREATE FUNCTION pg_temp.token(n integer, kid text = NULL, iss text = 'https://idp.example') RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.forge(jsonb_strip_nulls(jsonb_build_object('alg', 'HS256', 'kid', kid))::text,
                         jsonb_strip_nulls(jsonb_build_object('iss', iss, 'exp', 4000000000, 'sub', n::text))::text, pg_temp.secret(n))
$$;
SELECT pg_temp.words(pg_temp.token(1));
SELECT count(jwt.import_key(jwt.jwk_from_secret(pg_temp.secret(n), 'HS256', 'k' || n), issuer => 'https://idp.example')) FROM generate_series(1, 16) n;
SELECT jwt.import_key(jwt.jwk_from_secret(repeat('x', 48), 'HS384', 'another algorithm'), issuer => 'https://idp.example');
SELECT count(*) FILTER (WHERE pg_temp.verdict(pg_temp.token(n)) = 'ok') AS ok FROM generate_series(1, 16) n;
SELECT (jwt.try_verify(pg_temp.token(7))).kid;
SELECT pg_temp.words(pg_temp.token(17));
SELECT jwt.import_key(jwt.jwk_from_secret(pg_temp.secret(17), 'HS256', 'k17'), issuer => 'https://idp.example');
SELECT pg_temp.forge('{"alg":"HS256"}', '{"iss":"https://idp.example","exp":4000000001}', pg_temp.secret(1)) AS fresh \gset
SELECT pg_temp.words(:'fresh'), pg_temp.words(pg_temp.token(1, 'k1'));
SELECT jwt.set_key_status('k17', 'revoked', 'https://idp.example');
SELECT pg_temp.words(:'fresh'), pg_temp.words(pg_temp.token(17)), pg_temp.words(pg_temp.token(17, 'k17'));
-- keys out of their time do not count, at the time that is asked for
SELECT jwt.import_key(jwt.jwk_from_secret(pg_temp.secret(18), 'HS256', 'k18'), issuer => 'https://idp.example');
SELECT pg_temp.words(pg_temp.token(18));
SELECT jwt.set_key_times('k16', NULL, now() - interval '1 hour', 'https://idp.example');
SELECT pg_temp.words(pg_temp.token(18)), pg_temp.words(pg_temp.token(16)), pg_temp.words(pg_temp.token(16), as_of => now() - interval '2 hours');
SELECT jwt.set_key_times('k15', NULL, now() - interval '3 hours', 'https://idp.example');
SELECT pg_temp.words(pg_temp.token(18)), pg_temp.words(pg_temp.token(16)), pg_temp.words(pg_temp.token(16), as_of => now() - interval '2 hours');
SELECT jwt.set_key_times('k15', now() + interval '1 hour', NULL, 'https://idp.example'), jwt.set_key_times('k16', NULL, NULL, 'https://idp.example');
SELECT pg_temp.words(pg_temp.token(15)), pg_temp.words(pg_temp.token(15), as_of => now() + interval '2 hours'), pg_temp.words(pg_temp.token(16));
SELECT jwt.set_key_times('k15', NULL, NULL, 'https://idp.example'), jwt.drop_key('k18', 'https://idp.example');
-- what is remembered is that of one issuer and algorithm, until a key changes
SELECT pg_temp.words(pg_temp.token(2)), pg_temp.words(pg_temp.forge('{"alg":"HS256"}', '{"exp":4000000000}', pg_temp.secret(2)));
SELECT pg_temp.words(jwt.sign_with('{"iss":"https://idp.example"}', jwt.jwk_from_secret(repeat('x', 48), 'HS384'), '1 hour')), pg_temp.words(pg_temp.token(2) || 'x'), pg_temp.words(pg_temp.forge('{"alg":"HS256"}', '{"iss":"https://idp.example","exp":4000000002}', pg_temp.secret(2)));
BEGIN;
SELECT jwt.set_key_status('k2', 'revoked', 'https://idp.example');
SELECT pg_temp.words(pg_temp.forge('{"alg":"HS256"}', '{"iss":"https://idp.example","exp":4000000003}', pg_temp.secret(2)));
ROLLBACK;
SELECT pg_temp.words(pg_temp.forge('{"alg":"HS256"}', '{"iss":"https://idp.example","exp":4000000003}', pg_temp.secret(2)));
-- with a kid that key alone
SELECT pg_temp.words(pg_temp.token(1, 'k2')), pg_temp.words(pg_temp.token(1, 'k18'));
-- and no key of ours signs for them, nor theirs for us
SELECT pg_temp.words(pg_temp.token(1, 'k1', NULL));
SELECT jwt.import_key(jwt.jwk_from_secret(pg_temp.secret(99), 'HS256', 'k1'));
SELECT pg_temp.words(pg_temp.token(99, 'k1', NULL)), pg_temp.words(pg_temp.token(99, 'k1')), pg_temp.words(pg_temp.token(1, 'k1', NULL)), pg_temp.words(pg_temp.token(1, 'k1'));
-- two issuers share a kid: two keys
SELECT jwt.trust_issuer('https://other.example', '{*}', subject_prefix => 'other:');
SELECT jwt.import_key(jwt.jwk_from_secret(pg_temp.secret(50), 'HS256', 'k1'), issuer => 'https://other.example');
SELECT pg_temp.words(pg_temp.token(50, 'k1', 'https://other.example')), pg_temp.words(pg_temp.token(1, 'k1', 'https://other.example')), pg_temp.words(pg_temp.token(50, 'k1'));
SELECT jwt.drop_key('k1', 'https://other.example');
SELECT pg_temp.words(pg_temp.token(50, 'k1', 'https://other.example')), pg_temp.words(pg_temp.token(1, 'k1')), pg_temp.words(pg_temp.token(99, 'k1', NULL));
-- a private key of another issuer is none of our business
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, issuer => ''https://idp.example'')', :'ed'));
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, issuer => ''https://idp.example'')', :'ed'::jsonb - 'd'));
DELETE FROM jwt.key_store;

--
-- import_jwks
--
\set p1 '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'
\set signer_private '{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}'
SELECT :'signer_private'::jsonb - '{d,p,q,dp,dq,qi}'::text[] AS signer \gset
SET client_min_messages = notice;
SELECT jwt.import_key(:'p1', 'same kid');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"a"}', :'rsa'::jsonb, :'ed'::jsonb - 'd')), 'https://idp.example');
SELECT * FROM pg_temp.keys();
-- again: nothing changes
SELECT array_agg(xmin::text ORDER BY kid) AS rows FROM jwt.key_store \gset
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"a"}', :'rsa'::jsonb, :'ed'::jsonb - 'd')), 'https://idp.example');
SELECT array_agg(xmin::text ORDER BY kid) = :'rows' AS untouched FROM jwt.key_store;
-- replaced: what has vanished is revoked, what is new comes, ours stays
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"b"}', :'rsa'::jsonb)), 'https://idp.example');
SELECT kid, issuer, status FROM pg_temp.keys();
-- it comes back
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"a"}')), 'https://idp.example');
SELECT kid, issuer, status FROM pg_temp.keys();
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"c"}')), 'https://idp.example', keep_missing => true);
SELECT kid, issuer, status FROM pg_temp.keys();
-- a kid whose key is another one now
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'ed'::jsonb - 'd' || '{"kid":"c"}')), 'https://idp.example', true);
SELECT kty, public_jwk->>'crv' AS crv FROM jwt.keys WHERE kid = 'c';
-- unknown and malformed members are skipped, repeated ones are one
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"a"}', '{"kty":"new"}'::jsonb)), 'https://idp.example');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"a"}', :'p1'::jsonb || '{"kid":"a","use":"sig"}',
    :'p1'::jsonb || '{"kid":"enc","use":"enc"}', '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}'::jsonb, 1, null, 'x', '[]'::jsonb)), 'https://idp.example');
SELECT kid, issuer, status FROM pg_temp.keys() WHERE status <> 'revoked';
-- a name that was revoked by hand stays so, whatever is published by it, and is not counted
SELECT jwt.set_key_status('a', 'revoked', 'https://idp.example');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"a"}', :'rsa'::jsonb)), 'https://idp.example');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'ed'::jsonb - 'd' || '{"kid":"a"}')), 'https://idp.example');
SELECT kid, status, kty FROM jwt.keys WHERE issuer IS NOT NULL AND kid IN ('a', '2011-04-29') ORDER BY kid;
SELECT jwt.drop_key('a', 'https://idp.example');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'ed'::jsonb - 'd' || '{"kid":"a"}')), 'https://idp.example');
SELECT kid, status, kty FROM jwt.keys WHERE issuer IS NOT NULL AND kid IN ('a', '2011-04-29') ORDER BY kid;
-- one key for two algorithms, in any order: which of them is the issuer's to say
SELECT jwt.trust_issuer('https://two.example', '{*}', subject_prefix => 'two:');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'signer'::jsonb || '{"kid":"r","alg":"PS256"}', :'signer'::jsonb || '{"kid":"r","alg":"RS256"}', :'p1'::jsonb || '{"kid":"e","alg":"ES256"}', :'p1'::jsonb || '{"kid":"e","alg":"ES256","use":"sig"}')), 'https://two.example');
SELECT array_agg(xmin::text ORDER BY kid) AS rows FROM jwt.key_store \gset
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"e","alg":"ES256"}', :'signer'::jsonb || '{"kid":"r","alg":"RS256"}', :'signer'::jsonb || '{"kid":"r","alg":"PS256"}', :'signer'::jsonb || '{"kid":"r","alg":"RS256"}')), 'https://two.example');
SELECT array_agg(xmin::text ORDER BY kid) = :'rows' AS untouched FROM jwt.key_store;
SELECT kid, alg, public_jwk ? 'alg' AS in_jwk FROM jwt.keys WHERE issuer = 'https://two.example' ORDER BY kid;
CREATE FUNCTION pg_temp.signed(alg text, jwk jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT jwt.sign_with('{"iss":"https://two.example","sub":"42"}', jwk || jsonb_build_object('kid', 'r', 'alg', alg), '1 hour')
$$;
SELECT alg, left(pg_temp.words(pg_temp.signed(alg, :'signer_private')), 38) FROM unnest('{RS256,PS256,RS384}'::text[]) alg;
SELECT jwt.trust_issuer('https://two.example', '{*}', subject_prefix => 'two:', algorithms => '{RS256,PS256}');
SELECT alg, left(pg_temp.words(pg_temp.signed(alg, :'signer_private')), 38) FROM unnest('{RS256,PS256,RS384}'::text[]) alg;
SELECT pg_temp.try($$SELECT jwt.distrust_issuer('https://two.example')$$);
DELETE FROM jwt.key_store WHERE issuer = 'https://two.example';
-- refused as a whole, and then nothing has changed
SELECT what, pg_temp.try(format('SELECT jwt.import_jwks(%L, ''https://idp.example'')',
       replace(replace(replace(set, '<good>', (:'p1'::jsonb || '{"kid":"p"}')::text), '<private>', :'ed'), '<rsa>', :'rsa')))
  FROM (VALUES ('secret', '{"keys":[<good>,{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}'), ('private', '{"keys":[<good>,<private>]}'),
               ('empty', '{"keys":[]}'), ('nothing usable', '{"keys":[{"kty":"new"}]}'), ('no keys', '{}'), ('no array', '{"keys":{}}'),
               ('one JWK', '<rsa>'), ('no object', '[]')) v (what, set);
SELECT pg_temp.try(format('SELECT jwt.import_jwks(%L, ''https://idp.example'')',
       jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb || '{"kid":"x"}', :'rsa'::jsonb || '{"kid":"x"}'))));
SELECT pg_temp.try(format('SELECT jwt.import_jwks(%L, NULL)', '{"keys":[]}'));
SELECT pg_temp.try(format('SELECT jwt.import_jwks(%L, '''')', '{"keys":[]}'));
SELECT pg_temp.try('SELECT jwt.import_jwks(NULL, ''https://idp.example'')');
SELECT pg_temp.try(format('SELECT jwt.import_jwks(jsonb_build_object(''keys'', (SELECT jsonb_agg(%L::jsonb) FROM generate_series(1, 1001))), ''https://idp.example'')', :'p1'));
SET jwt_auth.issuer = 'https://db.example';
SELECT pg_temp.try(format('SELECT jwt.import_jwks(%L, ''https://db.example'')', jsonb_build_object('keys', jsonb_build_array(:'p1'::jsonb))));
RESET jwt_auth.issuer;
SELECT kid, issuer, status FROM pg_temp.keys() WHERE status <> 'revoked';
SET client_min_messages = warning;

--
-- Conversions
--
-- both ways, private and public
SELECT k.alg, jwt.jwk_from_pem(jwt.jwk_to_pem(k.jwk)) @> (k.jwk - 'alg' - 'use' - 'kid' - 'key_ops') AS same, split_part(jwt.jwk_to_pem(k.jwk), E'\n', 1) AS begins
  FROM (VALUES ('ed', :'ed'::jsonb), ('ed public', :'ed'::jsonb - 'd'), ('p1', :'p1'::jsonb), ('rsa', :'rsa'::jsonb)) k (alg, jwk);
SELECT jwt.jwk_from_pem(jwt.jwk_to_pem(:'ed'), kid => 'x', alg => 'EdDSA');
SELECT jwt.jwk_from_pem(jwt.jwk_to_pem(:'rsa'), alg => 'PS384') - 'n';
SELECT pg_temp.try(format('SELECT jwt.jwk_from_pem(jwt.jwk_to_pem(%L), alg => ''ES256'')', :'rsa'));
SELECT pg_temp.try(format('SELECT jwt.jwk_from_pem(jwt.jwk_to_pem(%L), alg => ''HS256'')', :'rsa'));
SELECT pg_temp.try(format('SELECT jwt.jwk_from_pem(%L)', replace(jwt.jwk_to_pem(:'rsa'), 'PUBLIC', 'PUBIC')));
SELECT pg_temp.try($$SELECT jwt.jwk_from_pem('')$$);
SELECT pg_temp.try($$SELECT jwt.jwk_from_pem('secret')$$);
SELECT pg_temp.try($$SELECT jwt.jwk_from_pem(NULL)$$);
SELECT pg_temp.try($$SELECT jwt.jwk_to_pem('{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}')$$);
SELECT pg_temp.try($$SELECT jwt.jwk_to_pem('{}')$$);
-- SEC1, PKCS#1, encrypted, certificate: made with openssl
\set pem_sec1 '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIGEWJVbgehfJHSFKv3zx/Xwcu66a41jurN90melBVWx1oAoGCCqGSM49\nAwEHoUQDQgAEUUIhdYFhACOtAJk0UY5uY8MZqvqfbieyf5KnvtAJIjgpcDrngVIX\n30r3mKCm9Bn8n8eZ6QhFz4P0QfZMRwENCA==\n-----END EC PRIVATE KEY-----'
\set pem_p8 '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYRYlVuB6F8kdIUq/\nfPH9fBy7rprjWO6s33SZ6UFVbHWhRANCAARRQiF1gWEAI60AmTRRjm5jwxmq+p9u\nJ7J/kqe+0AkiOClwOueBUhffSveYoKb0Gfyfx5npCEXPg/RB9kxHAQ0I\n-----END PRIVATE KEY-----'
\set pem_pub '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUUIhdYFhACOtAJk0UY5uY8MZqvqf\nbieyf5KnvtAJIjgpcDrngVIX30r3mKCm9Bn8n8eZ6QhFz4P0QfZMRwENCA==\n-----END PUBLIC KEY-----'
\set pem_cert '-----BEGIN CERTIFICATE-----\nMIIBcDCCARWgAwIBAgIUEI2eRN+pF7d2Xcm2FzMJjBTVEOQwCgYIKoZIzj0EAwIw\nDDEKMAgGA1UEAwwBeDAgFw0yNjExMjMyMjU2MThaGA8yMTI2MTAzMDIyNTYxOFow\nDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFFCIXWBYQAj\nrQCZNFGObmPDGar6n24nsn+Sp77QCSI4KXA654FSF99K95igpvQZ/J/HmekIRc+D\n9EH2TEcBDQijUzBRMB0GA1UdDgQWBBTILTbrLVN12tlc/5bEjuF6qTA32jAfBgNV\nHSMEGDAWgBTILTbrLVN12tlc/5bEjuF6qTA32jAPBgNVHRMBAf8EBTADAQH/MAoG\nCCqGSM49BAMCA0kAMEYCIQC7R5MZwlgCVPjahqdGXTosD9PH/35BpCet+yO+xdo6\nLwIhALEYpW5sh1LlPFlzOjyUAGgdCsilSyQ7Py4jJlmPb8hn\n-----END CERTIFICATE-----'
\set pem_enc '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgvaSGCD/5IcgICCAAw\nDAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEF2Ck62sGcYqrBIS4xBCUEoEgZCH\nq7vycy+6zo2rWzEnHMTtN3bJWzp4p/DwUYTJpN4MaCD9mJdtPCuzVGis48u0LGVC\n9rDUJEfTPxMDlfucRwc4jUcfWEU/B3pL9bcBsO58aeAveH/2UuTQq5QeN/oa+O7Z\nNCWuInWB1yAiQ/upXD+OOP7zv01vf5g9dXw2Vvy1ZEvVjGbOl/OYXpjprHiqItg=\n-----END ENCRYPTED PRIVATE KEY-----'
SELECT jwt.jwk_from_pem(:'pem_sec1') = jwt.jwk_from_pem(:'pem_p8') AS sec1, jwt.jwk_from_pem(:'pem_cert') = jwt.jwk_from_pem(:'pem_pub') AS cert,
       jwt.jwk_from_pem(:'pem_p8') - 'd' = jwt.jwk_from_pem(:'pem_pub') AS pub, jwt.jwk_to_pem(jwt.jwk_from_pem(:'pem_sec1')) = :'pem_p8' || E'\n' AS back;
SELECT jwt.jwk_from_pem(:'pem_pub') ? 'd' AS private, jwt.jwk_from_pem(E'text before\n' || replace(:'pem_pub', E'\n', E'\r\n')) = jwt.jwk_from_pem(:'pem_pub') AS crlf;
SELECT pg_temp.try(format('SELECT jwt.jwk_from_pem(%L)', :'pem_enc'));
-- jwk_from_secret: bytes, never a key in disguise
SELECT jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', 'HS256', 'x') AS text, jwt.jwk_from_secret('\x3031323334353637383961626364656630313233343536373839616263646566'::bytea) AS bytea;
SELECT what, pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::text) IS NOT NULL', secret)), pg_temp.try(format('SELECT jwt.jwk_from_secret(%L::bytea) IS NOT NULL', convert_to(secret, 'UTF8')))
  FROM (VALUES ('32 bytes', repeat('x', 32)), ('31 bytes', repeat('x', 31)), ('none', ''), ('public PEM', :'pem_pub'), ('private PEM', :'pem_p8'), ('certificate', :'pem_cert'),
               ('PEM behind a blank', E'\n ' || :'pem_pub'), ('PEM that is none', '-----BEGIN xxxxxxxxxxxxxxxxxxxxxxx'), ('ssh', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
               ('ecdsa', 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY='), ('JWK', '{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}'), ('JWKS', '{"keys":[]}                          '),
               ('JSON behind a blank', '  {"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0"}'), ('array', '[{"kty":"oct"}]                        '), ('brace', '{ this is a pass phrase with a brace in front')) v (what, secret);
SELECT alg, pg_temp.try(format('SELECT jwt.jwk_from_secret(repeat(''x'', %s), %L) IS NOT NULL', n, alg))
  FROM (VALUES ('HS384', 47), ('HS384', 48), ('HS512', 63), ('HS512', 64), ('HS256', 4096), ('HS256', 4097), ('RS256', 64), ('none', 64), ('hs256', 64)) v (alg, n);
SELECT pg_temp.try('SELECT jwt.jwk_from_secret(NULL::text)');
-- a public key's text, taken for a secret in a JWK, is refused as well
SELECT pg_temp.try(format('SELECT jwt.import_key(%L, ''confused'')', jsonb_build_object('kty', 'oct', 'alg', 'HS256', 'k', pg_temp.base64url(:'pem_pub'))));
SELECT pg_temp.try(format('SELECT jwt.sign_with(''{}'', %L)', jsonb_build_object('kty', 'oct', 'alg', 'HS256', 'k', pg_temp.base64url(:'pem_pub'))));

--
-- What can go wrong with what is stored
--
DELETE FROM jwt.key_store;
SELECT pg_temp.try('SELECT jwt.rotate_key()');
SELECT jwt.rotate_key('HS256') IS NOT NULL AS made;
SELECT jwt.rotate_key() IS NOT NULL AS made;
-- more keys than the cache holds
SET jwt_auth.cache_size = 16;
SELECT count(jwt.generate_key('HS256', 'many ' || n, 'current')) FROM generate_series(1, 20) n;
UPDATE jwt.key_store SET status = 'previous';
CREATE TABLE pg_temp.many AS SELECT n, pg_temp.mac(pg_temp.base64url(jsonb_build_object('alg', 'HS256', 'kid', 'many ' || n)::text) || '.' || pg_temp.base64url('{"exp":4000000000}'), 'x') AS wrong,
       pg_temp.base64url(jsonb_build_object('alg', 'HS256', 'kid', 'many ' || n)::text) || '.' || pg_temp.base64url('{"exp":4000000000}') AS input FROM generate_series(1, 20) n;
SELECT pg_temp.verdict(wrong), pg_temp.verdict(input || '.' || pg_temp.base64url(pg_temp.hmac(convert_to(input, 'UTF8'), secret))), count(*)
  FROM pg_temp.many JOIN jwt.key_store ON kid = 'many ' || n, generate_series(1, 2) GROUP BY 1, 2;
RESET jwt_auth.cache_size;
-- a key that today's limits refuse signs no more
DELETE FROM jwt.key_store;
SELECT jwt.import_key('{"kty":"RSA","kid":"rsa","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}');
SELECT jwt.sign('{}', 'rsa') AS token \gset
SELECT pg_temp.words(:'token'), (pg_temp.words(:'token') = 'ok') AS cached;
SET jwt_auth.min_rsa_bits = 3072;
SELECT pg_temp.try($$SELECT jwt.sign('{}', 'rsa')$$);
SELECT pg_temp.words(:'token');
RESET jwt_auth.min_rsa_bits;
SELECT pg_temp.try($$SELECT jwt.sign('{}', 'rsa') IS NOT NULL$$), pg_temp.words(:'token');
-- words that this version does not know: as good as revoked, and no crash
BEGIN;
ALTER TABLE jwt.key_store DROP CONSTRAINT key_store_status_check, DROP CONSTRAINT key_store_kty_check;
UPDATE jwt.key_store SET status = 'resting';
SELECT pg_temp.words(:'token'), pg_temp.try($$SELECT jwt.sign('{}', 'rsa')$$);
UPDATE jwt.key_store SET status = 'current', alg = 'RS1';
SELECT pg_temp.words(:'token'), pg_temp.try($$SELECT jwt.set_key_status('rsa', 'previous')$$);
UPDATE jwt.key_store SET alg = 'RS256', kty = 'XYZ';
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', :'token'));
ROLLBACK;
SELECT pg_temp.words(:'token');
-- who publishes all tables, our schema or our table publishes the keys, and is told so
SET client_min_messages = error;
CREATE TABLE regress_jwt_published (a integer);
CREATE PUBLICATION regress_jwt_some FOR TABLE regress_jwt_published;
SET client_min_messages = warning;
SELECT jwt.generate_key('HS256', 'quiet');
SET client_min_messages = error;
CREATE PUBLICATION regress_jwt_all FOR ALL TABLES;
SET client_min_messages = warning;
SELECT jwt.generate_key('HS256', 'loud');
SELECT jwt.import_key('{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}', 'public, quiet');
SET client_min_messages = error;
DROP PUBLICATION regress_jwt_all;
CREATE PUBLICATION regress_jwt_all FOR TABLES IN SCHEMA jwt;
SET client_min_messages = warning;
SELECT jwt.generate_key('HS256', 'loud, too');
SET client_min_messages = error;
DROP PUBLICATION regress_jwt_all;
CREATE PUBLICATION regress_jwt_all FOR TABLE jwt.key_store;
SET client_min_messages = warning;
SELECT jwt.generate_key('HS256', 'loud as well');
ALTER PUBLICATION regress_jwt_all SET TABLE jwt.event_store;
SELECT jwt.generate_key('HS256', 'quiet again');
DROP PUBLICATION regress_jwt_some, regress_jwt_all;
DROP TABLE regress_jwt_published;
-- key_ops: an array of strings, none twice, not too many
SELECT ops, pg_temp.try(format('SELECT jwt.import_key(%L, ''ops'', status => ''previous'') FROM (SELECT jwt.drop_key(kid) FROM jwt.keys WHERE kid = ''ops'') x RIGHT JOIN (VALUES (1)) y ON true',
       '{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}'::jsonb || jsonb_build_object('key_ops', ops)))
  FROM jsonb_array_elements('[["sign","verify"], ["verify","x","x"], ["verify","verify"], ["verify",1], {"a":"verify"}, ["verify","1","2","3","4","5","6","7"], ["verify","1","2","3","4","5","6","7","8"]]') ops;

-- a row that violates a constraint is not shown, because it holds secrets
SELECT jwt.generate_key('HS256', 'shy');
SELECT statement, pg_temp.try(statement)
  FROM unnest(ARRAY[
      $$UPDATE jwt.key_store SET status = 'bad' WHERE kid = 'shy'$$,
      $$UPDATE jwt.key_store SET kty = NULL WHERE kid = 'shy'$$,
      $$UPDATE jwt.key_store SET alg = NULL WHERE kid = 'shy'$$,
      $$UPDATE jwt.key_store SET secret = NULL WHERE kid = 'shy'$$,
      $$INSERT INTO jwt.key_store SELECT issuer, '', alg, kty, 'standby', may_sign, public_jwk, secret FROM jwt.key_store WHERE kid = 'shy'$$,
      $$INSERT INTO jwt.key_store SELECT issuer, 'shy too', alg, kty, status, NULL, public_jwk, secret FROM jwt.key_store WHERE kid = 'shy'$$,
      $$INSERT INTO jwt.key_store SELECT issuer, 'shy too', alg, kty, 'standby', may_sign, public_jwk, secret FROM jwt.key_store WHERE kid = 'shy'$$,
      $$UPDATE jwt.key_store SET status = 'previous' WHERE kid = 'shy'$$]) statement;
SELECT jwt.open_session('42') IS NOT NULL AS opened;
SELECT pg_temp.try('UPDATE jwt.session_store SET subject = NULL'), pg_temp.try('UPDATE jwt.session_store SET client = NULL');
ALTER TABLE jwt.key_store ADD CONSTRAINT of_others CHECK (kid <> 'mine');
SELECT pg_temp.try($$SELECT jwt.generate_key('HS256', 'mine')$$), pg_temp.try($$SELECT jwt.generate_key('HS256', 'yours')$$);
ALTER TABLE jwt.key_store DROP CONSTRAINT of_others;
SELECT pg_temp.try('SELECT jwt.check_row()');

DROP EXTENSION jwt_auth CASCADE;
