-- Trusted issuers: what each column demands, and the rules for our own.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;

-- The identity provider's key, of which we have the public half
\set idp_key '{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"idp","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
SELECT jwt.import_key(:'idp_key'::jsonb - 'd', issuer => 'https://idp.example');
CREATE FUNCTION pg_temp.idp(claims jsonb = '{}', header jsonb = NULL) RETURNS text LANGUAGE sql AS $$
    SELECT jwt.sign_with(jsonb_strip_nulls('{"iss":"https://idp.example","aud":"api","sub":"42","jti":"x"}' || claims),
        '{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"idp","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
        header => header)
$$;

--
-- Nobody is trusted who was not named; a key alone is not trust
--
SELECT pg_temp.words(pg_temp.idp());
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', pg_temp.idp()));
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
SELECT pg_temp.words(pg_temp.idp());
SELECT issuer, audiences, algorithms, jwks_uri, leeway, max_token_age, typ, required_claims, role_claim, allowed_roles, default_role, subject_prefix, enabled
  FROM jwt.issuers;
-- byte for byte
SELECT iss, pg_temp.words(pg_temp.idp(jsonb_build_object('iss', iss)))
  FROM (VALUES ('https://idp.example'), ('https://idp.example/'), ('https://idp.exampl'), ('https://idp.example.evil'), ('HTTPS://IDP.EXAMPLE'),
               ('https://idp.example '), ('http://idp.example'), ('')) v (iss);
