-- Tokens: sign, verify, try_verify, decode_unverified, renew, introspect,
-- jws_sign, jws_verify.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;

--
-- The first hour: what sign says before there is a key, and of other keys
--
SELECT pg_temp.try($$SELECT jwt.sign('{"sub":"42"}')$$);
SELECT jwt.generate_key('HS256', 'k1');
SELECT jwt.generate_key('ES256', 'k2');
SELECT jwt.generate_key('ES256', 'waiting', 'standby');
SELECT pg_temp.try($$SELECT jwt.sign('{"sub":"42"}', 'my secret')$$);
SELECT pg_temp.try($$SELECT jwt.sign('{"sub":"42"}', 'waiting')$$);
SELECT jwt.generate_key('ES256', 'k3');
SELECT pg_temp.try($$SELECT jwt.sign('{"sub":"42"}', 'k2')$$);
SELECT pg_temp.try($$SELECT jwt.sign('{"sub":"42"}', '')$$);
-- the key that became current last, unless one is named
SELECT (jwt.decode_unverified(jwt.sign('{"sub":"42"}'))).header;
SELECT (jwt.decode_unverified(jwt.sign('{"sub":"42"}', 'k1'))).header;

--
-- What sign adds
--
SELECT jwt.sign('{"sub":"42","role":"web"}') AS token \gset
SELECT jsonb_object_agg(key, jsonb_typeof(value)) AS types
  FROM jsonb_each((jwt.decode_unverified(:'token')).claims);
