-- One round of one database, for growth.sh: lines "CASE NANOSECONDS".

SET plan_cache_mode = force_generic_plan;
SET max_parallel_workers_per_gather = 0;
SELECT quote_literal(token) AS token FROM tokens LIMIT 1 \gset
PREPARE base AS SELECT count(token) FROM tokens;
PREPARE verify AS SELECT count(jwt.verify(token)) FROM tokens;
PREPARE session_base AS SELECT count(session_token) FROM tokens;
PREPARE session_verify AS SELECT count(jwt.verify(session_token)) FROM tokens;
PREPARE same_base(text) AS SELECT count($1) FROM generate_series(1, 20000);
PREPARE same(text) AS SELECT count(jwt.verify($1)) FROM generate_series(1, 20000);
-- as in a backend that has been there for a while
DO $$ BEGIN FOR turn IN 1 .. 12 LOOP PERFORM jwt.verify(token) FROM tokens; END LOOP; END $$;
SELECT 'new/' || :'database', bench.net('verify', 'base', 1000);
SELECT 'session/' || :'database', bench.net('session_verify', 'session_base', 1000);
SELECT 'cached/' || :'database', bench.net(format('same(%s)', :'token'), format('same_base(%s)', :'token'), 20000);
BEGIN;
SELECT 'refresh/' || :'database', least(refresh_often(30), refresh_often(30), refresh_often(30));
ROLLBACK;