CREATE FUNCTION pg_temp.raw(claims jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT jwt.jws_sign(convert_to(('{"aud":"api","sub":"42","exp":4000000000}' || claims)::text, 'UTF8'),
        '{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"idp","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}')
$$;
SELECT iss, pg_temp.words(pg_temp.raw(jsonb_build_object('iss', iss)))
  FROM jsonb_array_elements('["https://idp.example", ["https://idp.example"], ["https://evil.example","https://idp.example"], {"a":"https://idp.example"}, null, 1]') iss;
SELECT pg_temp.words(pg_temp.raw('{}'));
-- the caller's demand comes on top
SELECT pg_temp.words(pg_temp.idp(), issuer => 'https://idp.example'), pg_temp.words(pg_temp.idp(), issuer => 'https://idp.example/');

--
-- Each column
--
-- audiences
SELECT aud, pg_temp.words(pg_temp.idp(jsonb_build_object('aud', aud)))
  FROM jsonb_array_elements('["api", ["api"], ["web","api"], "web", ["web"], [], "API", "*", null]') aud;
SELECT jwt.trust_issuer('https://idp.example', '{api,web}', subject_prefix => 'idp:');
SELECT pg_temp.words(pg_temp.idp('{"aud":"web"}')), pg_temp.words(pg_temp.idp('{"aud":"web"}'), 'api'), pg_temp.words(pg_temp.idp('{"aud":["web","api"]}'), 'api');
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:');
SELECT pg_temp.words(pg_temp.idp('{"aud":"anything"}')), pg_temp.words(pg_temp.idp('{"aud":null}')), pg_temp.words(pg_temp.idp('{"aud":"anything"}'), 'api');
-- jwt_auth.audience is for our own tokens
SET jwt_auth.audience = 'ours';
SELECT pg_temp.words(pg_temp.idp());
RESET jwt_auth.audience;
-- algorithms
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', algorithms => '{RS256,EdDSA}');
SELECT pg_temp.words(pg_temp.idp());
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', algorithms => '{RS256,Ed25519}');
SELECT pg_temp.words(pg_temp.idp());
-- an RSA key without alg: RS256 is meant, unless the list says so
\set rsa_key '{"kty":"RSA","kid":"rsa","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}'
SELECT jwt.import_key(:'rsa_key'::jsonb - '{d,p,q,dp,dq,qi}'::text[], issuer => 'https://idp.example');
SELECT alg, jwt.sign_with('{"iss":"https://idp.example","aud":"api"}', :'rsa_key'::jsonb || jsonb_build_object('alg', alg)) AS token
  INTO TEMP signed FROM unnest('{RS256,RS512,PS256}'::text[]) alg;
SELECT alg, pg_temp.words(token) FROM signed;
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', algorithms => '{PS256}');
SELECT alg, pg_temp.words(token) FROM signed;
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
SELECT alg, pg_temp.words(token) FROM signed;
-- leeway: 30 seconds, unless said otherwise; exp, nbf and iat alike
CREATE FUNCTION pg_temp.around() RETURNS TABLE (what text, verdict text) LANGUAGE sql AS $$
    SELECT what, pg_temp.verdict(pg_temp.idp(jsonb_build_object(claim, pg_temp.epoch(seconds))))
      FROM (VALUES ('exp 20 s ago', 'exp', -20), ('exp 40 s ago', 'exp', -40), ('nbf in 20 s', 'nbf', 20), ('nbf in 40 s', 'nbf', 40),
                   ('iat in 20 s', 'iat', 20), ('iat in 40 s', 'iat', 40)) v (what, claim, seconds)
$$;
SELECT * FROM pg_temp.around();
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', leeway => '0');
SELECT * FROM pg_temp.around();
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', leeway => '1 minute');
SELECT * FROM pg_temp.around();
SET jwt_auth.leeway = 300;
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', leeway => '0');
SELECT * FROM pg_temp.around();
RESET jwt_auth.leeway;
-- max_token_age counts from iat
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', max_token_age => '1 hour', leeway => '0');
SELECT pg_temp.words(pg_temp.idp()), pg_temp.words(pg_temp.idp(jsonb_build_object('iat', pg_temp.epoch(-3500)))),
       pg_temp.words(pg_temp.idp(jsonb_build_object('iat', pg_temp.epoch(-3700))));
SELECT pg_temp.words(pg_temp.raw('{"iss":"https://idp.example"}'));
-- typ: RFC 7515, section 4.1.9
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', typ => '{at+jwt}');
SELECT typ, pg_temp.words(pg_temp.idp(header => jsonb_build_object('typ', typ)))
  FROM (VALUES ('at+jwt'), ('AT+JWT'), ('application/at+jwt'), ('Application/At+Jwt'), ('JWT'), ('x/at+jwt'), ('application/x/at+jwt'), ('application/'), ('')) v (typ);
SELECT pg_temp.words(pg_temp.raw('{"iss":"https://idp.example"}'));
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', typ => '{application/at+jwt,JWT}');
SELECT typ, pg_temp.words(pg_temp.idp(header => jsonb_build_object('typ', typ)))
  FROM (VALUES ('at+jwt'), ('jwt'), ('logout+jwt')) v (typ);
-- required_claims
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', required_claims => '{exp,nonce}');
SELECT nonce, pg_temp.words(pg_temp.raw(jsonb_build_object('iss', 'https://idp.example') || nonce))
  FROM (VALUES ('{"nonce":"x"}'::jsonb), ('{}'), ('{"nonce":null}'), ('{"nonce":false}'), ('{"x":{"nonce":"x"}}')) v (nonce);
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', required_claims => '{}');
SELECT pg_temp.words(jwt.jws_sign('{"iss":"https://idp.example","aud":"api"}', :'idp_key'));
-- one that does not end is revoked for good
SELECT jwt.revoke(jwt.jws_sign('{"iss":"https://idp.example","aud":"api","jti":"endless"}', :'idp_key'));
SELECT pg_temp.words(jwt.jws_sign('{"iss":"https://idp.example","aud":"api","jti":"endless"}', :'idp_key'));
SELECT token_id, expires_at FROM jwt.revoked_tokens WHERE token_id = 'endless';
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
SELECT pg_temp.words(jwt.jws_sign('{"iss":"https://idp.example","aud":"api"}', :'idp_key'));
-- enabled
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', enabled => false);
SELECT pg_temp.words(pg_temp.idp());
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
SELECT pg_temp.words(pg_temp.idp());
SELECT jwt.distrust_issuer('https://idp.example'), jwt.distrust_issuer('https://idp.example') AS again;
SELECT pg_temp.words(pg_temp.idp());
-- its keys stayed
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
SELECT pg_temp.words(pg_temp.idp());

--
-- Roles and subjects of another issuer
--
CREATE ROLE regress_jwt_login;
CREATE ROLE regress_jwt_web;
CREATE ROLE regress_jwt_admin;
GRANT regress_jwt_web, regress_jwt_admin TO regress_jwt_login;
CREATE FUNCTION pg_temp.enter(token text, OUT answer text, OUT subject text, OUT uid uuid, OUT role text, OUT web boolean, OUT admin boolean)
    LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL SESSION AUTHORIZATION regress_jwt_login;
    answer := regexp_replace(pg_temp.try(format('SELECT (jwt.authenticate(%L) IS NOT NULL)::text || '' as '' || current_user', token)), E'\n  If the role.*', '');
    PERFORM set_config('jwt_auth.token', token, true);
    subject := jwt.subject(); uid := jwt.uid(); role := jwt.role();
    web := jwt.has_role('regress_jwt_web'); admin := jwt.has_role('regress_jwt_admin');
    RESET SESSION AUTHORIZATION;
END
$$;
SET client_min_messages = error;
-- none by default
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"regress_jwt_web"}'));
-- a path, but no list: refused; a list: the first of it that the claim has
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', role_claim => '$.role');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"regress_jwt_web"}'));
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', role_claim => '$.role', allowed_roles => '{}');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"regress_jwt_web"}'));
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', role_claim => '$.role', allowed_roles => '{regress_jwt_web}');
SELECT token.role, e.* FROM jsonb_array_elements('["regress_jwt_web", "regress_jwt_admin", ["regress_jwt_admin","regress_jwt_web"], ["x"], 1]') token (role),
       LATERAL pg_temp.enter(pg_temp.idp(jsonb_build_object('role', token.role))) e;
