-- One round of one algorithm, for tokens.sh: lines "CASE NANOSECONDS".

SET client_min_messages = error;
SET plan_cache_mode = force_generic_plan;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
\set work work_ :alg
\set claims few_claims
SELECT :'alg' = 'HS256' AS is_hmac, :'pgjwt' = 'yes' AS has_pgjwt, quote_literal(token) AS token,
       (SELECT count(*) FROM :work) AS rows, CASE WHEN :'alg' = 'HS256' THEN 1000 ELSE 150 END AS signed
  FROM :work LIMIT 1 \gset
SELECT reference_key(:'alg', :'key') \g /dev/null

PREPARE base AS SELECT count(token) FROM :work;
PREPARE base_parts AS SELECT count(input), count(sig), count(payload) FROM :work;
PREPARE base_input AS SELECT count(input) FROM :work;
PREPARE base_payload AS SELECT count(payload) FROM :work;
PREPARE verify AS SELECT count(jwt.verify(token)) FROM :work;
PREPARE reference AS SELECT count(reference_verify(input, sig, payload)) FROM :work;
PREPARE signature AS SELECT count(reference_check(input, sig)), count(payload) FROM :work;
PREPARE jsonb_in AS SELECT count(payload::jsonb) FROM :work;
PREPARE same_base(text) AS SELECT count($1) FROM generate_series(1, 20000);
PREPARE same(text) AS SELECT count(jwt.verify($1)) FROM generate_series(1, 20000);
PREPARE nothing(text) AS SELECT count(reference_nothing($1)) FROM generate_series(1, 20000);
EXECUTE verify \g /dev/null

SELECT :'alg' || '/verify/jwt_auth', bench.net('verify', 'base', :rows);
SELECT :'alg' || '/verify/reference', bench.net('reference', 'base_parts', :rows);
SELECT :'alg' || '/verify/signature', bench.net('signature', 'base_parts', :rows);
SELECT :'alg' || '/verify/jsonb_in', bench.net('jsonb_in', 'base_payload', :rows);
SELECT :'alg' || '/cached/jwt_auth', bench.net(format('same(%s)', :'token'), format('same_base(%s)', :'token'), 20000);
SELECT :'alg' || '/cached/nothing', bench.net(format('nothing(%s)', :'token'), format('same_base(%s)', :'token'), 20000);

\if :is_hmac
    \set claims claims
\endif
PREPARE base_claims AS SELECT count(claims) FROM :claims;
PREPARE sign AS SELECT count(jwt.sign(claims, :'alg')) FROM :claims;
PREPARE base_ready AS SELECT count(input) FROM (SELECT input FROM :work LIMIT :signed) w;
PREPARE sign_ready AS SELECT count(reference_sign(input)) FROM (SELECT input FROM :work LIMIT :signed) w;
PREPARE jsonb_out AS SELECT count(claims::text) FROM :claims;
SELECT :'alg' || '/sign/jwt_auth', bench.net('sign', 'base_claims', :signed);
SELECT :'alg' || '/sign/signature', bench.net('sign_ready', 'base_ready', :signed);
SELECT :'alg' || '/sign/jsonb_out', bench.net('jsonb_out', 'base_claims', :signed);

\if :is_hmac
    PREPARE hmac AS SELECT count(hmac(input, :'key', 'sha256')) FROM (SELECT input FROM :work LIMIT :signed) w;
    PREPARE base_200 AS SELECT count(token) FROM (SELECT token FROM :work LIMIT 200) w;
    PREPARE pgcrypto AS SELECT count(pgcrypto_verify(token, :'key')) FROM (SELECT token FROM :work LIMIT 200) w;
    PREPARE style AS SELECT count((SELECT v.payload FROM pgjwt_verify(token, :'key', 'HS256') v WHERE v.valid)) FROM (SELECT token FROM :work LIMIT 200) w;
    PREPARE base_few AS SELECT count(claims) FROM few_claims;
    PREPARE pgcrypto_sign AS SELECT count(pgcrypto_sign(claims, :'key')) FROM few_claims;
    PREPARE style_sign AS SELECT count(pgjwt_style_sign(claims::json, :'key', 'HS256')) FROM few_claims;
    PREPARE drop_in AS SELECT count((SELECT v.payload FROM drop_in.verify(token, :'key') v WHERE v.valid)) FROM (SELECT token FROM :work LIMIT 200) w;
    PREPARE drop_in_sign AS SELECT count(drop_in.sign(claims::json, :'key')) FROM few_claims;
    SELECT 'HS256/verify/drop_in', bench.net('drop_in', 'base_200', 200);
    SELECT 'HS256/sign/drop_in', bench.net('drop_in_sign', 'base_few', 150);
    SELECT 'HS256/sign/hmac', bench.net('hmac', 'base_ready', :signed);
    SELECT 'HS256/verify/pgcrypto', bench.net('pgcrypto', 'base_200', 200);
    SELECT 'HS256/verify/pgjwt_style', bench.net('style', 'base_200', 200);
    SELECT 'HS256/sign/pgcrypto', bench.net('pgcrypto_sign', 'base_few', 150);
    SELECT 'HS256/sign/pgjwt_style', bench.net('style_sign', 'base_few', 150);
    \if :has_pgjwt
        PREPARE pgjwt AS SELECT count((SELECT v.payload FROM pgjwt.verify(token, :'key', 'HS256') v WHERE v.valid)) FROM (SELECT token FROM :work LIMIT 200) w;
        PREPARE real_sign AS SELECT count(pgjwt.sign(claims::json, :'key', 'HS256')) FROM few_claims;
        SELECT 'HS256/verify/pgjwt', bench.net('pgjwt', 'base_200', 200);
        SELECT 'HS256/sign/pgjwt', bench.net('real_sign', 'base_few', 150);
    \endif
\endif
