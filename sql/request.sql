-- pre_request(): the token of an HTTP request, as PostgREST hands it over.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256', 'k');
CREATE ROLE regress_jwt_authenticator;
CREATE ROLE regress_jwt_web;
CREATE ROLE regress_jwt_foreign;
GRANT regress_jwt_web TO regress_jwt_authenticator;
SELECT jwt.sign('{"sub":"42","role":"regress_jwt_web"}') AS token, jwt.sign('{"sub":"43"}') AS other,
       jwt.sign('{"sub":"42","exp":1}') AS expired, jwt.sign('{"sub":"42","role":"regress_jwt_foreign"}') AS foreign_role \gset

-- A request of its own, in a subtransaction that is undone: who is asking?
CREATE FUNCTION pg_temp.request(headers text, cookies text = NULL, method text = NULL) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    BEGIN
        PERFORM set_config('request.headers', headers, true), set_config('request.cookies', cookies, true),
                set_config('request.method', method, true);
        answer := pg_temp.try('SELECT jwt.pre_request()');
        RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE =
            CASE WHEN answer LIKE 'ok%' THEN current_user || ', ' || coalesce(jwt.subject(), 'nobody') ELSE answer END;
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
        RETURN SQLERRM;
    END;
END
$$;
CREATE FUNCTION pg_temp.bearer(token text, scheme text = 'Bearer ') RETURNS text
    LANGUAGE sql AS $$ SELECT jsonb_build_object('authorization', scheme || token)::text $$;
SET SESSION AUTHORIZATION regress_jwt_authenticator;

--
-- Nothing to find: nothing happens
--
SELECT pg_temp.request(NULL);
SELECT pg_temp.request('');
SELECT pg_temp.request('{}');
SELECT pg_temp.request('{"authorization":"Basic dXNlcjpwYXNz"}');
SELECT pg_temp.request('{"authorization":"Bearer"}');
SELECT pg_temp.request('{"authorization":"Bearer "}');
SELECT pg_temp.request('{"authorization":"Bearer    "}');
SELECT pg_temp.request('{"authorization":7}');

--
-- Authorization: Bearer
--
SELECT pg_temp.request(pg_temp.bearer(:'token'));
SELECT pg_temp.request(pg_temp.bearer(:'token', 'bEARER '));
SELECT pg_temp.request(pg_temp.bearer(:'token', 'Bearer   '));
SELECT pg_temp.request(pg_temp.bearer(:'token', 'BearerX '));
SELECT pg_temp.request(pg_temp.bearer(:'other'));
-- what is refused is refused over HTTP
SELECT pg_temp.request(pg_temp.bearer('rubbish'));
SELECT pg_temp.request(pg_temp.bearer(:'token' || 'AA'));
SELECT pg_temp.request(pg_temp.bearer(:'expired'));
SELECT pg_temp.request(pg_temp.bearer(:'foreign_role'));
-- headers that are no JSON object
SELECT pg_temp.request('rubbish');
SELECT pg_temp.request('[]');
SELECT pg_temp.request('{"authorization":"Bearer x","authorization":"Bearer y"}');

--
-- Another header
--
SELECT pg_temp.request(jsonb_build_object('x-token', :'token')::text);
RESET SESSION AUTHORIZATION;
SET jwt_auth.token_header = 'X-Token';
SET SESSION AUTHORIZATION regress_jwt_authenticator;
SELECT pg_temp.request(jsonb_build_object('x-token', :'token')::text);
SELECT pg_temp.request(jsonb_build_object('x-token', 'Bearer ' || :'token')::text);
SELECT pg_temp.request('{"x-token":""}');
SELECT pg_temp.request('{"x-token":"rubbish"}');
-- the same twice, and two that differ
SELECT pg_temp.request(jsonb_build_object('x-token', :'token', 'authorization', 'Bearer ' || :'token')::text);
SELECT pg_temp.request(jsonb_build_object('x-token', :'other', 'authorization', 'Bearer ' || :'token')::text);

--
-- A cookie: only if one is named, and then only with a voucher
--
SELECT pg_temp.request('{}', jsonb_build_object('session', :'token')::text, 'GET');
RESET SESSION AUTHORIZATION;
SET jwt_auth.token_cookie = 'session';
SET SESSION AUTHORIZATION regress_jwt_authenticator;
SELECT method, pg_temp.request('{}', jsonb_build_object('session', :'token')::text, method)
  FROM unnest('{GET,HEAD,OPTIONS,POST,PUT,PATCH,DELETE,get,NULL}'::text[]) method;
SELECT site, pg_temp.request(jsonb_build_object('sec-fetch-site', site)::text, jsonb_build_object('session', :'token')::text, 'POST')
  FROM unnest('{same-origin,none,same-site,cross-site,Same-Origin}'::text[]) site;
SELECT pg_temp.request('{"x-requested-with":"fetch"}', jsonb_build_object('session', :'token')::text, 'POST');
SELECT pg_temp.request(NULL, jsonb_build_object('session', :'token')::text, 'POST');
-- no cookie of that name, none at all, an empty one
SELECT pg_temp.request('{}', jsonb_build_object('other', :'token')::text, 'POST');
SELECT pg_temp.request('{}', NULL, 'POST');
SELECT pg_temp.request('{}', '{"session":""}', 'POST');
SELECT pg_temp.request('{}', 'rubbish', 'POST');
-- a header needs no voucher for the cookie beside it, but agreement
SELECT pg_temp.request(pg_temp.bearer(:'token'), jsonb_build_object('session', :'token')::text, 'POST');
SELECT pg_temp.request(pg_temp.bearer(:'token'), jsonb_build_object('session', :'other')::text, 'POST');

-- The identity is the transaction's
BEGIN;
SELECT set_config('request.headers', pg_temp.bearer(:'token'), true) <> '' AS set;
SELECT jwt.pre_request();
SELECT current_user, jwt.subject();
COMMIT;
SELECT current_user, jwt.is_authenticated();

RESET SESSION AUTHORIZATION;
DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_authenticator, regress_jwt_web, regress_jwt_foreign;