SELECT * FROM pg_temp.enter(pg_temp.idp());
-- Keycloak's place for roles
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', role_claim => '$.realm_access.roles', allowed_roles => '{regress_jwt_admin,regress_jwt_web}');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"realm_access":{"roles":["offline_access","regress_jwt_web","regress_jwt_admin"]}}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"realm_access":{"roles":["offline_access","regress_jwt_web"]}}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"realm_access":{"roles":["offline_access"]}}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"realm_access":"regress_jwt_web"}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"regress_jwt_web"}'));
-- default_role, for those who bring no role claim
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', role_claim => '$.role', allowed_roles => '{regress_jwt_admin,regress_jwt_web}', default_role => 'regress_jwt_web');
SELECT * FROM pg_temp.enter(pg_temp.idp());
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"regress_jwt_admin"}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"x"}'));
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', allowed_roles => '{regress_jwt_web}', default_role => 'regress_jwt_web');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"regress_jwt_admin"}'));
-- no list makes a role that may not be taken one that may
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:', role_claim => '$.role', allowed_roles => '{pg_monitor,none}');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"pg_monitor"}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"role":"none"}'));
-- subject_prefix
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'https://idp.example#');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"sub":"9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b"}'));
SELECT jwt.trust_issuer('https://idp.example', '{api}');
SELECT * FROM pg_temp.enter(pg_temp.idp('{"sub":"9f3e8a4c-5d6b-4e1f-8a2b-3c4d5e6f7a8b"}'));
SELECT * FROM pg_temp.enter(pg_temp.idp('{"sub":null}'));
RESET client_min_messages;
SET client_min_messages = warning;

