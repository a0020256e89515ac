-- Input that is no token, or a token with a fault: each fault has an error of
-- its own, and each has a neighbour that is accepted.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
SELECT pg_backend_pid() AS pid \gset

\set secret 0123456789abcdef0123456789abcdef
SELECT jwt.jwk_from_secret(:'secret', 'HS256', 'k') AS jwk \gset
SELECT jwt.import_key(:'jwk');
CREATE FUNCTION pg_temp.claimed(claims text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.forge('{"alg":"HS256","kid":"k"}', claims, '0123456789abcdef0123456789abcdef')
$$;
CREATE FUNCTION pg_temp.headed(header text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.forge(header, '{"exp":4000000000}', '0123456789abcdef0123456789abcdef')
$$;
SELECT pg_temp.claimed('{"sub":"42","exp":4000000000}') AS good \gset
SELECT pg_temp.words(:'good');
SELECT split_part(:'good', '.', 1) AS h, split_part(:'good', '.', 2) AS c, split_part(:'good', '.', 3) AS s \gset

--
-- Shape
--
SELECT pg_temp.words(NULL), pg_temp.words('');
SELECT pg_temp.words(' '), pg_temp.words('x');
SELECT token, pg_temp.words(replace(replace(replace(token, '<h>', :'h'), '<c>', :'c'), '<s>', :'s'))
  FROM (VALUES ('<h>.<c>.<s>'), ('<h>.<c>'), ('<h>.<c>.'), ('<h>'), ('.<c>.<s>'), ('<h>..<s>'), ('..'), ('.'), ('...'), ('<h>.<c>.<s>.'), ('.<h>.<c>.<s>'),
               ('<h>.<c>.<s>.<s>'), ('<h>.<c>.<s>.<s>.<s>'), ('<h>.<c>.<c>.<s>.<s>'), ('<h>.<c> <s>'), ('<h>. <c>.<s>'), ('<h>.<c>.<s> '), (' <h>.<c>.<s>'), (E'<h>.<c>.<s>\n'),
               (E'<h>.\t<c>.<s>'), ('Bearer <h>.<c>.<s>'), ('"<h>.<c>.<s>"'), ('<h>.<c>.<s>='), ('<h>=.<c>.<s>'), ('<h>.<c>==.<s>'), ('<h>.<c>.<s>+'), ('<h>.<c>.<s>/'),
               ('<h>.<c>.é'), ('<h>,<c>,<s>')) v (token);
-- cut after any character, in the header and in claims with and without an escape
SELECT count(*), string_agg(DISTINCT (jwt.try_verify(pg_temp.base64url(left(json, i)) || '.' || :'c' || '.' || :'s')).error_code, ',') AS header,
       string_agg(DISTINCT (jwt.try_verify(:'h' || '.' || pg_temp.base64url(left(json, i)) || '.' || :'s')).error_code, ',') AS claims
  FROM (VALUES ('{"alg":"HS256","a":[1,-2.5e3,true],"b":{"c":null,"":""},"typ":"JWT"}'), ('{"alg":"HS256", "a" : [ "\u00e9", {} ] , "typ" : "J\\WT" }')) v (json),
       generate_series(1, length(json) - 1) i;
-- the JSON serializations of RFC 7515
SELECT pg_temp.words(jsonb_build_object('protected', :'h', 'payload', :'c', 'signature', :'s')::text);
-- the last character of 32 bytes has two bits that must be 0; of 4n + 1 none is a whole byte
SELECT right(:'s', 1) ~ '[AEIMQUYcgkosw048]' AS canonical,
       pg_temp.words(:'h' || '.' || :'c' || '.' || left(:'s', -1) || translate(right(:'s', 1), 'AEIMQUYcgkosw048', 'BFJNRVZdhlptx159')),
       pg_temp.words(:'h' || '.' || :'c' || '.' || :'s' || 'AA');
SELECT pg_temp.words(left(:'good', -1)), pg_temp.words(left(:'good', -2));
-- a payload with such bits, whose MAC is right
SELECT pg_temp.base64url('{"exp":4000000000} ') AS ok, pg_temp.base64url('{"exp":4000000000}  ') AS tail \gset
SELECT pg_temp.words(pg_temp.mac(:'h' || '.' || :'tail', :'secret')),
       pg_temp.words(pg_temp.mac(:'h' || '.' || left(:'tail', -1) || 'B', :'secret')),
       pg_temp.words(pg_temp.mac(:'h' || '.' || :'tail' || '=', :'secret')),
       pg_temp.words(pg_temp.mac(:'h' || '.' || left(:'tail', -2), :'secret'));
-- the other alphabet
SELECT pg_temp.words(pg_temp.mac(:'h' || '.' || pg_temp.base64url('{"exp":4000000000,"x":"???"}'), :'secret')),
       pg_temp.words(pg_temp.mac(:'h' || '.' || translate(pg_temp.base64url('{"exp":4000000000,"x":"???"}'), '-_', '+/'), :'secret'));

--
-- Size
--
-- a signature longer than any is
SELECT pg_temp.words(:'h' || '.' || :'c' || '.' || repeat('A', 6000)), pg_temp.words(:'h' || '.' || :'c' || '.' || repeat('A', 5999) || '=');
SELECT pg_temp.words(repeat('.', 1048576));
SELECT pg_temp.words(repeat('a', 16385)), pg_temp.words(repeat('a', 16384));
SELECT octet_length(jwt.sign(jsonb_build_object('x', repeat('x', 12000)))) AS length,
       pg_temp.words(jwt.sign(jsonb_build_object('x', repeat('x', 12000))));
SELECT pg_temp.try($$SELECT jwt.sign(jsonb_build_object('x', repeat('x', 12300)))$$);
SET jwt_auth.max_token_size = '1MB';
SELECT pg_temp.words(jwt.sign(jsonb_build_object('x', repeat('x', 12300))));
SELECT pg_temp.words(repeat('.', 1048576));
SELECT pg_temp.words(repeat('.', 1048577));

--
-- JSON
--
SELECT claims, pg_temp.words(pg_temp.claimed(claims))
  FROM (VALUES ('{"exp":4000000000}'), (' {"exp":4000000000} '), (E'\n{"exp"\t:\r\n4000000000}'), (''), (' '), ('{'), ('}'),
               ('{}'), ('[]'), ('[{"exp":4000000000}]'), ('null'), ('true'), ('1'), ('"x"'), ('{"exp":4000000000}{}'),
               ('{"exp":4000000000},'), ('{"exp":4000000000,}'), ('{exp:4000000000}'), ('{''exp'':4000000000}'),
               ('{"exp":4000000000 /* x */}'), ('{"exp":4000000000}x'), ('{"exp":04000000000}'), ('{"exp":+4000000000}'),
               ('{"exp":0xEE6B2800}'), ('{"exp":4000000000.}'), ('{"exp":4000000000.0}'), ('{"exp":4E9}'), ('{"exp":.4e10}'),
               ('{"exp":NaN}'), ('{"exp":Infinity}')) v (claims);
-- bytes: a byte order mark, NUL, Latin-1, overlong, surrogate, cut off
CREATE FUNCTION pg_temp.bytes(bytes bytea) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.mac(pg_temp.base64url('{"alg":"HS256","kid":"k"}') || '.' || pg_temp.base64url(bytes), '0123456789abcdef0123456789abcdef')
$$;
SELECT what, pg_temp.words(pg_temp.bytes(bytes || '{"exp":4000000000,"x":"' || inside || '"}')),
       pg_temp.words(pg_temp.mac(pg_temp.base64url(bytes || '{"alg":"HS256","kid":"k","x":"' || inside || '"}') || '.' || pg_temp.base64url('{"exp":4000000000}'), :'secret'))
  FROM (VALUES ('plain', ''::bytea, 'x'::bytea), ('two bytes', '', '\xc3a9'), ('four bytes', '', '\xf09f9880'),
               ('Latin-1', '', '\xe9'), ('overlong', '', '\xc0af'), ('surrogate', '', '\xeda080'),
               ('above U+10FFFF', '', '\xf4908080'), ('cut off', '', '\xf09f98'), ('NUL', '', '\x00'), ('DEL', '', '\x7f'),
               ('byte order mark', '\xefbbbf', ''), ('NUL in front', '\x00', '')) v (what, bytes, inside);
-- escapes
SELECT claims, pg_temp.words(pg_temp.claimed(claims))
  FROM (VALUES ('{"exp":4000000000,"x":"\u0041"}'), ('{"exp":4000000000,"x":"\u0000"}'), ('{"exp":4000000000,"\u0000":1}'),
               ('{"exp":4000000000,"x":"\ud83d\ude00"}'), ('{"exp":4000000000,"x":"\ud83d"}'), ('{"exp":4000000000,"x":"\ude00"}'),
               ('{"exp":4000000000,"x":"\u00"}'), ('{"exp":4000000000,"x":"\x"}'), ('{"\u0065xp":4000000000}'),
               ('{"exp":4000000000,"x":"' || chr(10) || '"}')) v (claims);
-- the same member twice, at any level
SELECT claims, pg_temp.words(pg_temp.claimed(claims))
  FROM (VALUES ('{"exp":4000000000,"sub":"a","SUB":"b"}'), ('{"exp":4000000000,"sub":"a","sub":"b"}'),
               ('{"exp":4000000000,"sub":"a","sub":"a"}'), ('{"exp":4000000000,"exp":5000000000}'),
               ('{"exp":4000000000,"\u0065xp":5000000000}'), ('{"exp":4000000000,"x":{"a":1,"b":1}}'),
               ('{"exp":4000000000,"x":{"a":1,"a":1}}'), ('{"exp":4000000000,"x":[{"a":1},{"a":1}]}'),
               ('{"exp":4000000000,"x":[[{"a":1,"a":1}]]}'), ('{"exp":4000000000,"":1}'), ('{"exp":4000000000,"":1,"":1}')) v (claims);
SELECT header, pg_temp.words(pg_temp.headed(header))
  FROM (VALUES ('{"alg":"HS256","kid":"k"}'), ('{"alg":"HS256","kid":"k","kid":"k"}'), ('{"alg":"none","alg":"HS256","kid":"k"}'),
               ('{"alg":"HS256","kid":"k","\u0061lg":"none"}'), ('{"alg":"HS256","kid":"k","x":{"y":1,"y":2}}')) v (header);
-- depth
SELECT n, pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":' || repeat('[', n) || repeat(']', n) || '}')) AS arrays,
       pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":' || repeat('{"x":', n) || '1' || repeat('}', n) || '}')) AS objects,
       pg_temp.words(pg_temp.headed('{"alg":"HS256","kid":"k","x":' || repeat('[', n) || repeat(']', n) || '}')) AS header
  FROM unnest('{1,62,63,64,65,1000}'::int[]) n;
SELECT pg_temp.words(jwt.jws_sign(convert_to(repeat('[', 100000) || repeat(']', 100000), 'UTF8'), :'jwk'));
SELECT pg_temp.words(jwt.jws_sign(convert_to(repeat('{"x":', 50000), 'UTF8'), :'jwk'));
SELECT pg_temp.words(pg_temp.base64url(repeat('[', 100000)) || '.e30.');
SELECT pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":"' || repeat('[', 100000) || '"}'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)', jwt.jws_sign(convert_to(repeat('[', 100000) || repeat(']', 100000), 'UTF8'), :'jwk'), :'jwk'));
SELECT pg_temp.try(format('SELECT jwt.decode_unverified(%L)', jwt.jws_sign(convert_to(repeat('[', 100000) || repeat(']', 100000), 'UTF8'), :'jwk')));
-- numbers
SELECT claims, pg_temp.words(pg_temp.claimed(claims))
  FROM (VALUES ('{"exp":4000000000,"x":1e131071}'), ('{"exp":4000000000,"x":1e-16383}'), ('{"exp":4000000000,"x":1e99999999999}'),
               ('{"exp":4000000000,"x":1e0000000000000000000001}'), ('{"exp":4000000000,"x":1e1000}'), ('{"exp":4000000000,"x":1e1001}'),
               ('{"exp":4000000000,"x":-0.0}'), ('{"exp":4000000000,"x":123456789012345678901234567890}')) v (claims);
SELECT pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":' || repeat('1', 1000) || '}')),
       pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":' || repeat('1', 100000) || '}'));

--
-- Claims of the wrong type; and members of other objects are not they
--
SELECT claims, pg_temp.words(pg_temp.claimed(claims))
  FROM (VALUES ('{"exp":"4000000000"}'), ('{"exp":true}'), ('{"exp":null}'), ('{"exp":[4000000000]}'), ('{"exp":{}}'),
               ('{"x":{"exp":4000000000}}'), ('{"exp":9e12}'), ('{"exp":1e13}'), ('{"exp":1e300}'), ('{"exp":1e400}'), ('{"exp":-1e400}'), ('{"exp":-1}'),
               ('{"exp":9223372036854775807}'), ('{"exp":18446744073709551616}'), ('{"exp":4000000000,"nbf":"0"}'), ('{"exp":4000000000,"nbf":null}'),
               ('{"exp":4000000000,"nbf":0}'), ('{"exp":4000000000,"nbf":-9e12}'), ('{"exp":4000000000,"iat":"0"}'), ('{"exp":4000000000,"iat":null}'), ('{"exp":4000000000,"iat":0}'),
               ('{"exp":4000000000,"sub":42}'), ('{"exp":4000000000,"sub":null}'), ('{"exp":4000000000,"sub":""}'),
               ('{"exp":4000000000,"jti":1}'), ('{"exp":4000000000,"jti":"1"}'), ('{"exp":4000000000,"aud":1}'), ('{"exp":4000000000,"aud":null}'),
               ('{"exp":4000000000,"aud":{"a":"b"}}'), ('{"exp":4000000000,"aud":["a",null]}'), ('{"exp":4000000000,"aud":[["a"]]}'),
               ('{"exp":4000000000,"aud":["a"]}'), ('{"exp":4000000000,"iss":null}'), ('{"exp":4000000000,"iss":1}'), ('{"exp":4000000000,"iss":[]}'),
               ('{"exp":4000000000,"iss":""}'), ('{"exp":4000000000,"sid":1}'), ('{"exp":4000000000,"auth_time":"x"}'), ('{"exp":4000000000,"role":1}')) v (claims);

--
-- The header
--
SELECT header, pg_temp.words(pg_temp.headed(header))
  FROM (VALUES ('{"alg":"HS256"}'), ('{"alg":"HS256","kid":"k"}'), ('{"alg":"HS256","kid":"k","typ":"JWT"}'), ('{"kid":"k"}'), ('{}'),
               ('{"alg":null}'), ('{"alg":1}'), ('{"alg":["HS256"]}'), ('{"alg":""}'), ('{"alg":"hs256"}'), ('{"alg":"HS256 "}'),
               ('{"alg":"HS256\u0000"}'), ('{"ALG":"HS256"}'), ('{"alg":"HS256","kid":1}'), ('{"alg":"HS256","kid":null}'), ('{"alg":"HS256","kid":""}'),
               ('{"alg":"HS256","kid":"K"}'), ('{"alg":"HS256","kid":"k "}'), ('{"alg":"HS256","kid":"k","typ":1}'), ('{"alg":"HS256","kid":"k","typ":null}'),
               ('{"alg":"HS256","kid":"k","crit":["exp"]}'), ('{"alg":"HS256","kid":"k","crit":[]}'), ('{"alg":"HS256","kid":"k","crit":null}'),
               ('{"alg":"HS256","kid":"k","crit":["b64"],"b64":true}'), ('{"alg":"HS256","kid":"k","b64":false}'), ('{"alg":"HS256","kid":"k","b64":"x"}'),
               ('{"alg":"HS256","kid":"k","b64":true}'), ('{"alg":"HS256","kid":"k","enc":"A128GCM"}'), ('{"alg":"HS256","kid":"k","zip":"DEF"}'),
               ('{"alg":"HS256","kid":"k","cty":"JWT"}'), ('["HS256"]'), ('"HS256"'), ('')) v (header);
-- a key that the token brings along is not believed, nor is one it points to
SELECT jwt.generate_key('ES256', 'ours');
SELECT jwt.jwk_from_secret('the attacker knows this secret of course') AS theirs \gset
SELECT extra, pg_temp.words(pg_temp.forge('{"alg":"HS256",' || extra || '}', '{"exp":4000000000}', 'the attacker knows this secret of course')),
       pg_temp.words(pg_temp.headed('{"alg":"HS256",' || extra || '}'))
  FROM (VALUES ('"jwk":' || :'theirs'), ('"kid":"k","jwk":' || :'theirs'), ('"kid":"k","jku":"https://evil.example/jwks"'),
               ('"kid":"k","x5u":"https://evil.example/cert"'), ('"kid":"k","x5c":["MIIB"]'), ('"kid":"k","x5t":"x"'), ('"kid":"../../dev/null"'),
               ('"kid":"k'' OR 1=1 --"')) v (extra);

--
-- The first fault wins: expired must not hide forged.  Each row has the
-- fault of its name and all that come after.
--
SELECT jwt.import_key(jwt.jwk_from_secret(:'secret', 'HS256', 'gone'), status => 'revoked');
SELECT jwt.trust_issuer('https://idp.example', '{api}', required_claims => '{exp,nonce}', subject_prefix => 'idp:', algorithms => '{HS256}', leeway => '0');
SELECT jwt.import_key(jwt.jwk_from_secret(:'secret', 'HS256', 'k'), issuer => 'https://idp.example');
SELECT jwt.import_key(jwt.jwk_from_secret(:'secret', 'HS256', 'gone'), issuer => 'https://idp.example', status => 'revoked');
SELECT jwt.revoke_subject('42', 'https://idp.example');
WITH claims (step, words) AS (VALUES
    (1, '{"iss":"https://nobody.example","sub":42,"exp":1,"nbf":3000000000}'),
    (2, '{"iss":"https://idp.example","sub":42,"exp":1,"nbf":3000000000}'),
    (3, '{"iss":"https://idp.example","sub":"42","exp":1,"nbf":3000000000,"iat":1}'),
    (4, '{"iss":"https://idp.example","sub":"42","exp":4000000000,"nbf":3000000000,"iat":1}'),
    (5, '{"iss":"https://idp.example","sub":"42","exp":4000000000,"nbf":1,"iat":1}'),
    (6, '{"iss":"https://idp.example","sub":"42","exp":4000000000,"nbf":1,"iat":1,"aud":"api"}'),
    (7, '{"iss":"https://idp.example","sub":"42","exp":4000000000,"nbf":1,"iat":1,"aud":"api","nonce":"n"}'),
    (8, '{"iss":"https://idp.example","sub":"43","exp":4000000000,"nbf":1,"iat":1,"aud":"api","nonce":"n"}'))
SELECT token.fault, pg_temp.words(token.token)
  FROM (SELECT 'shape' AS fault, 'x.' || pg_temp.base64url(words) || '.x' AS token FROM claims WHERE step = 1
        UNION ALL SELECT 'header', pg_temp.forge('{"alg":"none","crit":["x"]}', words, 'wrong') FROM claims WHERE step = 1
        UNION ALL SELECT 'issuer', pg_temp.forge('{"alg":"none","kid":"x"}', words, 'wrong') FROM claims WHERE step = 1
        UNION ALL SELECT 'algorithm', pg_temp.forge('{"alg":"none","kid":"x"}', words, 'wrong') FROM claims WHERE step = 2
        UNION ALL SELECT 'algorithm that the issuer has not', pg_temp.forge('{"alg":"HS384","kid":"x"}', words, 'wrong') FROM claims WHERE step = 2
        UNION ALL SELECT 'key', pg_temp.forge('{"alg":"HS256","kid":"x"}', words, 'wrong') FROM claims WHERE step = 2
        UNION ALL SELECT 'key revoked', pg_temp.forge('{"alg":"HS256","kid":"gone"}', words, 'wrong') FROM claims WHERE step = 2
        UNION ALL SELECT 'signature', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, 'wrong') FROM claims WHERE step = 2
        UNION ALL SELECT 'claim types', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 2
        UNION ALL SELECT 'exp', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 3
        UNION ALL SELECT 'nbf', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 4
        UNION ALL SELECT 'audience', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 5
        UNION ALL SELECT 'required claim', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 6
        UNION ALL SELECT 'revocation', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 7
        UNION ALL SELECT 'none', pg_temp.forge('{"alg":"HS256","kid":"k"}', words, :'secret') FROM claims WHERE step = 8) token;
-- role comes last: a revoked token with a role that is not allowed
SELECT pg_temp.try(format('SELECT jwt.authenticate(%L)', pg_temp.forge('{"alg":"HS256","kid":"k"}', '{"iss":"https://idp.example","sub":"42","exp":4000000000,"iat":1,"aud":"api","nonce":"n","role":"postgres"}', :'secret')));
-- an issuer that is no string is not an issuer
SELECT pg_temp.words(pg_temp.forge('{"alg":"HS256","kid":"k"}', '{"iss":["https://idp.example"],"sub":"43","exp":4000000000,"aud":"api","nonce":"n"}', :'secret'));
-- no issuer is no issuer of an empty name
SELECT pg_temp.verdict(jwt.sign('{}')), pg_temp.verdict(jwt.sign('{}'), issuer => ''), pg_temp.verdict(jwt.sign('{"iss":""}'), issuer => '');
-- the same second time round, when the token is known
SELECT pg_temp.words(:'good'), pg_temp.words(:'good', as_of => to_timestamp(4000000000));
SELECT pg_temp.words(:'good');

--
-- Nothing of a token gets into a message, and the backend lives
--
SELECT count(*) AS messages, count(*) FILTER (WHERE strpos(error, 'Zm9v') > 0 OR error ~ 'top secret') AS leaks
  FROM (VALUES ('Zm9vZm9v'), ('Zm9v.Zm9v.Zm9v'), (pg_temp.claimed('{"top secret":1,"top secret":2}')), (pg_temp.claimed('{"sub":"top secret","exp":1}')),
               (pg_temp.headed('{"alg":"HS256","kid":"top secret"}')), (pg_temp.claimed('{"jti":"top secret","exp":"top secret"}'))) v (token),
       LATERAL jwt.try_verify(v.token) WHERE NOT valid;
-- long names are cut, control characters shown
SELECT pg_temp.words(pg_temp.headed('{"alg":"' || repeat('é', 200) || '"}'));
SELECT pg_temp.words(pg_temp.headed('{"alg":"a\nb\u001b[2Jc"}'));
SELECT pg_backend_pid() = :pid AS alive, pg_temp.words(:'good');

-- brackets in a string are none, whatever is escaped in it
SELECT n, pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":"\"' || repeat('[', n) || '\\"}')) AS in_string,
       pg_temp.words(pg_temp.claimed('{"exp":4000000000,"x":"\"","y":' || repeat('[', n) || repeat(']', n) || '}')) AS behind_it
  FROM unnest('{63,64,1000}'::int[]) n;

--
-- Times before PostgreSQL's first
--
SELECT claims, pg_temp.words(pg_temp.claimed(claims))
  FROM (VALUES ('{"exp":-2.1e11}'), ('{"exp":-2.100001e11}'), ('{"exp":9.0e12}'), ('{"exp":9.000001e12}'), ('{"exp":4000000000,"nbf":-2.1e11}')) v (claims);
SELECT error ~ 'expired at 4686-.* BC, it is' AS shown FROM jwt.try_verify(pg_temp.claimed('{"exp":-2.1e11}'));

--
-- In a key set each member spoils itself alone, also by the name of another
--
\set ec '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'
\set ec2 '{"kty":"EC","crv":"P-256","x":"UUIhdYFhACOtAJk0UY5uY8MZqvqfbieyf5KnvtAJIjg","y":"KXA654FSF99K95igpvQZ_J_HmekIRc-D9EH2TEcBDQg"}'
\set rsa '{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}'
\set rsa_key '{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}'
SELECT jwt.sign_with('{"sub":"42"}', :'ec'::jsonb || '{"kid":"a","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}') AS named,
       jwt.jws_sign('{"sub":"42"}', :'ec'::jsonb || '{"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}') AS nameless \gset
CREATE TABLE pg_temp.sets (n integer GENERATED ALWAYS AS IDENTITY, what text, members jsonb);
INSERT INTO sets (what, members) VALUES
    ('alone', jsonb_build_array(:'ec'::jsonb)), ('unknown kty', jsonb_build_array('{"kty":"XX"}'::jsonb, :'ec'::jsonb)), ('no kty', jsonb_build_array(:'ec'::jsonb, '{}'::jsonb)),
    ('unknown crv', jsonb_build_array(:'ec2'::jsonb || '{"crv":"P-224"}', :'ec'::jsonb)), ('unknown alg', jsonb_build_array(:'ec2'::jsonb || '{"alg":"ECDH-ES"}', :'ec'::jsonb)),
    ('malformed', jsonb_build_array(:'ec2'::jsonb || '{"x":"AA"}', :'ec'::jsonb)), ('off the curve', jsonb_build_array(:'ec2'::jsonb || (:'ec'::jsonb - 'y'), :'ec'::jsonb)),
    ('use enc', jsonb_build_array(:'rsa'::jsonb || '{"use":"enc"}', :'ec'::jsonb || '{"use":"sig"}')), ('key_ops', jsonb_build_array(:'ec2'::jsonb || '{"key_ops":["deriveKey"]}', :'ec'::jsonb)),
    ('signs only', jsonb_build_array(:'ec2'::jsonb || '{"key_ops":["sign"]}', :'ec'::jsonb)), ('short secret', jsonb_build_array('{"kty":"oct","k":"AAAA"}'::jsonb, :'ec'::jsonb)),
    ('the same twice', jsonb_build_array(:'ec'::jsonb, :'ec'::jsonb || '{"use":"sig"}')), ('the same for two algorithms', jsonb_build_array(:'rsa'::jsonb || '{"use":"enc"}', :'ec'::jsonb || '{"alg":"ES256"}', :'ec'::jsonb)),
    ('nothing of use', jsonb_build_array('{"kty":"XX"}'::jsonb, :'rsa'::jsonb || '{"use":"enc"}')), ('the wrong one twice', jsonb_build_array(:'ec2'::jsonb, :'ec2'::jsonb)),
    ('two keys', jsonb_build_array(:'ec2'::jsonb, :'ec'::jsonb)), ('two keys of two kinds', jsonb_build_array(:'ec'::jsonb, :'rsa'::jsonb)), ('two keys, one twice', jsonb_build_array(:'ec'::jsonb, :'ec'::jsonb, :'ec2'::jsonb)),
    ('many bad ones', (SELECT jsonb_agg(CASE n WHEN 100 THEN :'ec'::jsonb ELSE :'ec2'::jsonb || jsonb_build_object('x', 'x' || n) END) FROM generate_series(1, 200) n)),
    ('many good ones', (SELECT jsonb_agg(:'ec'::jsonb || jsonb_build_object('label', n)) FROM generate_series(1, 200) n));
SELECT what, left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', :'named', jsonb_build_object('keys', (SELECT jsonb_agg(m || '{"kid":"a"}') FROM jsonb_array_elements(members) m)))), 37) AS named,
       left(pg_temp.try(format('SELECT convert_from(jwt.jws_verify(%L, %L), ''UTF8'')::jsonb->>''sub''', :'nameless', jsonb_build_object('keys', members))), 37) AS nameless
  FROM sets ORDER BY n;
-- a kid is a string: RFC 7517, 4.5
SELECT kid, left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', :'nameless', :'ec'::jsonb || jsonb_build_object('kid', kid))), 37) AS alone,
       left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', :'nameless', jsonb_build_object('keys', jsonb_build_array(:'ec'::jsonb || jsonb_build_object('kid', kid))))), 37) AS in_a_set,
       left(pg_temp.try(format('SELECT jwt.import_key(%L, ''given'', ''https://kid.example'')', :'ec'::jsonb || jsonb_build_object('kid', kid))), 37) AS import_key
  FROM jsonb_array_elements('["a", 1, null, true, ["a"], {"a":1}]') kid;
SET client_min_messages = notice;
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(:'ec'::jsonb || '{"kid":1}', :'ec2'::jsonb || '{"kid":"a"}')), 'https://kid.example');
SET client_min_messages = warning;
-- one key for RS256 and PS256: the member that the header means is found
SELECT jwt.sign_with('{"sub":"42"}', :'rsa_key'::jsonb || '{"kid":"a","alg":"PS256"}') AS ps256, jwt.sign_with('{"sub":"42"}', :'rsa_key'::jsonb || '{"kid":"a","alg":"RS256"}') AS rs256,
       jwt.sign_with('{"sub":"42"}', :'rsa_key'::jsonb || '{"kid":"a","alg":"RS384"}') AS rs384,
       jsonb_build_object('keys', jsonb_build_array(:'rsa_key'::jsonb || '{"kid":"a","alg":"PS256"}', :'rsa_key'::jsonb || '{"kid":"a","alg":"RS256"}')) AS both \gset
SELECT left(pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', token, :'both')), 40) AS verified FROM (VALUES (:'ps256'), (:'rs256'), (:'rs384')) v (token);

DROP EXTENSION jwt_auth CASCADE;
