-- Once an algorithm, for tokens.sh: the key and work_ALG, which holds tokens
-- and their parts ready for those that do less.

SET client_min_messages = error;
\set work work_ :alg
INSERT INTO keys
    SELECT :'alg', CASE WHEN :'alg' = 'HS256' THEN jwt.jwk_from_secret(:'key', 'HS256', 'HS256')
                        ELSE jwt.jwk_from_pem(:'key', :'alg', :'alg') END;
SELECT jwt.import_key(jwk, status => 'current') FROM keys WHERE alg = :'alg' \g /dev/null
SELECT reference_key(:'alg', :'key') \g /dev/null

CREATE TABLE :work (token text, input text, sig bytea, payload text, claims jsonb);
-- Inline: what is measured is not the fetching of long values.
ALTER TABLE :work ALTER token SET STORAGE PLAIN, ALTER input SET STORAGE PLAIN, ALTER sig SET STORAGE PLAIN,
    ALTER payload SET STORAGE PLAIN, ALTER claims SET STORAGE PLAIN;
INSERT INTO :work
    SELECT token, input, reference_signature(base64url_decode(split_part(token, '.', 3))),
           convert_from(base64url_decode(split_part(token, '.', 2)), 'UTF8'),
           convert_from(base64url_decode(split_part(token, '.', 2)), 'UTF8')::jsonb
      FROM (SELECT jwt.sign(jsonb_build_object('sub', gen_random_uuid(), 'role', 'web_user',
                       'email', 'me@example.com', 'name', 'Somebody', 'tenant', gen_random_uuid(),
                       'scope', 'notes:read notes:write profile'),
                   :'alg', '1 day') AS token
              FROM generate_series(1, :rows) OFFSET 0) t,
           LATERAL (SELECT split_part(token, '.', 1) || '.' || split_part(token, '.', 2) AS input) i;