SELECT c->'sub' = '"42"' AS sub, c->'role' = '"web"' AS role,
       (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime,
       abs((c->>'iat')::numeric - pg_temp.epoch()) <= 5 AS iat_is_now,
       (c->>'iat') !~ '\.' AS iat_is_whole,
       octet_length(c->>'jti') AS jti_length
  FROM jwt.verify(:'token') c;
SELECT count(DISTINCT jwt.verify(jwt.sign('{}'))->>'jti') FROM generate_series(1, 5);
-- what is there stays
SELECT jwt.verify(jwt.sign('{"iss":null}'::jsonb - 'iss' || '{"jti":"mine","iat":1000000000,"exp":4000000000}'));
SELECT (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime
  FROM jwt.verify(jwt.sign('{}', expires_in => '1 hour')) c;
SELECT (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime
  FROM jwt.verify(jwt.sign('{}', expires_in => '1 month 1 day 1.5 seconds')) c;
SET jwt_auth.access_token_lifetime = '5min';
SELECT (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime
  FROM jwt.verify(jwt.sign('{}')) c;
RESET jwt_auth.access_token_lifetime;
SET jwt_auth.issuer = 'https://db.example';
SELECT jwt.verify(jwt.sign('{}'))->'iss' AS iss;
SELECT jwt.verify(jwt.sign('{"iss":"https://db.example"}'))->'iss' AS iss;
RESET jwt_auth.issuer;
SELECT pg_temp.try($$SELECT jwt.sign('{"exp":4000000000}', expires_in => '1 hour')$$);
SELECT pg_temp.verdict(jwt.sign('{}', expires_in => '-1 hour'));
SELECT pg_temp.try($$SELECT jwt.sign('{}', expires_in => '1000 years')$$);
-- claims that we could not verify ourselves are not signed
SELECT claims, pg_temp.try(format('SELECT jwt.sign(%L) IS NOT NULL', claims))
  FROM (VALUES ('{"exp":"4000000000"}'), ('{"exp":null}'), ('{"exp":true}'), ('{"nbf":"now"}'), ('{"iat":[]}'),
               ('{"exp":1e300}'), ('{"sub":42}'), ('{"sub":"42"}'), ('{"jti":1}'), ('{"iss":["a"]}'),
               ('{"aud":1}'), ('{"aud":["a",1]}'), ('{"aud":["a","b"]}'), ('{"aud":[]}'), ('{"aud":"a"}'),
               ('[]'), ('"text"'), ('null'), ('1')) v (claims);
SELECT pg_temp.try($$SELECT jwt.sign(NULL)$$);

--
-- The header
--
SELECT (jwt.decode_unverified(jwt.sign('{}', header => '{"typ":"at+jwt","x":{"y":[1]}}'))).header;
SELECT header, pg_temp.try(format('SELECT jwt.sign(''{}'', header => %L) IS NOT NULL', header))
  FROM (VALUES ('{"alg":"none"}'), ('{"alg":"ES256"}'), ('{"kid":"k1"}'), ('{"crit":["exp"]}'), ('{"b64":false}'),
               ('{"b64":true}'), ('{"typ":1}'), ('[]'), ('{}'), ('{"ALG":"none"}')) v (header);

--
-- verify
--
SELECT jwt.sign('{"sub":"42","aud":["api","web"],"iss":"x"}'::jsonb - 'iss') AS token \gset
SELECT pg_temp.words(:'token'), pg_temp.words(:'token', 'api'), pg_temp.words(:'token', 'web');
SELECT pg_temp.words(:'token', 'ap');
SELECT pg_temp.words(:'token', '*');
SELECT pg_temp.words(:'token', 'API');
SELECT pg_temp.words(:'token', '');
SELECT pg_temp.words(jwt.sign('{}'), 'api');
SELECT pg_temp.words(jwt.sign('{"aud":"api"}'), 'api');
SELECT pg_temp.words(jwt.sign('{"aud":[]}'), 'api');
SET jwt_auth.audience = 'web';
SELECT pg_temp.words(:'token'), pg_temp.words(:'token', 'api');
SELECT pg_temp.words(jwt.sign('{"aud":"api"}'));
SELECT pg_temp.words(jwt.sign('{}'));
RESET jwt_auth.audience;
-- the issuer argument
SELECT pg_temp.words(:'token', issuer => 'https://db.example');
SET jwt_auth.issuer = 'https://db.example';
SELECT jwt.sign('{"sub":"42"}') AS named \gset
SELECT pg_temp.words(:'named'), pg_temp.words(:'named', issuer => 'https://db.example');
SELECT pg_temp.words(:'named', issuer => 'https://db.example/');
SELECT pg_temp.words(:'token');
RESET jwt_auth.issuer;
SELECT pg_temp.words(:'named');
-- as_of: on the second of exp it is over
SELECT jwt.sign('{"iat":1000,"nbf":1500,"exp":2000,"jti":"x"}') AS old \gset
SELECT t, pg_temp.verdict(:'old', as_of => to_timestamp(t))
  FROM unnest('{999,1000,1499.999,1500,1999.999999,2000,2001}'::float8[]) t;
SELECT pg_temp.words(:'old');
SET timezone = 'UTC';
SELECT pg_temp.try(format('SELECT jwt.verify(%L, as_of => %L)', :'old', '1970-01-01 01:00:00'));
SELECT pg_temp.try(format('SELECT jwt.verify(%L, as_of => %L)', :'old', '1970-01-01 00:20:00'));
RESET timezone;
SELECT pg_temp.try(format('SELECT jwt.verify(%L, as_of => %L)', :'old', 'infinity'));
SELECT pg_temp.try(format('SELECT * FROM jwt.try_verify(%L, as_of => %L)', :'old', '-infinity'));
-- leeway of our own tokens, and none by default
SET jwt_auth.leeway = '10s';
SELECT t, pg_temp.verdict(:'old', as_of => to_timestamp(t))
  FROM unnest('{1489,1490,2009,2010}'::float8[]) t;
RESET jwt_auth.leeway;
-- fractions count
SELECT jwt.sign('{"iat":1000.5,"exp":2000.25}') AS fraction \gset
SELECT t, pg_temp.verdict(:'fraction', as_of => to_timestamp(t))
  FROM unnest('{1000.4,1000.5,2000.2,2000.25}'::float8[]) t;
-- a token made for later
SELECT pg_temp.words(jwt.sign(jsonb_build_object('iat', pg_temp.epoch(60))));
SELECT pg_temp.words(jwt.sign(jsonb_build_object('nbf', pg_temp.epoch(60))));
SELECT pg_temp.words(jwt.sign(jsonb_build_object('nbf', pg_temp.epoch(-60))));

--
-- try_verify: one row always; verify with nothing passes nothing
--
SELECT valid, claims, header, kid FROM jwt.try_verify(:'old', as_of => to_timestamp(1600));
SELECT valid, claims, header, kid, error_code FROM jwt.try_verify(:'old');
SELECT * FROM jwt.try_verify(NULL);
SELECT * FROM jwt.try_verify('');
SELECT * FROM jwt.try_verify(NULL, NULL, NULL, NULL);
SELECT count(*), count(*) FILTER (WHERE valid) AS valid
  FROM (VALUES (NULL), (''), ('.'), ('..'), ('a.b.c'), (:'token')) v (token),
       LATERAL jwt.try_verify(v.token);
SELECT pg_temp.try('SELECT jwt.verify(NULL)');
SELECT pg_temp.try($$SELECT jwt.verify('')$$);
SELECT pg_temp.try('SELECT jwt.verify_with(NULL, NULL)');
SELECT pg_temp.try($$SELECT jwt.verify_with(NULL, '{"keys":[]}')$$);
SELECT pg_temp.try($$SELECT jwt.jws_verify('', '{"keys":[]}')$$);
SELECT pg_temp.try($$SELECT jwt.decode_unverified(NULL)$$);
SELECT pg_temp.try($$SELECT jwt.introspect(NULL)$$);
SELECT pg_temp.try($$SELECT jwt.renew(NULL)$$);
DO $$ BEGIN PERFORM jwt.verify(NULL); RAISE 'passed'; EXCEPTION WHEN SQLSTATE '28J00' THEN END $$;
-- the signature
SELECT pg_temp.words(regexp_replace(:'token', '\.[^.]*$', '.' || repeat('A', 86)));
SELECT pg_temp.words(split_part(:'token', '.', 1) || '.' || pg_temp.base64url('{"sub":"root"}') || '.' || split_part(:'token', '.', 3));
SELECT pg_temp.words(regexp_replace(:'token', '\.[^.]*$', '.'));
SELECT pg_temp.words(jwt.sign('{}', 'k1') || 'AA');

--
-- sign_with, verify_with
--
SELECT jwt.jwk_from_secret('0123456789abcdef0123456789abcdef') AS secret \gset
SELECT jwt.jwk_from_secret('0123456789abcdef0123456789abcdeX') AS wrong \gset
SELECT jwt.sign_with('{"sub":"42","aud":"api","iss":"me"}', :'secret') AS token \gset
SELECT (jwt.decode_unverified(:'token')).header;
SELECT jwt.verify_with(:'token', :'secret')->>'sub' AS sub;
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', :'token', :'wrong'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L, ''api'', ''me'')->>''sub''', :'token', :'secret'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L, ''web'')->>''sub''', :'token', :'secret'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L, issuer => ''you'')->>''sub''', :'token', :'secret'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L, algorithms => ''{HS384}'')->>''sub''', :'token', :'secret'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L, algorithms => ''{}'')->>''sub''', :'token', :'secret'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, ''[]'')', :'token'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, ''{"keys":{}}'')', :'token'));
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, ''{"keys":[]}'')', :'token'));
-- demands only what it is told, but obeys the times that are there
SELECT jwt.verify_with(pg_temp.forge('{"alg":"HS256"}', '{}', '0123456789abcdef0123456789abcdef'), :'secret');
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', jwt.sign_with('{"sub":"42"}', :'secret', '-1 hour'), :'secret')) ~ '^28J01' AS expired;
SELECT jwt.verify_with(jwt.sign_with('{"iat":1000,"jti":"x"}', :'secret', expires_in => NULL, header => '{"cty":"x"}'), :'secret')->'iat' AS iat;
-- the store knows nothing of that key
SELECT pg_temp.words(jwt.sign_with('{"sub":"42"}', :'secret'));
-- a set: the kid chooses, a strange or broken member spoils itself alone
SELECT jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'a') AS a,
       jwt.jwk_from_secret('0123456789abcdef0123456789abcdeX', kid => 'b') AS b \gset
