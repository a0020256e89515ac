-- jwt.advise(): each mistake is found, alone, and its own fix mends it.
\getenv abs_srcdir PG_ABS_SRCDIR
\set helpers :abs_srcdir '/sql/helpers.inc'
\i :helpers
SELECT current_database() AS database \gset
CREATE EXTENSION jwt_auth;

--
-- A house in order: nobody finds anything
--
CREATE ROLE regress_jwt_login LOGIN NOINHERIT;
CREATE ROLE regress_jwt_web;
CREATE ROLE regress_jwt_staff;
CREATE ROLE regress_jwt_owner;
GRANT regress_jwt_web TO regress_jwt_login;
CREATE SCHEMA regress_api;
GRANT USAGE ON SCHEMA regress_api TO regress_jwt_web, regress_jwt_staff;
CREATE TABLE regress_api.note (id integer PRIMARY KEY, owner text, team uuid, body text);
CREATE INDEX ON regress_api.note (owner);
ALTER TABLE regress_api.note ENABLE ROW LEVEL SECURITY;
ALTER TABLE regress_api.note FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON regress_api.note USING (owner = jwt.subject()) WITH CHECK (owner = jwt.subject());
GRANT SELECT ON regress_api.note TO regress_jwt_web;
CREATE TABLE regress_api.staff_only (id integer);
GRANT SELECT ON regress_api.staff_only TO regress_jwt_staff;
CREATE VIEW regress_api.note_view WITH (security_invoker) AS SELECT * FROM regress_api.note;
GRANT SELECT ON regress_api.note_view TO regress_jwt_web;
CREATE VIEW regress_api.staff_view AS SELECT * FROM regress_api.note;
GRANT SELECT ON regress_api.staff_view TO regress_jwt_staff;
CREATE VIEW regress_api.plain_view AS SELECT 1 AS one;
GRANT SELECT ON regress_api.plain_view TO regress_jwt_web;
CREATE MATERIALIZED VIEW regress_api.staff_mv AS SELECT * FROM regress_api.note;
GRANT SELECT ON regress_api.staff_mv TO regress_jwt_staff;
CREATE FUNCTION regress_api.pinned() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN (SELECT count(*) FROM regress_api.note); END $$;
CREATE FUNCTION regress_api.elsewhere() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    AS $$ BEGIN RETURN (SELECT count(*) FROM regress_api.staff_only); END $$;
CREATE FUNCTION regress_api.as_caller() RETURNS bigint LANGUAGE plpgsql STABLE
    AS $$ BEGIN RETURN (SELECT count(*) FROM note); END $$;
SET client_min_messages = error;    -- wal_level is not for real publications
CREATE PUBLICATION regress_jwt_changes FOR TABLES IN SCHEMA regress_api;
SELECT jwt.generate_key('ES256', 'now');
SELECT jwt.generate_key('ES256', 'next', 'standby');
SELECT w.role::regrole, w.ordinary, w.via FROM jwt.web_roles() w;
SELECT severity, rule, object FROM jwt.advise();

