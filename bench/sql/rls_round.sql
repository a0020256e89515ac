-- One round, for rls.sh: lines "CASE NANOSECONDS".

SET client_min_messages = error;
BEGIN;
SELECT jwt.authenticate(token, set_role => false), set_config('request.jwt.claims', jwt.verify(token)::text, true) FROM token \g /dev/null
SELECT 'uuid/constant', scan('uuid/constant', 'big');
SELECT 'uuid/helper', scan('uuid/helper', 'big');
SELECT 'text/constant', scan('text/constant', 'big');
SELECT 'text/helper', scan('text/helper', 'big');
SELECT 'claim/constant', scan('claim/constant', 'big');
SELECT 'claim/helper', scan('claim/helper', 'big');
SELECT 'setting/constant', scan('setting/constant', 'small');
SELECT 'setting/helper', scan('setting/helper', 'small');
SELECT 'planning/constant', plan('planning/constant');
SELECT 'planning/helper', plan('planning/helper');
COMMIT;