SELECT jwt.sign_with('{"sub":"42"}', :'a') AS token \gset
SELECT set, pg_temp.try(format('SELECT jwt.verify_with(%L, jsonb_build_object(''keys'', %L::jsonb))->>''sub''', :'token',
       replace(replace(set, 'A', :'a'), 'B', :'b')))
  FROM (VALUES ('[A,B]'), ('[B,A]'), ('[B]'), ('[{"kty":"oct"},1,null,"x",[],{"kty":"new"},A]'), ('[A,A]')) v (set);

--
-- decode_unverified believes nothing and checks nothing but the shape
--
SELECT * FROM jwt.decode_unverified(:'old');
SELECT header FROM jwt.decode_unverified(pg_temp.base64url('{"alg":"none"}') || '.' || pg_temp.base64url('{"sub":"x"}') || '.');

--
-- renew
--
SELECT jwt.sign(jsonb_build_object('sub', '42', 'role', 'web', 'iat', pg_temp.epoch(-600), 'nbf', pg_temp.epoch(-600), 'jti', 'first')) AS token \gset
SELECT jwt.renew(:'token') AS renewed, jwt.renew(:'token', '1 hour') AS hour \gset
SELECT c->>'sub' AS sub, c->>'role' AS role, c ? 'nbf' AS nbf, c->>'jti' <> 'first' AS new_jti,
       (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime,
       (c->>'iat')::numeric - (c->>'auth_time')::numeric BETWEEN 600 AND 605 AS auth_time_is_first_iat
  FROM jwt.verify(:'renewed') c;
SELECT (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime FROM jwt.verify(:'hour') c;
-- auth_time travels on
SELECT jwt.verify(jwt.renew(:'renewed'))->'auth_time' = jwt.verify(:'renewed')->'auth_time' AS same;
-- never past the end of the session, and then not at all
SET jwt_auth.session_lifetime = '20min';
SELECT (c->>'exp')::numeric - (c->>'auth_time')::numeric AS end FROM jwt.verify(jwt.renew(:'renewed', '1 hour')) c;
SET jwt_auth.session_lifetime = '10min';
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', :'renewed'));
RESET jwt_auth.session_lifetime;
-- nor by an auth_time that has not come
SELECT jwt.sign(jsonb_build_object('sub', '42', 'iat', pg_temp.epoch(-600), 'auth_time', 99999999999)) AS ahead,
       jwt.sign(jsonb_build_object('sub', '42', 'iat', pg_temp.epoch(-600), 'auth_time', pg_temp.epoch(-700))) AS behind \gset
SET jwt_auth.session_lifetime = '20min';
SELECT (c->>'exp')::numeric - (c->>'auth_time')::numeric AS end, (c->>'auth_time')::numeric = ((jwt.decode_unverified(:'ahead')).claims->>'iat')::numeric AS since_iat
  FROM jwt.verify(jwt.renew(:'ahead', '1 hour')) c;
SELECT (c->>'exp')::numeric - (c->>'auth_time')::numeric AS end, c->'auth_time' = (jwt.decode_unverified(:'behind')).claims->'auth_time' AS since_auth_time
  FROM jwt.verify(jwt.renew(:'behind', '1 hour')) c;
SET jwt_auth.session_lifetime = '10min';
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', :'ahead'));
RESET jwt_auth.session_lifetime;
-- the header's other members stay
SELECT (jwt.decode_unverified(jwt.renew(jwt.sign('{"sub":"42"}', header => '{"typ":"at+jwt","cty":"x","note":{"a":[1]}}')))).header - 'kid' AS header;
SELECT (jwt.decode_unverified(jwt.renew(:'token'))).header - 'kid' AS header;
-- a sid that is no session of ours is just a claim, which no long life is built on
SELECT c->>'sid' AS sid, (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime
  FROM jwt.verify(jwt.renew(jwt.sign('{"sid":"9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b"}'), '1 hour')) c;
-- one of a session: up to its end, and no longer at a time than refresh gives
SELECT jwt.open_session('42')->>'access_token' AS access \gset
SELECT jwt.verify(:'access')->>'sid' AS sid \gset
UPDATE jwt.session_store SET access_expires_at = now() - interval '1 hour' WHERE sid = :'sid';
SELECT jwt.renew(:'access', '1 hour') AS renewed \gset
SELECT c->'sid' = o->'sid' AS same_sid, c->'auth_time' = o->'auth_time' AS same_auth_time, c->'jti' <> o->'jti' AS new_jti, (c->>'exp')::numeric - (c->>'iat')::numeric AS lifetime,
       (SELECT extract(epoch FROM access_expires_at) FROM jwt.session_store WHERE sid = :'sid') = (c->>'exp')::numeric AS known_to_the_row
  FROM jwt.verify(:'renewed') c, jwt.verify(:'access') o;
SELECT (c->>'exp')::numeric - (c->>'iat')::numeric AS shorter FROM jwt.verify(jwt.renew(:'access', '1 minute')) c;
BEGIN;
UPDATE jwt.session_store SET expires_at = now() + interval '5 minutes' WHERE sid = :'sid';
SELECT to_timestamp((c->>'exp')::numeric) = date_trunc('second', s.expires_at) AS up_to_its_end FROM jwt.verify(jwt.renew(:'access')) c, jwt.session_store s WHERE s.sid = :'sid';
UPDATE jwt.session_store SET expires_at = now() - interval '1 second' WHERE sid = :'sid';
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', :'access')) AS over;
ROLLBACK;
BEGIN;
UPDATE jwt.session_store SET idle_expires_at = now() - interval '1 second' WHERE sid = :'sid';
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', :'access')) AS idle;
ROLLBACK;
BEGIN READ ONLY;
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', :'access')) AS session;
SELECT jwt.renew(:'token') IS NOT NULL AS without_one;
ROLLBACK;
SELECT jwt.close_session(:'sid'), pg_temp.verdict(:'renewed') AS renewed, pg_temp.try(format('SELECT jwt.renew(%L)', :'renewed')) AS closed;
-- an expired one, one without iat, somebody else's
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', jwt.sign('{}', expires_in => '-1 hour'))) ~ '^28J01' AS expired;
SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'raw'), status => 'previous');
SELECT pg_temp.forge('{"alg":"HS256","kid":"raw"}', '{"exp":4000000000}', '0123456789abcdef0123456789abcdef') AS undated \gset
SELECT pg_temp.verdict(:'undated');
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', :'undated'));

--
-- introspect: RFC 7662
--
SELECT i - 'jti' - 'iat' - 'exp' AS answer, i ?& '{jti,iat,exp}' AS rest
  FROM jwt.introspect(jwt.sign('{"sub":"42","scope":"read"}')) i;
-- a claim cannot say so
SELECT jwt.introspect(jwt.sign('{"active":false,"token_type":"x"}')) - 'jti' - 'iat' - 'exp' AS answer;
SELECT jwt.introspect(:'old'), jwt.introspect(''), jwt.introspect(NULL), jwt.introspect('a.b.c');
SELECT jwt.introspect(pg_temp.forge('{"alg":"HS256","kid":"raw"}', '{"active":true,"exp":4000000000}', 'not the secret'));
SELECT jwt.introspect(jwt.open_session('42')->>'refresh_token');

--
-- JWS, byte for byte: RFC 8037, A.4 and RFC 7515, A.1 to A.4
--
SELECT jwt.jws_sign('Example of Ed25519 signing',
    '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')
    = 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg' AS same;
SELECT convert_from(jwt.jws_verify('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    '{"kty":"OKP","use":"sig","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'), 'UTF8');
SELECT pg_temp.try($$SELECT jwt.jws_verify('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hwyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    '{"kty":"OKP","use":"sig","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')$$);
SELECT jwt.jws_sign('{"iss":"joe",\015\012 "exp":1300819380,\015\012 "http://example.com/is_root":true}',
    '{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}')
    = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw' AS same;
SELECT encode(jwt.jws_verify('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    '{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}', '{HS256}'), 'escape') AS payload;
SELECT encode(jwt.jws_verify('eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    '{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}', '{RS256}'), 'escape') AS payload;
SELECT encode(jwt.jws_verify('eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}', '{ES256}'), 'escape') AS payload;
SELECT encode(jwt.jws_verify('eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
    '{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}', '{ES512}'), 'escape') AS payload;
SELECT jwt.verify_with('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    '{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}', as_of => to_timestamp(1300819379));
SELECT pg_temp.try($$SELECT jwt.verify_with('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    '{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}', as_of => to_timestamp(1300819380))$$) ~ '^28J01' AS expired;
-- A.5 is not for us
SELECT pg_temp.try($$SELECT jwt.jws_verify('eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.',
    '{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}')$$);
-- any payload: nothing, and bytes that are no text
SELECT jwt.jws_verify(jwt.jws_sign('', :'secret'), :'secret') AS empty,
       jwt.jws_verify(jwt.jws_sign('\x00ff80', :'secret'), :'secret') AS bytes;
SELECT pg_temp.try(format('SELECT jwt.verify_with(jwt.jws_sign(''\x00ff80'', %1$L), %1$L)', :'secret'));
SELECT pg_temp.try(format('SELECT jwt.jws_sign(NULL, %1$L)', :'secret'));
SELECT pg_temp.try('SELECT jwt.jws_sign(''x'', NULL)');
SELECT (jwt.decode_unverified(jwt.jws_sign('{}', :'secret', '{"cty":"text/plain"}'))).header;
SELECT pg_temp.try(format('SELECT jwt.jws_sign(''x'', %1$L, ''{"alg":"none"}'')', :'secret'));

-- a key set and a header without kid: every key of that type is tried, 16 at most
SELECT jwt.jws_sign(convert_to('{"sub":"42"}', 'UTF8'), :'secret'::jsonb - 'kid') AS nameless \gset
SELECT others, pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', :'nameless',
       jsonb_build_object('keys', (SELECT jsonb_agg(k) FROM (SELECT jwt.jwk_from_secret(repeat('x', 31 + n)) AS k FROM generate_series(1, others) n UNION ALL SELECT :'secret'::jsonb - 'kid') k))))
  FROM unnest('{0,1,15,16}'::int[]) others;
SELECT members, pg_temp.try(format('SELECT jwt.verify_with(%L, %L)->>''sub''', :'nameless',
       jsonb_build_object('keys', (SELECT jsonb_agg(k) FROM (SELECT '{}'::jsonb AS k FROM generate_series(2, members) UNION ALL SELECT :'secret'::jsonb - 'kid') k))))
  FROM unnest('{1000,1001}'::int[]) members;
SELECT pg_temp.try(format('SELECT jwt.verify_with(%L, %L)', :'nameless', '{"keys":[7,"x",[],{"kty":"EC"},{"kty":"oct","k":"AAAA"},{"kty":1}]}'));
-- only our own tokens are renewed
SELECT jwt.import_key(:'secret', 'renew', 'https://idp.example') AS foreign_key, jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:')::text AS trusted;
SELECT pg_temp.try(format('SELECT jwt.renew(%L)', jwt.sign_with('{"iss":"https://idp.example"}', :'secret'::jsonb || '{"kid":"renew"}')));
SELECT pg_temp.words(jwt.sign_with('{"iss":"https://idp.example"}', :'secret'::jsonb || '{"kid":"renew"}'));
-- a cached token without kid, whose key gets another name: the next use finds it again
SELECT jwt.jwk_from_secret('a secret of this test, and no other') AS other \gset
SELECT jwt.import_key(:'other', 'first name') AS kid \gset
SELECT jwt.sign_with('{"sub":"42"}', :'other') AS nameless \gset
SELECT (jwt.try_verify(:'nameless')).kid;
SELECT (jwt.try_verify(:'nameless')).kid;
UPDATE jwt.key_store SET kid = 'second name' WHERE kid = 'first name';
SELECT valid, kid FROM jwt.try_verify(:'nameless');
SELECT jwt.set_key_status('second name', 'revoked');
SELECT valid, kid, error_code FROM jwt.try_verify(:'nameless');

DROP EXTENSION jwt_auth CASCADE;