--
-- Who may be asked to be looked at
--
SELECT severity, rule, object FROM jwt.advise(web_roles => '{regress_jwt_staff}');
SELECT count(*) FROM jwt.advise(web_roles => '{regress_jwt_web}');
SELECT count(*) FROM jwt.advise(web_roles => '{}');
-- a token may take it: by an issuer's word, by a session, by a grant, by a policy
SELECT jwt.trust_issuer('https://idp.example', '{api}', role_claim => '$.role', allowed_roles => '{regress_jwt_staff}', subject_prefix => 'idp:');
SELECT w.via, count(a.*) FROM jwt.web_roles() w, jwt.advise() a WHERE w.role = 'regress_jwt_staff'::regrole GROUP BY 1;
SELECT jwt.trust_issuer('https://idp.example', '{api}', role_claim => '$.role', allowed_roles => '{regress_jwt_staff}', subject_prefix => 'idp:', enabled => false);
SELECT count(*) FROM jwt.advise();
SELECT jwt.distrust_issuer('https://idp.example');
SELECT count(*) FROM (SELECT jwt.open_session('42', '{"role": "regress_jwt_staff"}')) s;
SELECT w.via, count(a.*) FROM jwt.web_roles() w, jwt.advise() a WHERE w.role = 'regress_jwt_staff'::regrole GROUP BY 1;
SELECT jwt.close_sessions('42');
SELECT count(*) FROM jwt.advise();
GRANT regress_jwt_staff TO regress_jwt_web;
SELECT w.via FROM jwt.web_roles() w WHERE w.role = 'regress_jwt_staff'::regrole;
REVOKE regress_jwt_staff FROM regress_jwt_web;
CREATE POLICY staff ON regress_api.note TO regress_jwt_staff USING (jwt.has_scope('staff'));
SELECT w.via FROM jwt.web_roles() w WHERE w.role = 'regress_jwt_staff'::regrole;
DROP POLICY staff ON regress_api.note;
CREATE POLICY staff ON regress_api.note TO regress_jwt_staff USING (owner = current_user);
SELECT count(*) FROM jwt.web_roles() w WHERE w.role = 'regress_jwt_staff'::regrole;
DROP POLICY staff ON regress_api.note;
-- an application that logs in as itself: by its own grant, everybody's, or through a function of somebody's that asks
CREATE ROLE regress_jwt_app LOGIN;
GRANT USAGE ON SCHEMA regress_api TO regress_jwt_app;
\set app 'SELECT w.ordinary, w.via FROM jwt.web_roles() w WHERE w.role = ''regress_jwt_app''::regrole;'
:app
GRANT SELECT (id) ON regress_api.note TO regress_jwt_app;
:app
SELECT rule, object FROM jwt.advise();
REVOKE SELECT (id) ON regress_api.note FROM regress_jwt_app;
:app
GRANT SELECT ON regress_api.note TO PUBLIC;
:app
REVOKE USAGE ON SCHEMA regress_api FROM regress_jwt_app;
:app
GRANT USAGE ON SCHEMA regress_api TO regress_jwt_app;
-- whoever is not bound, owns the table or reads everything is none
ALTER ROLE regress_jwt_app BYPASSRLS;
:app
ALTER ROLE regress_jwt_app NOBYPASSRLS SUPERUSER;
:app
ALTER ROLE regress_jwt_app NOSUPERUSER;
GRANT pg_read_all_data TO regress_jwt_app;
:app
REVOKE pg_read_all_data FROM regress_jwt_app;
ALTER TABLE regress_api.note OWNER TO regress_jwt_owner;
GRANT regress_jwt_owner TO regress_jwt_app;
:app
REVOKE regress_jwt_owner FROM regress_jwt_app;
:app
ALTER TABLE regress_api.note OWNER TO CURRENT_USER;
REVOKE ALL ON regress_api.note FROM PUBLIC;
CREATE TABLE regress_api.asked (owner text PRIMARY KEY);
ALTER TABLE regress_api.asked ENABLE ROW LEVEL SECURITY;
ALTER TABLE regress_api.asked FORCE ROW LEVEL SECURITY;
GRANT SELECT ON regress_api.asked TO regress_jwt_app;
CREATE POLICY asked ON regress_api.asked USING (owner = current_user);
:app
CREATE FUNCTION regress_api.uid() RETURNS text LANGUAGE sql STABLE RETURN jwt.subject();
CREATE FUNCTION regress_api.around() RETURNS text LANGUAGE sql STABLE RETURN lower(regress_api.uid());
CREATE FUNCTION regress_api.by_name() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN jwt . "subject" (); END $$;
CREATE FUNCTION regress_api.other() RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN /* jwt.subject() */ RETURN 'jwt.subject()'; END $$;
ALTER POLICY asked ON regress_api.asked USING (owner = regress_api.other());
:app
ALTER POLICY asked ON regress_api.asked USING (owner = regress_api.uid());
:app
ALTER POLICY asked ON regress_api.asked USING (owner = regress_api.around());
:app
ALTER POLICY asked ON regress_api.asked USING (owner = regress_api.by_name());
:app
DROP TABLE regress_api.asked;
:app
-- nobody at all is worth a word, and so is one who is not there
BEGIN;
REVOKE regress_jwt_web FROM regress_jwt_login;
REVOKE ALL ON regress_api.note FROM regress_jwt_web;
SELECT * FROM jwt.advise();
SELECT rule FROM jwt.advise(web_roles => '{}');
SELECT rule FROM jwt.advise(web_roles => '{regress_jwt_wbe}');
SELECT rule FROM jwt.advise(web_roles => '{regress_jwt_wbe,regress_jwt_web}');
ROLLBACK;

--
-- Tables
--
\set findings 'SELECT severity, rule, object, finding FROM jwt.advise();'
CREATE TABLE regress_api.open (id integer, secret text);
GRANT SELECT (id) ON regress_api.open TO regress_jwt_web;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
-- out of reach: no privilege, or no way into the schema
REVOKE ALL ON regress_api.open FROM regress_jwt_web;
ALTER TABLE regress_api.open DISABLE ROW LEVEL SECURITY;
:findings
GRANT SELECT ON regress_api.open TO PUBLIC;
REVOKE USAGE ON SCHEMA regress_api FROM regress_jwt_web;
:findings
GRANT USAGE ON SCHEMA regress_api TO regress_jwt_web;
:findings
DROP TABLE regress_api.open;
-- to write what one may not read
CREATE TABLE regress_api.inbox (id integer, sender text);
GRANT INSERT (sender) ON regress_api.inbox TO regress_jwt_web;
:findings
GRANT DELETE ON regress_api.inbox TO regress_jwt_web;
REVOKE INSERT (sender) ON regress_api.inbox FROM regress_jwt_web;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
ALTER TABLE regress_api.inbox DISABLE ROW LEVEL SECURITY;
GRANT SELECT ON regress_api.inbox TO regress_jwt_web;
:findings
REVOKE ALL ON regress_api.inbox FROM regress_jwt_web;
:findings
DROP TABLE regress_api.inbox;
-- partitions are tables of their own
CREATE TABLE regress_api.part (id integer, owner text) PARTITION BY LIST (id);
CREATE TABLE regress_api.part_1 PARTITION OF regress_api.part FOR VALUES IN (1);
GRANT SELECT ON regress_api.part TO regress_jwt_web;
:findings
SELECT fix FROM jwt.advise() \gexec
GRANT SELECT ON regress_api.part_1 TO regress_jwt_web;
:findings
DROP TABLE regress_api.part;
ALTER TABLE regress_api.note NO FORCE ROW LEVEL SECURITY;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings

--
-- Views
--
ALTER VIEW regress_api.note_view RESET (security_invoker);
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
ALTER VIEW regress_api.note_view SET (security_invoker = false);
CREATE VIEW regress_api.over WITH (security_invoker) AS SELECT * FROM regress_api.note_view;
CREATE VIEW regress_api."Over over" AS SELECT * FROM regress_api.over;
REVOKE SELECT ON regress_api.note_view FROM regress_jwt_web;
GRANT SELECT ON regress_api.over, regress_api."Over over" TO regress_jwt_web;
:findings
DROP VIEW regress_api."Over over", regress_api.over;
-- an owner who is bound by the policies is less of a harm
ALTER VIEW regress_api.note_view OWNER TO regress_jwt_owner;
GRANT SELECT ON regress_api.note_view TO regress_jwt_web;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
ALTER VIEW regress_api.note_view OWNER TO CURRENT_USER;
CREATE VIEW regress_api.mine AS SELECT * FROM jwt.my_sessions;
CREATE VIEW regress_api.all_sessions AS SELECT * FROM jwt.sessions;
GRANT SELECT ON regress_api.mine, regress_api.all_sessions TO regress_jwt_web;
:findings
DROP VIEW regress_api.mine, regress_api.all_sessions;
GRANT SELECT ON regress_api.staff_mv TO regress_jwt_web;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings

--
-- Functions
--
ALTER FUNCTION regress_api.pinned() RESET search_path;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
SELECT regress_api.pinned();
ALTER FUNCTION regress_api.pinned() SET search_path = "$user", public;
:findings
-- not for those who may not call it
REVOKE EXECUTE ON FUNCTION regress_api.pinned() FROM PUBLIC;
:findings
GRANT EXECUTE ON FUNCTION regress_api.pinned() TO regress_jwt_web;
SELECT fix FROM jwt.advise() \gexec
:findings
-- through a view; parsed when it was made; a procedure
CREATE FUNCTION regress_api.through_view() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT count(*) FROM regress_api.Staff_View';
CREATE FUNCTION regress_api.parsed() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER RETURN (SELECT count(*) FROM regress_api.note);
CREATE PROCEDURE regress_api.doing(n integer) LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN DELETE FROM note; END $$;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
DROP FUNCTION regress_api.through_view(), regress_api.parsed();
DROP PROCEDURE regress_api.doing(integer);

-- names in comments, strings and other words are none; those in quotes are
CREATE TABLE regress_api."Odd % ""name" (a integer);
ALTER TABLE regress_api."Odd % ""name" ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION regress_api.none() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $f$
BEGIN
    -- note
    /* note /* note */ note */
    RETURN 'note' || E'\'note' || $$note$$ || $x$ note $$ note $x$ || other_schema.note || "Note" || note_ || 1e9;
