-- The extension at work, in a minute.  "make demo" runs this file on a
-- throw-away server and shows each statement with its answer.

-- 1. A signing key of the database's own.  SQL can use it, and never read it.
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key() AS kid \gset
SELECT kid, alg, status FROM jwt.keys;

-- 2. Sign a token and verify it.
SELECT jwt.sign('{"sub": "alice", "admin": false}', expires_in => '5 min') AS token \gset
SELECT left(:'token', 20) || '...' AS token;
SELECT jwt.verify(:'token') AS claims;

\set ECHO none
SELECT jwt.verify(:'token') ->> 'sub' = 'alice' AS verified \gset
\set ECHO all

-- 3. A forged claim: the same token, in which alice calls herself an admin.
\set ECHO none
SELECT split_part(:'token', '.', 1) || '.' ||
	translate(encode(convert_to(
		((d).claims || '{"admin": true}')::text, 'UTF8'), 'base64'),
		E'+/=\n', '-_') || '.' ||
	split_part(:'token', '.', 3) AS forged
  FROM jwt.decode_unverified(:'token') AS d \gset
\set ECHO all
SELECT claims ->> 'admin' AS claims_admin FROM jwt.decode_unverified(:'forged');
SELECT jwt.verify(:'forged');
\set forged_state :SQLSTATE
SELECT valid, error_code, error FROM jwt.try_verify(:'forged');

-- 4. Row-level security that knows who is asking.
CREATE TABLE notes (owner text, body text);
INSERT INTO notes VALUES ('alice', 'call bob'), ('bob', 'do not call alice');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON notes USING (owner = jwt.subject());
CREATE ROLE web_user;
GRANT SELECT ON notes TO web_user;

-- Both log in: an access token to ask with, a refresh token to go on with.
SELECT s ->> 'access_token' AS alice, s ->> 'refresh_token' AS alice_refresh
  FROM jwt.open_session('alice', '{"role": "web_user"}') AS s \gset
SELECT s ->> 'access_token' AS bob
  FROM jwt.open_session('bob', '{"role": "web_user"}') AS s \gset

BEGIN;
SELECT jwt.authenticate(:'alice') ->> 'sub' AS asking;
SELECT * FROM notes;
\set ECHO none
SELECT array_agg(owner) = '{alice}' AS alice_sees_hers FROM notes \gset
\set ECHO all
COMMIT;

BEGIN;
SELECT jwt.authenticate(:'bob') ->> 'sub' AS asking;
SELECT * FROM notes;
\set ECHO none
SELECT array_agg(owner) = '{bob}' AS bob_sees_his FROM notes \gset
\set ECHO all
COMMIT;

-- After COMMIT nobody is asking, whoever gets this connection next.
SET ROLE web_user;
SELECT jwt.is_authenticated(), count(*) AS notes FROM notes;
\set ECHO none
SELECT count(*) = 0 AND NOT jwt.is_authenticated() AS nobody_sees_none FROM notes \gset
\set ECHO all
RESET ROLE;

-- 5. Refresh: a new pair, and the old refresh token is spent.
-- (No grace for a repeated request here; the default is 10 seconds.)
SET jwt_auth.refresh_reuse_interval = 0;
SELECT s ->> 'token_type' AS token_type, s ->> 'expires_in' AS expires_in,
	s ->> 'access_token' AS next_access, s ->> 'refresh_token' AS next_refresh
  FROM jwt.refresh(:'alice_refresh') AS s \gset
SELECT :'token_type' AS token_type, :'expires_in' AS expires_in,
	left(:'next_refresh', 12) || '...' AS refresh_token;

-- 6. A thief presents the spent one.  It is refused, and the session closed:
-- neither what the thief holds nor what alice holds works any longer.
SELECT jwt.refresh(:'alice_refresh');
\set ECHO none
SELECT jwt.refresh(:'alice_refresh') ->> 'error' = 'invalid_grant' AS replay_refused,
	jwt.refresh(:'next_refresh') ->> 'error' = 'invalid_grant' AS session_closed \gset
\set ECHO all
SELECT jwt.verify(:'next_access');
\set closed_state :SQLSTATE

\set ECHO none
SELECT :'verified' AND :'forged_state' = '28J03'
	AND :'alice_sees_hers' AND :'bob_sees_his' AND :'nobody_sees_none'
	AND :'next_refresh' <> :'alice_refresh'
	AND :'replay_refused' AND :'session_closed' AND :'closed_state' = '28J09'
	AS promised \gset
\if :promised
\echo 'demo: all as promised'
\else
\echo 'demo: NOT as promised'
\endif
