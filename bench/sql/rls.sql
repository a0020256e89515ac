-- Once, for rls.sh: a table, and roles that each see it by one policy.

SET client_min_messages = error;
\ir measure.sql
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256', 'bench') \g /dev/null

CREATE TABLE big AS
    SELECT gen_random_uuid() AS uid, 'u' || g AS owner, 't' || g AS tenant FROM generate_series(1, :rows) g;
CREATE TABLE small AS SELECT * FROM big LIMIT 20000;
CREATE TABLE keyed AS SELECT g AS id, 'u' || g AS owner FROM generate_series(1, 1000) g;
ALTER TABLE keyed ADD PRIMARY KEY (id);
CREATE TABLE token AS
    SELECT jwt.sign(jsonb_build_object('sub', gen_random_uuid(), 'role', 'web_user', 'email', 'me@example.com',
               'name', 'Somebody', 'tenant', gen_random_uuid(), 'scope', 'notes:read notes:write profile'),
           'bench', '1 day') AS token;
GRANT SELECT ON token TO PUBLIC;
GRANT USAGE ON SCHEMA bench TO PUBLIC;

-- policy(ROLE, TABLE, CONDITION)
CREATE PROCEDURE policy(role text, relation regclass, condition text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE ROLE %I', role);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY %I ON %s TO %I USING (%s)', role, relation, role, condition);
    EXECUTE format('GRANT SELECT ON %s TO %I', relation, role);
END
$$;
CALL policy('uuid/constant', 'big', $$uid = '6c0bde57-1aa2-4a35-9f1d-6a3a8f5d8a10'$$);
CALL policy('uuid/helper', 'big', 'uid = jwt.uid()');
CALL policy('text/constant', 'big', $$owner = '6c0bde57-1aa2-4a35-9f1d-6a3a8f5d8a10'$$);
CALL policy('text/helper', 'big', 'owner = jwt.subject()');
CALL policy('claim/constant', 'big', $$tenant = '6c0bde57-1aa2-4a35-9f1d-6a3a8f5d8a10'$$);
CALL policy('claim/helper', 'big', $$tenant = jwt.claim('tenant')$$);
CALL policy('setting/constant', 'small', $$owner = '6c0bde57-1aa2-4a35-9f1d-6a3a8f5d8a10'$$);
CALL policy('setting/helper', 'small', $$owner = current_setting('request.jwt.claims', true)::json ->> 'sub'$$);
CALL policy('planning/constant', 'keyed', $$owner = 'u5'$$);
CALL policy('planning/helper', 'keyed', 'owner = jwt.subject()');

-- Nanoseconds a row, as that role; the fastest of a few turns.
CREATE FUNCTION scan(role text, relation text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    began double precision;
    fastest double precision := 'infinity';
    rows bigint := (SELECT reltuples FROM pg_class WHERE relname = relation);
BEGIN
    PERFORM set_config('role', role, true);
    FOR turn IN 1..2 LOOP
        began := bench.clock();
        EXECUTE format('SELECT count(*) FROM %I', relation);
        fastest := least(fastest, bench.clock() - began);
    END LOOP;
    PERFORM set_config('role', 'none', true);
    RETURN round((fastest / rows)::numeric, 2);
END
$$;

-- Nanoseconds to parse, plan and run a read by primary key.
CREATE FUNCTION plan(role text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    began double precision;
    fastest double precision := 'infinity';
BEGIN
    PERFORM set_config('role', role, true);
    FOR turn IN 1..5 LOOP
        began := bench.clock();
        FOR i IN 1..300 LOOP
            EXECUTE 'SELECT owner FROM keyed WHERE id = 5';
        END LOOP;
        fastest := least(fastest, bench.clock() - began);
    END LOOP;
    PERFORM set_config('role', 'none', true);
    RETURN round((fastest / 300)::numeric);
END
$$;
VACUUM ANALYZE;
CHECKPOINT;