END
$f$;
SELECT rule, object FROM jwt.advise();
CREATE FUNCTION regress_api.odd() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN RETURN length('it''s no note') + (SELECT count(*) FROM/**/"Odd % ""name"); END $$;
SELECT rule, finding, fix FROM jwt.advise();
SELECT fix FROM jwt.advise() \gexec
SELECT proconfig FROM pg_proc WHERE oid = 'regress_api.odd()'::regprocedure;
DROP FUNCTION regress_api.none(), regress_api.odd();
DROP TABLE regress_api."Odd % ""name";
-- with its schema a name needs no path
CREATE FUNCTION regress_api.qualified(text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM regress_api . note n WHERE n.owner = $1';
SET check_function_bodies = off;
CREATE FUNCTION regress_api.broken() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT 'from note $$;
RESET check_function_bodies;
:findings
-- nobody else's schema is proposed, least of all the first that has the name
CREATE ROLE regress_jwt_mallory;
CREATE SCHEMA regress_a_trap AUTHORIZATION regress_jwt_mallory;
CREATE TABLE regress_a_trap.note (a integer);
ALTER TABLE regress_a_trap.note ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION regress_api.bare() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN (SELECT count(*) FROM note); END $$;
SELECT object, finding, fix FROM jwt.advise();
-- nor where it alone has it
DROP TABLE regress_a_trap.note;
SELECT object, fix FROM jwt.advise();
GRANT CREATE ON SCHEMA regress_api TO regress_jwt_mallory;
SELECT object, fix FROM jwt.advise();
REVOKE CREATE ON SCHEMA regress_api FROM regress_jwt_mallory;
-- but for the function's owner
CREATE FUNCTION regress_a_trap.theirs() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN (SELECT count(*) FROM note, help()); END $$;
ALTER FUNCTION regress_a_trap.theirs() OWNER TO regress_jwt_mallory;
GRANT USAGE ON SCHEMA regress_api TO regress_jwt_mallory;
CREATE FUNCTION regress_a_trap.help() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT object, fix FROM jwt.advise();
CREATE FUNCTION regress_api.help() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT object, fix FROM jwt.advise() WHERE object ~ 'theirs';
-- $user in a path is nobody's schema
CREATE SCHEMA "$user";
CREATE FUNCTION "$user".money() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM regress_api.note';
SELECT object, fix FROM jwt.advise() WHERE object ~ 'money';
DROP SCHEMA "$user" CASCADE;
DROP SCHEMA regress_a_trap CASCADE;
DROP FUNCTION regress_api.qualified(text), regress_api.bare(), regress_api.broken(), regress_api.help();
:findings

--
-- Policies
--
CREATE FUNCTION regress_api.who() RETURNS jsonb LANGUAGE sql STABLE RETURN jwt.claims();
CREATE FUNCTION pg_temp.policy(expression text, other text = NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP POLICY IF EXISTS tried ON regress_api.note;
    EXECUTE format('CREATE POLICY tried ON regress_api.note USING (%s) WITH CHECK (%s)', expression, coalesce(other, 'true'));
END
$$;
CREATE FUNCTION pg_temp.found(expression text, other text = NULL) RETURNS TABLE (rule text, severity text, object text, fix text) LANGUAGE plpgsql AS $$
DECLARE
    fixes text[] = '{}';
BEGIN
    PERFORM pg_temp.policy(expression, other);
    FOR rule, severity, object, fix IN SELECT a.rule, a.severity, a.object, a.fix FROM jwt.advise() a LOOP
        RETURN NEXT;
        fixes := fixes || CASE WHEN rule = 'no_index' THEN '{}' ELSE ARRAY[fix] END;
    END LOOP;
    -- every fix is good SQL, and none is needed twice
    FOREACH fix IN ARRAY fixes LOOP
        EXECUTE fix;
    END LOOP;
    IF fixes <> '{}' AND EXISTS (SELECT FROM jwt.advise() a WHERE a.rule <> 'no_index' AND a.fix !~ '^--') THEN
        RAISE EXCEPTION 'not mended';
    END IF;
END
$$;
SELECT * FROM pg_temp.found($$owner = current_setting('request.jwt.claims', true)::json->>'sub'$$);
SELECT * FROM pg_temp.found($$owner = (SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb #>> '{app,sub}')$$);
SELECT * FROM pg_temp.found('true', $$owner = current_setting('request.jwt.claim.sub')$$);
SELECT * FROM pg_temp.found($$owner = current_setting('jwt.claims.person_id', true)$$);
SELECT * FROM pg_temp.found($$owner = current_setting('app.user', true)$$);
SET jwt_auth.claims_setting = 'app.user';
SELECT * FROM pg_temp.found($$owner = current_setting('app.user', true)::jsonb->>'sub'$$);
SET jwt_auth.claims_setting = 'app.*';
SELECT * FROM pg_temp.found($$owner = current_setting('app.user', true)$$);
SET jwt_auth.claims_setting = '';
SELECT * FROM pg_temp.found($$team = current_setting('request.jwt.claims', true)::uuid AND owner = current_setting('app.user', true)$$);
RESET jwt_auth.claims_setting;
SELECT * FROM pg_temp.found($$owner = current_setting('request.jwt.' || 'claims', true)$$);
SELECT * FROM pg_temp.found($$owner = jwt.claim('user_metadata', 'id')$$);
SELECT * FROM pg_temp.found($$owner = jwt.claim('app_metadata', 'id')$$);
SELECT * FROM pg_temp.found($$owner = (jwt.claims() #>> '{user_metadata,id}')$$);
SELECT * FROM pg_temp.found($$jwt.claims() @? '$.user_metadata.roles[*] ? (@ == "admin")'$$);
SELECT * FROM pg_temp.found($$(jwt.claims())['user_metadata']['id'] = '1' AND jsonb_extract_path_text(jwt.claims(), 'user_metadata', 'id') = owner$$);
SELECT * FROM pg_temp.found($$owner = regress_api.who() -> 'user_metadata' ->> 'id'$$);
SELECT * FROM pg_temp.found($$owner = current_setting('jwt.claims.user_metadata', true)$$);
SELECT * FROM pg_temp.found($$owner = (SELECT jwt.claims()) -> CASE WHEN id > 0 THEN 'user_metadata' ELSE 'x' END ->> 'id'$$);
SELECT * FROM pg_temp.found($$jwt.claims() @? '$.kind' AND jwt.claims() #>> '{}' = owner AND owner = current_setting('request.jwt.claim.sub')$$);
-- what cannot be mended is left to the reader
SELECT * FROM pg_temp.found($$jwt.claims() #>> '{user_metadata,NULL}' = owner$$);
SELECT * FROM pg_temp.found($$jwt.claims() @> '{"user_metadata": {"admin": true}}'$$);
-- a constant that is only that stays as it is, found or not
SELECT * FROM pg_temp.found($$body <> 'user_metadata' AND (jwt.claims() ->> 'category') <> 'user_metadata' AND body <> ALL ('{user_metadata}')$$);
SELECT * FROM pg_temp.found($$to_jsonb(body) ->> 'user_metadata' = owner AND jwt.claims() @? '$.kind ? (@ == "user_metadata")'$$);
SELECT * FROM pg_temp.found($$body <> 'user_metadata' AND owner = jwt.claims() -> 'user_metadata' ->> 'id' AND body <> 'current_setting(''request.jwt.claims''::text) clock_timestamp()'$$);
SELECT * FROM pg_temp.found($$owner = current_setting('request.jwt.claims', true)::jsonb->'user_metadata'->>'id' AND clock_timestamp() > '2000-01-01'$$);
-- VOLATILE: one of somebody's, the server's own, ours
CREATE FUNCTION regress_api.who(fallback text) RETURNS text LANGUAGE sql AS $$ SELECT jwt.subject() $$;
SELECT * FROM pg_temp.found($$owner = regress_api.who('x')$$);
SELECT * FROM pg_temp.found($$owner = regress_api.who('x')$$);
SELECT * FROM pg_temp.found($$random() < 0.5$$);
SELECT * FROM pg_temp.found($$id = ANY (SELECT random()::integer FROM generate_series(1, 3))$$);
SELECT * FROM pg_temp.found($$now() > '2000-01-01' AND length(body) > 3$$);

-- a float keeps its digits, whatever the session shows
SET extra_float_digits = 0;
SELECT fix FROM pg_temp.found($$length(body) < 0.1::float8 + 0.2::float8 + '0.30000000000000004'::float8 AND clock_timestamp() > '2000-01-01'$$);
RESET extra_float_digits;
DROP POLICY tried ON regress_api.note;

--
-- Names are other people's: a comment stays one, and SQL means what it says
--
CREATE FUNCTION regress_api."v
ALTER ROLE regress_jwt_mallory SUPERUSER --"() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT true';
CREATE TABLE regress_api."t
ALTER ROLE regress_jwt_mallory SUPERUSER --" (owner text);
SELECT format('CREATE POLICY %I ON regress_api.%I USING (random() < 1 AND jwt.claims() @> ''{"user_metadata": 1}'' AND regress_api.%I())',
              'p' || line, 't' || replace(line, E'\r', E'\n'), 'v' || replace(line, E'\r', E'\n'))
  FROM (VALUES (E'\rALTER ROLE regress_jwt_mallory SUPERUSER --')) l (line) \gset create_
\set QUIET on
:create_format;
CREATE POLICY "p $fix$; ALTER ROLE regress_jwt_mallory SUPERUSER; --" ON regress_api.note AS RESTRICTIVE
    USING (current_setting('request.jwt.claims') <> '$fix$; ALTER ROLE regress_jwt_mallory SUPERUSER; --');
CREATE FUNCTION regress_api."d
ALTER ROLE regress_jwt_mallory SUPERUSER --"() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN (SELECT count(*) FROM note); END $$;
CREATE SCHEMA regress_a_trap AUTHORIZATION regress_jwt_mallory;
CREATE TABLE regress_a_trap.note (a integer);
SELECT rule, fix FROM jwt.advise();
SELECT fix FROM jwt.advise() \gexec
SELECT rolname FROM pg_roles WHERE rolname ~ '^regress' AND rolsuper;
SELECT rule, fix FROM jwt.advise();
DROP SCHEMA regress_a_trap CASCADE;
DROP POLICY "p $fix$; ALTER ROLE regress_jwt_mallory SUPERUSER; --" ON regress_api.note;
DROP TABLE regress_api."t
ALTER ROLE regress_jwt_mallory SUPERUSER --";
DROP FUNCTION regress_api."v
ALTER ROLE regress_jwt_mallory SUPERUSER --"(), regress_api."d
ALTER ROLE regress_jwt_mallory SUPERUSER --"();
:findings
-- a function that fits better than the server's does not get into a policy
CREATE FUNCTION public.array_length(text[], integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1';
CREATE POLICY tried ON regress_api.note AS RESTRICTIVE USING (current_setting('request.jwt.claims') <> array_length(ARRAY[body], 1)::text);
SELECT p.oid AS tried FROM pg_policy p WHERE p.polname = 'tried' \gset
\set called 'SELECT refobjid::regprocedure AS called FROM pg_depend WHERE classid = ''pg_policy''::regclass AND objid = :tried AND refclassid = ''pg_proc''::regclass ORDER BY 1;'
:called
DROP POLICY tried ON regress_api.note;
SET search_path = pg_catalog;
CREATE POLICY tried ON regress_api.note AS RESTRICTIVE USING (current_setting('request.jwt.claims') <> array_length(ARRAY[body], 1)::text);
RESET search_path;
SELECT p.oid AS tried FROM pg_policy p WHERE p.polname = 'tried' \gset
SELECT fix FROM jwt.advise() \gexec
:called
SHOW search_path;
DROP POLICY tried ON regress_api.note;
DROP FUNCTION public.array_length(text[], integer);

--
-- Indexes
--
SELECT * FROM pg_temp.found('team = jwt.uid()');
CREATE INDEX note_team ON regress_api.note (body, team);
SELECT * FROM pg_temp.found('(SELECT jwt.uid()) = team');
DROP INDEX regress_api.note_team;
CREATE INDEX note_team ON regress_api.note (team) WHERE body IS NOT NULL;
SELECT * FROM pg_temp.found('team = jwt.claim(''team'')::uuid');
DROP INDEX regress_api.note_team;
CREATE INDEX note_team ON regress_api.note USING hash (team);
SELECT * FROM pg_temp.found('team = jwt.uid()');
DROP INDEX regress_api.note_team;
-- a cast stands in the way of an index
CREATE INDEX note_team ON regress_api.note (team, id);
SELECT * FROM pg_temp.found('team = jwt.uid()');
SELECT * FROM pg_temp.found('team::text = jwt.subject()');
CREATE INDEX note_team_text ON regress_api.note ((team::text));
SELECT * FROM pg_temp.found('team::text = jwt.subject()');
SELECT * FROM pg_temp.found('team::varchar(9) = jwt.subject()');
SELECT * FROM pg_temp.found('EXISTS (SELECT FROM regress_api.note o, regress_api.note n WHERE n.team::text = jwt.subject())');
DROP INDEX regress_api.note_team, regress_api.note_team_text;
-- together one is enough, as alternatives each needs its own
SELECT * FROM pg_temp.found('team = jwt.uid() AND owner = jwt.subject()');
SELECT * FROM pg_temp.found('team = jwt.uid() OR owner = jwt.subject()');
SELECT * FROM pg_temp.found('team = jwt.uid() AND body = jwt.claim(''body'')');
-- one of several, as list, array or subquery; by a function around ours
SELECT * FROM pg_temp.found('team = ANY (ARRAY[jwt.uid(), NULL])');
SELECT * FROM pg_temp.found('team IN (jwt.uid(), ''00000000-0000-4000-8000-000000000000'')');
SELECT * FROM pg_temp.found('team::text = regress_api.uid() OR body = regress_api.around()');
SELECT * FROM pg_temp.found('owner IN (jwt.subject(), ''everybody'')');
SELECT * FROM pg_temp.found('team <> ALL (ARRAY[jwt.uid(), NULL]) AND jwt.uid() = ANY (ARRAY[team])');
SELECT * FROM pg_temp.found('team IN (SELECT jwt.uid())');
SELECT * FROM pg_temp.found('owner IN (SELECT jwt.subject())');
SELECT fix FROM jwt.advise() \gexec
SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'tried';
SELECT rule FROM jwt.advise();
-- a row of the table in the subquery is another thing
SELECT * FROM pg_temp.found('body IN (SELECT coalesce(jwt.subject(), owner))');
-- what is no cast is no column; "or" in a string is none
SELECT * FROM pg_temp.found('(now() AT TIME ZONE body) = jwt.claim(''t'')::timestamp AND overlay(body PLACING owner FROM 1) = jwt.subject()');
SELECT * FROM pg_temp.found('team = jwt.uid() AND body <> '' OR '' AND owner = jwt.subject()');
-- in a subquery it is the other table's
CREATE TABLE regress_api.member (team uuid, person text);
SELECT * FROM pg_temp.found('EXISTS (SELECT FROM regress_api.note n, regress_api.member m WHERE (n.body::timestamptz AT TIME ZONE m.person) = jwt.claim(''t'')::timestamp)');
SELECT * FROM pg_temp.found('EXISTS (SELECT FROM regress_api.member m WHERE m.team = note.team AND m.person = jwt.subject())');
SELECT * FROM pg_temp.found('EXISTS (SELECT FROM regress_api.member m WHERE m.team = note.team AND note.owner = jwt.subject())');
SELECT * FROM pg_temp.found('EXISTS (WITH m AS (SELECT * FROM regress_api.member) SELECT FROM m WHERE m.person = jwt.subject())');
CREATE INDEX ON regress_api.member (person);
SELECT * FROM pg_temp.found('team IN (SELECT m.team FROM regress_api.member m WHERE m.person = (SELECT jwt.subject()))');
-- other comparisons, and other functions
SELECT * FROM pg_temp.found('body > jwt.subject() OR body = current_user OR lower(body) = jwt.subject() OR jwt.subject() = jwt.role() OR body = owner OR body = coalesce(jwt.subject(), owner)');
-- a literal whose reading may call somebody's function, as a domain's does, is in no SQL that is to be run; labels of an enum are
CREATE DOMAIN regress_api.checked AS text;
CREATE TYPE regress_api.pair AS (a regress_api.checked);
CREATE TYPE regress_api.mood AS ENUM ('good', 'bad');
SELECT fix FROM pg_temp.found($$owner = current_setting('request.jwt.claim.sub', true) AND cardinality('{a}'::regress_api.checked[]) > 0$$);
SELECT fix FROM pg_temp.found($$owner = current_setting('request.jwt.claim.sub', true) AND EXISTS (SELECT FROM regress_api.member WHERE ('(a)'::regress_api.pair).a > '')$$);
SELECT fix FROM pg_temp.found($$owner = current_setting('request.jwt.claim.sub', true) AND 'good' = ANY ('{good}'::regress_api.mood[]) AND 'good'::regress_api.mood < 'bad'$$);
-- names of several parts
SELECT * FROM jwt.source_names('SELECT a.b.c(1), d, "E"."f" (2), g.');
-- of a table that is gone
SELECT FROM pg_temp.policy($$owner = current_setting('request.jwt.claim.sub', true)$$);
SELECT jwt.mend_expression(polqual, 0, '{}') IS NULL AS gone, jwt.mend_expression(polqual, polrelid, '{}') FROM pg_policy WHERE polname = 'tried';
-- big tables weigh more
INSERT INTO regress_api.note SELECT i, i, gen_random_uuid(), repeat('x', 1000) FROM generate_series(1, 2000) i;
SELECT * FROM pg_temp.found('team = jwt.uid()');
SELECT fix FROM jwt.advise() \gexec
:findings
CREATE TABLE regress_api.parted (id integer, owner text, body text) PARTITION BY LIST (id);
CREATE TABLE regress_api.parted_1 PARTITION OF regress_api.parted FOR VALUES IN (1) PARTITION BY LIST (owner);
CREATE TABLE regress_api.parted_1_x PARTITION OF regress_api.parted_1 DEFAULT;
ALTER TABLE regress_api.parted ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON regress_api.parted USING (owner = jwt.subject());
SELECT severity, object FROM jwt.advise();
INSERT INTO regress_api.parted SELECT 1, i, repeat('x', 1000) FROM generate_series(1, 2000) i;
SELECT severity, object FROM jwt.advise();
DROP TABLE regress_api.parted;
DROP POLICY tried ON regress_api.note;
-- only to write with, it needs none
CREATE POLICY tried ON regress_api.note FOR INSERT WITH CHECK (body = jwt.subject());
:findings
DROP POLICY tried ON regress_api.note;

--
-- Roles, publications
--
ALTER ROLE regress_jwt_web BYPASSRLS;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
ALTER ROLE regress_jwt_owner BYPASSRLS;
:findings
ALTER ROLE regress_jwt_owner NOBYPASSRLS;
-- a gateway (here the server trusts every connection: t/270_advise.pl has others)
CREATE ROLE regress_jwt_gateway SUPERUSER;
SET jwt_auth.trusted_gateways = 'regress_jwt_gateway, nobody_of_that_name';
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
RESET jwt_auth.trusted_gateways;
ALTER ROLE regress_jwt_login SET jwt_auth.trusted_gateways = 'regress_jwt_gateway';
ALTER ROLE regress_jwt_gateway SUPERUSER;
:findings
ALTER ROLE regress_jwt_login RESET jwt_auth.trusted_gateways;
:findings
CREATE PUBLICATION regress_jwt_all FOR ALL TABLES WITH (publish = 'insert, delete', publish_via_partition_root);
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
SELECT pubname, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot FROM pg_publication ORDER BY 1;
ALTER PUBLICATION regress_jwt_all ADD TABLE jwt.issuers, TABLES IN SCHEMA jwt;
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
DROP PUBLICATION regress_jwt_all;

--
-- Lifetimes, wherever they are set
--
SET jwt_auth.access_token_lifetime = '61min';
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
SHOW jwt_auth.access_token_lifetime;
SET jwt_auth.access_token_lifetime = '1h';
:findings
ALTER ROLE regress_jwt_login SET jwt_auth.access_token_lifetime = '1d';
ALTER ROLE regress_jwt_login IN DATABASE :"database" SET jwt_auth.access_token_lifetime = 7200;
ALTER DATABASE :"database" SET jwt_auth.access_token_lifetime = '2h';
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
ALTER ROLE regress_jwt_login RESET ALL;
ALTER ROLE regress_jwt_login IN DATABASE :"database" RESET ALL;
ALTER DATABASE :"database" RESET ALL;
RESET jwt_auth.access_token_lifetime;
-- a database's word goes before every role's, and what is stored before what runs
ALTER ROLE ALL SET jwt_auth.access_token_lifetime = '3h';
:findings
ALTER DATABASE :"database" SET jwt_auth.access_token_lifetime = '1h';
:findings
ALTER DATABASE :"database" RESET jwt_auth.access_token_lifetime;
ALTER ROLE ALL RESET jwt_auth.access_token_lifetime;
ALTER DATABASE :"database" SET jwt_auth.access_token_lifetime = '2h';
\c
\i :helpers
SET client_min_messages = error;
ALTER DATABASE :"database" RESET jwt_auth.access_token_lifetime;
SELECT jwt.own_issuer();
SELECT setting, source FROM pg_settings WHERE name = 'jwt_auth.access_token_lifetime';
:findings
-- every way to write a time
SELECT v, jwt.seconds_of(v) FROM unnest('{90,1.5h,"  2 min ",90.5d,1e3,0x10,1500ms,1us,h,1 hour,on,"",NULL}'::text[]) v;
SET jwt_auth.access_token_lifetime = '1.5h';
:findings
ALTER DATABASE :"database" SET jwt_auth.access_token_lifetime = '0.5d';
RESET jwt_auth.access_token_lifetime;
:findings
ALTER DATABASE :"database" RESET ALL;
SET jwt_auth.refresh_token_lifetime = '90d';
:findings
SELECT fix FROM jwt.advise() \gexec
:findings
SET jwt_auth.session_lifetime = '8h';
:findings
SELECT fix FROM jwt.advise() \gexec
SHOW jwt_auth.refresh_token_lifetime;
:findings
RESET jwt_auth.session_lifetime;
RESET jwt_auth.refresh_token_lifetime;

--
-- Keys
--
UPDATE jwt.key_store SET current_since = '2000-01-01' WHERE kid = 'now';
:findings
SELECT fix FROM jwt.advise() \gexec
-- the standby key is spent
:findings
SELECT 'DO $x$ BEGIN ' || replace(fix, 'SELECT', 'PERFORM') || ' END $x$' FROM jwt.advise() \gexec
:findings
SELECT kid, status FROM jwt.keys WHERE kid IN ('now', 'next') ORDER BY kid;
UPDATE jwt.key_store SET current_since = now() - interval '80 days' WHERE status = 'current';
:findings
SELECT count(*) FROM jwt.advise(key_age => '79 days');
SELECT jwt.set_key_times('next', NULL, now() - interval '1 minute');
:findings
SELECT jwt.set_key_times('next', NULL, NULL);
SELECT jwt.generate_key('HS256', 'shared');
:findings
SELECT fix FROM jwt.advise() \gexec
SELECT jwt.set_key_status('shared', 'current');
SELECT jwt.set_key_status('next', 'previous');
SELECT rule, fix FROM jwt.advise();
SET jwt_auth.issuer = 'https://api.example';
:findings
SELECT jwt.set_key_status('shared', 'previous');
:findings
SELECT jwt.set_key_status('shared', 'current');
SELECT 'DO $x$ BEGIN ' || replace(fix, 'SELECT', 'PERFORM') || ' END $x$' FROM jwt.advise() \gexec
-- the key made for it is the current one, and needs no other
SELECT count(*) FILTER (WHERE alg = 'ES256') AS es256, count(*) FILTER (WHERE alg <> 'ES256') AS others FROM jwt.keys WHERE status = 'current';
:findings
RESET jwt_auth.issuer;

--
-- Ten at once, and nothing else
--
CREATE TABLE regress_api.planted (id integer PRIMARY KEY, owner text);
GRANT SELECT ON regress_api.planted TO regress_jwt_web;                                     -- 1
ALTER TABLE regress_api.note NO FORCE ROW LEVEL SECURITY;                                   -- 2
CREATE POLICY planted_3 ON regress_api.note AS RESTRICTIVE USING (current_setting('request.jwt.claims', true)::json->>'aal' = '2');   -- 3
CREATE POLICY planted_4 ON regress_api.note AS RESTRICTIVE USING (jwt.claim('user_metadata', 'blocked') IS NULL);   -- 4
CREATE POLICY planted_5 ON regress_api.note AS RESTRICTIVE USING (team = jwt.uid());
DROP INDEX regress_api.note_team_idx;                                                       -- 5
ALTER VIEW regress_api.note_view SET (security_invoker = false);                            -- 6
ALTER FUNCTION regress_api.pinned() RESET search_path;                                      -- 7
ALTER ROLE regress_jwt_web BYPASSRLS;
ALTER ROLE regress_jwt_web NOBYPASSRLS;
CREATE ROLE regress_jwt_service BYPASSRLS;
GRANT regress_jwt_service TO regress_jwt_login;                                             -- 8
CREATE PUBLICATION regress_jwt_all FOR ALL TABLES;                                          -- 9
ALTER DATABASE :"database" SET jwt_auth.access_token_lifetime = '30d';                      -- 10
SELECT row_number() OVER () AS n, severity, rule, object FROM jwt.advise();
SELECT fix FROM jwt.advise() \gexec
SELECT * FROM jwt.advise();

--
-- Not for everybody
--
SET ROLE regress_jwt_web;
SELECT pg_temp.try('SELECT count(*) FROM jwt.advise()');
RESET ROLE;
GRANT EXECUTE ON FUNCTION jwt.advise TO regress_jwt_staff;
SET ROLE regress_jwt_staff;
SELECT pg_temp.try('SELECT count(*) FROM jwt.advise()');
RESET ROLE;

ALTER DATABASE :"database" RESET ALL;
DROP PUBLICATION regress_jwt_all, regress_jwt_changes;
DROP SCHEMA regress_api CASCADE;
DROP EXTENSION jwt_auth;
DROP ROLE regress_jwt_login, regress_jwt_web, regress_jwt_staff, regress_jwt_owner, regress_jwt_gateway, regress_jwt_service,
    regress_jwt_app, regress_jwt_mallory;