--
-- trust_issuer: what it refuses, and what it warns of
--
SELECT pg_temp.try($$SELECT jwt.trust_issuer('https://x.example', NULL)$$);
SELECT pg_temp.try($$SELECT jwt.trust_issuer(NULL, '{api}')$$);
SELECT args, pg_temp.try(format('SELECT jwt.trust_issuer(%s, subject_prefix => ''x:'')', args))
  FROM (VALUES ('''https://x.example'', ''{}'''), ('''https://x.example'', ''{NULL}'''), (''''', ''{api}'''), ('repeat(''x'', 1025), ''{api}'''),
               ('''https://x.example'', ''{api}'', algorithms => ''{none}'''), ('''https://x.example'', ''{api}'', algorithms => ''{RS256,es256}'''),
               ('''https://x.example'', ''{api}'', algorithms => ''{}'''), ('''https://x.example'', ''{api}'', algorithms => ''{NULL}'''),
               ('''https://x.example'', ''{api}'', leeway => ''-1 second'''), ('''https://x.example'', ''{api}'', leeway => ''301 seconds'''),
               ('''https://x.example'', ''{api}'', leeway => ''300 seconds'''), ('''https://x.example'', ''{api}'', leeway => NULL'),
               ('''https://x.example'', ''{api}'', max_token_age => ''0'''), ('''https://x.example'', ''{api}'', default_role => ''web'''),
               ('''https://x.example'', ''{api}'', default_role => ''web'', allowed_roles => ''{other}'''), ('''https://x.example'', ''{api}'', required_claims => NULL'),
               ('''https://x.example'', ''{api}'', role_claim => ''$.['''),
               ('''https://x.example'', ''{api}'', role_claim => ''$[$x]'''), ('''https://x.example'', ''{api}'', role_claim => ''$."$x" ? (@ starts with "$y\"$")'''), ('''https://x.example'', ''{api}'', enabled => NULL')) v (args);
SELECT jwt.distrust_issuer('https://x.example'), jwt.distrust_issuer(NULL);
-- the same prefix twice: ours is ''
SELECT jwt.trust_issuer('https://a.example', '{api}');
SELECT jwt.trust_issuer('https://b.example', '{api}', subject_prefix => 'b:');
SELECT jwt.trust_issuer('https://c.example', '{api}', subject_prefix => 'b:');
SELECT jwt.trust_issuer('https://c.example', '{api}', subject_prefix => 'b:', enabled => false);
SELECT jwt.trust_issuer('https://c.example', '{api}', subject_prefix => 'c:');

--
-- Our own issuer
--
SELECT jwt.generate_key('HS256', 'ours');
SELECT jwt.sign('{"sub":"42"}') AS nameless \gset
SELECT pg_temp.words(:'nameless');
SET jwt_auth.issuer = 'https://db.example';
SELECT jwt.sign('{"sub":"42"}') AS named \gset
SELECT pg_temp.words(:'nameless'), pg_temp.words(:'named');
SELECT pg_temp.try(format('SELECT jwt.verify(%L)', :'nameless'));
-- a session goes on
RESET jwt_auth.issuer;
SELECT jwt.open_session('42') AS s \gset
SET jwt_auth.issuer = 'https://db.example';
SELECT pg_temp.verdict(:'s'::jsonb->>'access_token') AS access, pg_temp.verdict(jwt.refresh(:'s'::jsonb->>'refresh_token')->>'access_token') AS refreshed;
SET jwt_auth.issuer = 'https://db.example/';
SELECT pg_temp.words(:'named');
RESET jwt_auth.issuer;
SELECT pg_temp.words(:'named');
-- we cannot sign for another and be believed
SELECT pg_temp.words(jwt.sign('{"iss":"https://idp.example","aud":"api"}'));
SELECT pg_temp.words(jwt.sign('{"iss":"https://nobody.example"}'));
-- a row of our name adds, and takes nothing away
SET jwt_auth.issuer = 'https://db.example';
SET jwt_auth.audience = 'ours';
SELECT jwt.trust_issuer('https://db.example', '{*}', required_claims => '{nonce}', subject_prefix => 'db:', algorithms => '{HS256}', typ => '{JWT}');
SELECT pg_temp.words(jwt.sign('{"nonce":"x"}'));
SELECT pg_temp.words(jwt.sign('{"nonce":"x","aud":"ours"}')), pg_temp.words(jwt.sign('{"aud":"ours"}')), pg_temp.words(jwt.sign('{"nonce":"x","aud":"ours"}', header => '{"typ":"x"}'));
SELECT jwt.generate_key('HS384', 'ours too');
SELECT pg_temp.words(jwt.sign('{"nonce":"x","aud":"ours"}', 'ours too'));
-- exp is demanded of ours whatever the row says
SELECT jwt.import_key(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef', kid => 'raw'), status => 'previous');
SELECT pg_temp.words(pg_temp.forge('{"alg":"HS256","kid":"raw","typ":"JWT"}', '{"iss":"https://db.example","nonce":"x","aud":"ours"}', '0123456789abcdef0123456789abcdef')),
       pg_temp.words(pg_temp.forge('{"alg":"HS256","kid":"raw","typ":"JWT"}', '{"iss":"https://db.example","nonce":"x","aud":"ours","exp":4000000000}', '0123456789abcdef0123456789abcdef'));
SET client_min_messages = error;
SELECT * FROM pg_temp.enter(jwt.sign('{"sub":"42","nonce":"x","aud":"ours","role":"regress_jwt_web"}', 'ours'));
SELECT jwt.trust_issuer('https://db.example', '{*}', allowed_roles => '{regress_jwt_admin}');
SELECT * FROM pg_temp.enter(jwt.sign('{"sub":"42","aud":"ours","role":"regress_jwt_web"}', 'ours'));
SELECT * FROM pg_temp.enter(jwt.sign('{"sub":"42","aud":"ours","role":"regress_jwt_admin"}', 'ours'));
SELECT * FROM pg_temp.enter(jwt.sign('{"sub":"42","aud":"ours"}', 'ours'));
RESET jwt_auth.audience;
RESET jwt_auth.issuer;

-- a key without alg does what its curve or type does, and no more
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:');
SELECT jwt.import_jwks('{"keys":[{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}', 'https://idp.example');
CREATE FUNCTION pg_temp.headed(header jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.words(pg_temp.base64url(header::text) || '.' || pg_temp.base64url('{"iss":"https://idp.example","exp":4000000000}') || '.' || pg_temp.base64url(repeat('x', 64)))
$$;
SELECT alg, pg_temp.headed(jsonb_build_object('alg', alg, 'kid', 'ec')) FROM unnest('{ES256,ES384,ES256K,RS256,HS256,EdDSA}'::text[]) alg;
SELECT pg_temp.words(jwt.sign_with('{"iss":"https://idp.example"}', '{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}'));
-- default_role is bounded by allowed_roles, whoever wrote the row
SELECT jwt.set_key_status('idp', 'current', 'https://idp.example');
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:', allowed_roles => '{regress_jwt_web}', default_role => 'regress_jwt_web');
SELECT * FROM pg_temp.enter(pg_temp.idp());
UPDATE jwt.issuers SET default_role = 'regress_jwt_admin' WHERE issuer = 'https://idp.example';
SELECT * FROM pg_temp.enter(pg_temp.idp());
UPDATE jwt.issuers SET allowed_roles = NULL, default_role = 'regress_jwt_web' WHERE issuer = 'https://idp.example';
SELECT * FROM pg_temp.enter(pg_temp.idp());
-- an age that no token reaches
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:', max_token_age => '150000000 years');
SELECT pg_temp.words(pg_temp.idp()), pg_temp.words(pg_temp.idp('{"iat":1}'));
SELECT jwt.trust_issuer('https://idp.example', '{*}', subject_prefix => 'idp:', max_token_age => '50 years');
SELECT pg_temp.words(pg_temp.idp()), pg_temp.words(pg_temp.idp('{"iat":1}'));

DROP EXTENSION jwt_auth CASCADE;
DROP ROLE regress_jwt_login, regress_jwt_web, regress_jwt_admin;
