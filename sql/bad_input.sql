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

DROP EXTENSION jwt_auth CASCADE;
