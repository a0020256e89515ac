# How an identity comes, changes and goes: transactions, savepoints, cursors,
# roles, procedures, tokens that change inside one statement, and the settings
# a session starts with.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use Test::More;

my $node = start_node('roads', "max_prepared_transactions = 2\n");
my $release = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my $force_parallel = $release >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';

my %uuid = (alice => 'a' x 8 . '-0000-4000-8000-000000000000', bob => 'b' x 8 . '-0000-4000-8000-000000000000');
my %token = map { $_ => sign($node, qq({"sub":"$_","name":"$_","scope":"read $_","n":{"m":["$_"]}})) } qw(alice bob carol);
my %uuid_token = map { $_ => sign($node, qq({"sub":"$uuid{$_}","sid":"$uuid{$_}"})) } keys %uuid;
my $set = join '', map { "\\set $_ '$token{$_}'\n" } sort keys %token;

$node->safe_psql('postgres', <<SQL);
CREATE ROLE app LOGIN;
CREATE ROLE other LOGIN;
CREATE ROLE reader;
GRANT reader TO app;
CREATE TABLE notes (id int PRIMARY KEY, owner text NOT NULL);
INSERT INTO notes SELECT i, (ARRAY['alice', 'bob', 'carol', 'dave'])[1 + i % 4] FROM generate_series(0, 11) i;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notes USING (owner = jwt.subject());
GRANT ALL ON notes TO PUBLIC;
CREATE VIEW v_pinned AS SELECT * FROM notes WHERE owner = (SELECT jwt.subject());
GRANT SELECT ON v_pinned TO PUBLIC;
CREATE FUNCTION open_cursor() RETURNS refcursor LANGUAGE plpgsql AS \$\$
DECLARE c refcursor := 'c';
BEGIN OPEN c FOR SELECT id FROM notes; RETURN c; END \$\$;
CREATE TABLE log (n serial, who text, ids text);
GRANT ALL ON log, log_n_seq TO PUBLIC;
CREATE TABLE tokens (n int, name text, token text, uuid_token text);
INSERT INTO tokens SELECT i, CASE i % 3 WHEN 0 THEN 'alice' WHEN 1 THEN 'bob' ELSE NULL END,
	CASE i % 3 WHEN 0 THEN '$token{alice}' WHEN 1 THEN '$token{bob}' ELSE '' END,
	CASE i % 3 WHEN 0 THEN '$uuid_token{alice}' WHEN 1 THEN '$uuid_token{bob}' ELSE '' END
	FROM generate_series(0, 59) i;
ANALYZE tokens;
GRANT SELECT ON tokens TO PUBLIC;
CREATE FUNCTION become(text) RETURNS text LANGUAGE sql VOLATILE
	AS 'SELECT set_config(''jwt_auth.token'', \$1, false)';
SQL

# is_run(NAME, SQL, EXPECTED, ...): one psql run, whole.
my $who = q{SELECT coalesce(jwt.subject(), 'nobody'), (SELECT string_agg(id::text, ',' ORDER BY id) FROM notes);};
my %seen = (alice => 'alice|0,4,8', bob => 'bob|1,5,9', carol => 'carol|2,6,10', nobody => 'nobody|');

sub is_run
{
	my ($name, $sql, $expected, %opt) = @_;

	$sql =~ s/\bwho;/$who/g;
	$sql =~ s/(?<!\.)authenticate\((\w+)\);/SELECT FROM jwt.authenticate(:'$1') \\g \/dev\/null\n/g;
	$expected =~ s/^(alice|bob|carol|nobody)$/$seen{$1}/mg;
	$expected =~ s/\s+\z//;
	is(ask($node, "$set\n$sql", %opt), $expected, $name);
	return;
}

# ---- Transactions

is_run('COMMIT and ROLLBACK end it', <<'SQL', "alice\nnobody\nbob\nnobody");
BEGIN; authenticate(alice); who; COMMIT; who;
BEGIN; authenticate(bob); who; ROLLBACK; who;
SQL
is_run('an error ends it', <<'SQL', "alice\nERROR:  22012\nERROR:  25P02\nnobody");
BEGIN; authenticate(alice); who; SELECT 1 / 0; who; COMMIT; who;
SQL
is_run('what was set before comes back', <<'SQL', "carol\nalice\ncarol\nbob\ncarol\nnobody");
SET jwt_auth.token = :'carol'; who;
BEGIN; authenticate(alice); who; COMMIT; who;
BEGIN; SET LOCAL jwt_auth.token = :'bob'; who; ROLLBACK; who;
RESET jwt_auth.token; who;
SQL
is_run('savepoints', <<'SQL', "alice\nbob\nalice\nbob\nbob\ncarol\nbob\nnobody");
BEGIN; authenticate(alice); who;
SAVEPOINT a; authenticate(bob); who; ROLLBACK TO a; who;
SAVEPOINT b; authenticate(bob); who; RELEASE b; who;
SAVEPOINT c; SAVEPOINT d; authenticate(carol); who; RELEASE d; ROLLBACK TO c; who;
COMMIT; who;
SQL
is_run('a refused token changes nothing', <<'SQL', "alice\nERROR:  28J00\nalice");
BEGIN; authenticate(alice); who;
SAVEPOINT a; SELECT jwt.authenticate('x'); ROLLBACK TO a; who;
COMMIT;
SQL
is_run('exception blocks', <<'SQL', "alice\nalice,alice,bob");
BEGIN; authenticate(alice);
SELECT set_config('my.bob', :'bob', true) \g /dev/null
DO $$
DECLARE seen text := ''; before text := jwt.subject();
BEGIN
	BEGIN
		PERFORM jwt.authenticate(current_setting('my.bob'));
		seen := jwt.subject();
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
	PERFORM set_config('my.seen', concat_ws(',', before, jwt.subject(), seen), true);
END $$;
who; SHOW my.seen; COMMIT;
SQL
is_run('PREPARE TRANSACTION ends it', <<'SQL', "alice\nnobody\nnobody\nbob\nnobody\nt");
BEGIN; authenticate(alice); who; INSERT INTO log (who) VALUES (jwt.subject());
PREPARE TRANSACTION 'x'; who;
BEGIN; who; authenticate(bob); who; COMMIT;
COMMIT PREPARED 'x'; who;
SELECT bool_and(who = 'alice') FROM log;
SQL
is_run('AND CHAIN starts with nobody', <<'SQL', "nobody\nnobody");
BEGIN; authenticate(alice); COMMIT AND CHAIN; who; authenticate(alice); ROLLBACK AND CHAIN; who; COMMIT;
SQL
is_run('outside of a transaction block, a warning', <<'SQL', "WARNING:  25P01\n1\nnobody");
SELECT 1 FROM jwt.authenticate(:'alice'); who;
SQL
is_run('several statements of one message are one transaction', <<'SQL', "1\nalice\nnobody");
SELECT 1 FROM jwt.authenticate(:'alice') \; SELECT jwt.subject() || '|0,4,8'; who;
SQL
is_run('deferred triggers run with the identity of COMMIT', <<'SQL', "alice\nalice|\nbob|");
\c - postgres
CREATE FUNCTION note_who() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log (who) VALUES (jwt.subject()); RETURN NULL; END';
CREATE TABLE late (a int);
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION note_who();
GRANT ALL ON late TO app;
TRUNCATE log;
\c - app
BEGIN; authenticate(alice); who; INSERT INTO late VALUES (1); COMMIT;
BEGIN; authenticate(alice); INSERT INTO late VALUES (1); authenticate(bob); COMMIT;
SELECT who, ids FROM log ORDER BY n;
SQL
is_run('a function that sets and one that is set', <<'SQL', "bob\nalice|bob|alice\nalice\nbob|bob\nalice|\nalice");
\c - postgres
\o /dev/null
SELECT format('CREATE FUNCTION as_bob() RETURNS text LANGUAGE sql SET jwt_auth.token = %L AS ''SELECT jwt.subject()''', :'bob') \gexec
SELECT format('CREATE FUNCTION as_bob_pl() RETURNS text LANGUAGE plpgsql STABLE SET jwt_auth.token = %L AS ''BEGIN RETURN jwt.subject(); END''', :'bob') \gexec
SELECT format('CREATE FUNCTION as_nobody() RETURNS text LANGUAGE sql SET jwt_auth.token = '''' AS ''SELECT jwt.subject()''') \gexec
\o
\c - app
BEGIN; authenticate(alice); SELECT FROM become(:'bob') \g /dev/null
who; COMMIT; RESET jwt_auth.token;
BEGIN; authenticate(alice);
SELECT jwt.subject(), as_bob(), jwt.subject();
who;
SELECT as_bob_pl(), as_bob();
SELECT jwt.subject(), as_nobody();
who; COMMIT;
SQL

# ---- Roles

is_run('roles do not matter', <<'SQL', "alice\nalice\nalice\nalice");
BEGIN; authenticate(alice); who;
SET LOCAL ROLE reader; who; RESET ROLE; who; SET ROLE NONE; who; COMMIT;
SQL
is_run('SET SESSION AUTHORIZATION', <<'SQL', "alice\nalice\nt", user => 'postgres');
BEGIN; SET LOCAL SESSION AUTHORIZATION app; authenticate(alice); who;
SET LOCAL SESSION AUTHORIZATION other; who; RESET SESSION AUTHORIZATION; SELECT count(*) = 12 FROM notes; COMMIT;
SQL
is_run('DISCARD and RESET ALL', <<'SQL', "alice\nnobody\nalice\nnobody\nalice");
SET jwt_auth.token = :'alice'; who; DISCARD ALL; who;
SET jwt_auth.token = :'alice'; who; RESET ALL; who;
SET jwt_auth.token = :'alice'; DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP; who;
SQL

# ---- Cursors.  All rows are those of whoever asked when it was opened, as
# long as that token is good: FETCH judges it anew.

is_run('a cursor WITH HOLD keeps its rows', <<'SQL', "0\nbob\n4\n8\nnobody\n0\n4\n8\nERROR:  34000");
BEGIN; authenticate(alice);
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM notes ORDER BY id;
DECLARE i CURSOR WITH HOLD FOR SELECT id FROM notes ORDER BY id;
FETCH h; COMMIT;
BEGIN; authenticate(bob); who; FETCH ALL h; COMMIT; who; FETCH ALL i; DISCARD ALL; FETCH ALL i;
SQL
is_run('a cursor WITH HOLD, committed by another', <<'SQL', "bob\n0\n4\n8");
BEGIN; authenticate(alice);
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM notes;
authenticate(bob); who; COMMIT; FETCH ALL h;
SQL
foreach my $scan ('seqscan', 'indexscan')
{
	is_run("open cursors: $scan", <<"SQL", "0\n0\n4\n8\nbob\n4\n8\n4\n8\nbob\n1\n5\n9");
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexscan = off; SET enable_$scan = on;
BEGIN; authenticate(alice);
DECLARE new CURSOR FOR SELECT id FROM notes;
DECLARE begun CURSOR FOR SELECT id FROM notes;
DECLARE pinned CURSOR FOR SELECT id FROM v_pinned;
FETCH begun;
FETCH pinned \\g /dev/null
authenticate(bob);
FETCH ALL new; who; FETCH ALL begun; FETCH ALL pinned; who;
DECLARE late CURSOR FOR SELECT id FROM notes; FETCH ALL late;
COMMIT;
SQL
}
# the expressions of a cursor, all of them, and in turn with the present's
is_run('what a cursor computes', <<'SQL', "alice|0\nbob\nalice|4\nnobody\nalice|8\n");
BEGIN; authenticate(alice);
DECLARE c CURSOR FOR SELECT jwt.subject(), id FROM notes WHERE jwt.claim('name') = 'alice';
FETCH c; authenticate(bob); who; FETCH c; SET LOCAL jwt_auth.token = ''; who; FETCH c; FETCH c; COMMIT;
SQL
is_run('a token that was taken back by ROLLBACK TO', <<'SQL', "alice\nalice\n0\n4\n8\nbob\n1\n5\n9");
BEGIN; authenticate(alice); who;
DECLARE a CURSOR FOR SELECT id FROM notes;
SAVEPOINT s; authenticate(bob); ROLLBACK TO s; who; FETCH ALL a;
SAVEPOINT s; authenticate(bob); DECLARE b CURSOR FOR SELECT id FROM notes; RELEASE s; who; FETCH ALL b; COMMIT;
SQL
is_run('a cursor of nobody', "BEGIN; DECLARE c CURSOR FOR SELECT id FROM v_pinned; DECLARE d CURSOR FOR SELECT id FROM notes; FETCH c; authenticate(bob); FETCH ALL c; FETCH ALL d; COMMIT;", '');
is_run('a cursor variable of a function', <<'SQL', "alice\n0\n4\n8");
BEGIN; authenticate(alice); who; SELECT open_cursor() \g /dev/null
FETCH c; authenticate(bob); FETCH ALL c; COMMIT;
SQL
# a loop is a cursor, and what it does with each row is not
is_run('a loop over rows of one, as another', <<'SQL', "alice: 0/1 5 9, 4/1 5 9, 8/1 5 9");
SET my.bob = :'bob'; BEGIN; authenticate(alice);
CREATE FUNCTION pg_temp.loop() RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text := jwt.subject() || ': '; r record; BEGIN
	FOR r IN SELECT id FROM notes ORDER BY id LOOP
		PERFORM set_config('jwt_auth.token', current_setting('my.bob'), true);
		said := concat(said, CASE WHEN r.id > 0 THEN ', ' END, r.id, '/', (SELECT string_agg(id::text, ' ' ORDER BY id) FROM notes));
	END LOOP;
	RETURN said;
END $$;
SELECT pg_temp.loop(); ROLLBACK;
SQL
# too many tokens to remember them all: told, not guessed
is_run('seventeen tokens', join(' ', 'BEGIN; authenticate(alice); DECLARE a CURSOR FOR SELECT id FROM notes;',
	(map { ($_ % 2 ? 'authenticate(bob);' : 'authenticate(alice);') } 1 .. 17), 'DECLARE b CURSOR FOR SELECT id FROM notes;',
	'authenticate(alice); FETCH ALL a; FETCH b; COMMIT;'), "0\n4\n8\nERROR:  55000");

is_run('procedures with COMMIT', <<'SQL', "1|bob|1,5,9\n2|bob|1,5,9\n3|bob|1,5,9\nbob\n1|alice|0,4,8\n2||\n3||\nnobody");
\c - postgres
CREATE PROCEDURE p_commit(t text) LANGUAGE plpgsql AS $$
BEGIN
	IF t <> '' THEN PERFORM jwt.authenticate(t); END IF;
	FOR i IN 1 .. 3 LOOP
		INSERT INTO log (who, ids) SELECT jwt.subject(), string_agg(id::text, ',' ORDER BY id) FROM notes;
		COMMIT;
	END LOOP;
END $$;
\c - app
SET client_min_messages = error;
DELETE FROM log;
SET jwt_auth.token = :'bob'; CALL p_commit(''); SELECT row_number() OVER (ORDER BY n), who, ids FROM log; who;
RESET jwt_auth.token; DELETE FROM log;
CALL p_commit(:'alice'); SELECT row_number() OVER (ORDER BY n), who, ids FROM log; who;
SQL
is_run('DO blocks with COMMIT', <<'SQL', "1|alice|\n2|bob|\n3|alice|");
DELETE FROM log;
SET my.alice = :'alice'; SET my.bob = :'bob'; SET jwt_auth.token = :'alice';
DO $$ BEGIN
	INSERT INTO log (who) SELECT jwt.subject(); COMMIT;
	PERFORM set_config('jwt_auth.token', current_setting('my.bob'), true);
	INSERT INTO log (who) SELECT jwt.subject(); COMMIT;
	INSERT INTO log (who) SELECT jwt.subject(); ROLLBACK AND CHAIN;
	INSERT INTO log (who) SELECT jwt.subject(); COMMIT;
END $$;
SELECT row_number() OVER (ORDER BY n), who, ids FROM log;
SQL

# ---- Tokens that change inside one statement: each row its own value, and
# what was held stays.  60 rows, so that a call site's copies run out too.

foreach my $reader (
	[ 'jwt.subject()', 'name' ], [ q{jwt.claim('name')}, 'name' ],
	[ q{jwt.claim('n', 'm', '0')}, 'name' ], [ q{jwt.claims()->>'sub'}, 'name' ],
	[ q{jwt.claim(VARIADIC ARRAY[CASE WHEN n > 0 THEN 'sub' ELSE 'name' END])}, 'name' ],
	[ q{jwt.has_scope('alice')::text}, q{coalesce(name = 'alice', false)::text} ],
	[ q{jwt.has_scope(coalesce(name, '-'))::text}, q{(name IS NOT NULL)::text} ],
	[ 'jwt.is_authenticated()::text', q{(name IS NOT NULL)::text} ],
	[ 'jwt.uid()::text', q{CASE WHEN name IS NOT NULL THEN repeat(left(name, 1), 8) || '-0000-4000-8000-000000000000' END}, 'uuid_token' ],
	[ 'jwt.session_id()::text', q{CASE WHEN name IS NOT NULL THEN repeat(left(name, 1), 8) || '-0000-4000-8000-000000000000' END}, 'uuid_token' ])
{
	my ($call, $want, $token) = @$reader;
	$token //= 'token';
	is(ask($node, <<SQL), "60|60|60", "swaps in one SELECT: $call");
WITH swap AS MATERIALIZED (
	SELECT n, name, set_config('jwt_auth.token', $token, false) AS s, $call AS got
	  FROM (SELECT * FROM tokens ORDER BY n OFFSET 0) t),
held AS (SELECT array_agg(got ORDER BY n) AS a, array_agg($want ORDER BY n) AS b, count(*) AS c FROM swap)
SELECT c, cardinality(a), (SELECT count(*) FROM unnest(a, b) u(x, y) WHERE x IS NOT DISTINCT FROM y) FROM held;
SQL
}
# Two identities in one row: the second must not show through in the first.
foreach my $call ('jwt.subject()', 'jwt.claims()', q{jwt.claim('name')}, 'jwt.uid()', 'jwt.session_id()', 'jwt.role()', 'jwt.issuer()')
{
	my $column = $call =~ /uid|session_id/ ? 'uuid_token' : 'token';
	is(ask($node, <<SQL), '30|30|t', "two identities in one row: $call");
WITH t AS (SELECT min($column) FILTER (WHERE name = 'alice') AS a, min($column) FILTER (WHERE name = 'bob') AS b FROM tokens),
x AS MATERIALIZED (SELECT set_config('jwt_auth.token', a, false), $call AS of_a, set_config('jwt_auth.token', b, false), $call AS of_b,
	set_config('jwt_auth.token', a, false), $call AS again FROM t, generate_series(1, 30))
SELECT count(*), count(*) FILTER (WHERE of_a IS NOT DISTINCT FROM again), bool_and(of_a IS DISTINCT FROM of_b OR of_a IS NULL) FROM x;
SQL
}
is(ask($node, <<'SQL'), "t|60", 'aggregates and variables hold what they saw');
SELECT set_config('my.answer', '', false) \g /dev/null
DO $$
DECLARE held text[]; kept jsonb[]; s text; first text; t record;
BEGIN
	FOR t IN SELECT * FROM tokens ORDER BY n LOOP
		PERFORM set_config('jwt_auth.token', t.token, true);
		s := jwt.subject();
		first := coalesce(first, s);
		held := held || s;
		kept := kept || jwt.claims();
	END LOOP;
	PERFORM set_config('my.answer', (SELECT (first = 'alice')::text FROM (VALUES (1)) v), false);
	PERFORM set_config('my.count', (SELECT count(*) FROM tokens t
		WHERE held[n + 1] IS NOT DISTINCT FROM name AND kept[n + 1]->>'sub' IS NOT DISTINCT FROM name)::text, false);
END $$;
SELECT left(current_setting('my.answer'), 1), current_setting('my.count');
SQL

# ---- A call site's memory of its argument, in PL/pgSQL's simple expressions
is(ask($node, <<"SQL"), "alice", 'has_scope() of a variable that changes');
SET jwt_auth.token = '$token{alice}';
DO \$\$
DECLARE v text; seen text[];
BEGIN
	-- a variable's old value is freed, and the next may take its place
	FOR i IN 0 .. 200 LOOP
		v := (ARRAY['alice', 'bobby', 'carol', 'david', 'ellen'])[1 + i % 5];
		IF i % 3 = 0 AND jwt.has_scope(v) THEN seen := seen || v; END IF;
	END LOOP;
	PERFORM set_config('my.seen', (SELECT string_agg(DISTINCT s, ',') FROM unnest(seen) s), false);
END \$\$;
SHOW my.seen;
SQL
is(ask($node, <<"SQL"), "alice", 'claim() of a variable that changes');
SET jwt_auth.token = '@{[ sign($node, q({"sub":"x","a1":"alice","b1":"bob"})) ]}';
DO \$\$
DECLARE v text[]; seen text[];
BEGIN
	FOR i IN 0 .. 200 LOOP
		v := ARRAY[(ARRAY['a1', 'b1', 'c1', 'd1', 'e1'])[1 + i % 5]];
		IF i % 3 = 0 THEN
			IF jwt.claim(VARIADIC v) IS DISTINCT FROM (CASE v[1] WHEN 'a1' THEN 'alice' WHEN 'b1' THEN 'bob' END) THEN
				seen := seen || (v[1] || '=' || coalesce(jwt.claim(VARIADIC v), 'null'));
			END IF;
		END IF;
	END LOOP;
	PERFORM set_config('my.seen', coalesce((SELECT string_agg(DISTINCT s, ',') FROM unnest(seen) s), 'alice'), false);
END \$\$;
SHOW my.seen;
SQL

# ---- What a session starts with

my $options = "-c jwt_auth.token=$token{alice}";
is_run('PGOPTIONS', 'who; DISCARD ALL; who; SET jwt_auth.token = \'\'; who; RESET ALL; who;',
	"alice\nalice\nnobody\nalice", options => $options);
is_run('PGOPTIONS, in a worker', "SET $force_parallel = on; SELECT jwt.subject() || '|0,4,8';", 'alice', options => $options);
is_run('a setting made before the library is loaded', <<'SQL', "f\nalice\n(set)\nnobody\nnobody");
SET jwt_auth.token = :'alice'; SELECT current_setting('jwt_auth.token') = '(set)'; who; SHOW jwt_auth.token; RESET jwt_auth.token; who;
DISCARD ALL; who;
SQL
is_run('loaded inside a sub-transaction that rolls back', <<'SQL', "alice\nbob\ncarol\nbob\nalice\nnobody");
SET jwt_auth.token = :'alice';
BEGIN; SET LOCAL jwt_auth.token = :'bob'; SAVEPOINT a; SET LOCAL jwt_auth.token = :'alice'; who; ROLLBACK TO a; who;
SAVEPOINT b; SET LOCAL jwt_auth.token = :'carol'; who; ROLLBACK TO b; who; COMMIT; who; RESET jwt_auth.token; who;
SQL
is_run('loaded by a query that is cancelled by its error', <<'SQL', "ERROR:  28J00\nERROR:  28J00\nnobody");
SET jwt_auth.token = 'x'; SELECT jwt.subject(); SELECT count(*) FROM notes; RESET jwt_auth.token; who;
SQL

my $warned = ask($node, "LOAD 'jwt_auth'; ALTER ROLE other SET jwt_auth.token = '$token{bob}'", user => 'postgres', verbosity => 'default');
like($warned, qr/^WARNING:  "jwt_auth.token" is stored as a setting of a role.*\nDETAIL:  Every role can read/, 'ALTER ROLE SET warns');
unlike($warned, qr/eyJ/, 'and keeps the token to itself');
my $warning = $warned;
$warned = ask($node, "LOAD 'jwt_auth'; CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql SET jwt_auth.token = '$token{bob}' AS ''", user => 'postgres', verbosity => 'default');
like($warned, qr/^WARNING:  "jwt_auth.token" is stored/, 'a function\'s SET clause warns');
unlike($warned, qr/eyJ/, 'and keeps the token to itself');
is_run('ALTER ROLE SET', 'who; DISCARD ALL; who; SET jwt_auth.token = \'\'; who; RESET jwt_auth.token; who;',
	"WARNING:  01000\nbob\nbob\nnobody\nbob", user => 'other');
is_run('a start-up option comes before ALTER ROLE SET', 'who;', 'alice', user => 'other', options => $options);
is(ask($node, "LOAD 'jwt_auth'; ALTER SYSTEM SET jwt_auth.token = '$token{bob}'", user => 'postgres'), 'ERROR:  55P02', 'ALTER SYSTEM is refused');
is(ask($node, "LOAD 'jwt_auth'; SET jwt_auth.nonsense = 1", user => 'postgres'), 'ERROR:  42602', 'the prefix is reserved');

# At start-up the warning is said before psql knows of VERBOSITY.
foreach my $how ('session_preload_libraries', 'shared_preload_libraries')
{
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET session_preload_libraries');
	$node->safe_psql('postgres', "ALTER SYSTEM SET $how = jwt_auth");
	$node->restart;
	is_run("$how: never shown", <<'SQL', "\n(set)\nalice\n0\nnobody");
SHOW jwt_auth.token; SET jwt_auth.token = :'alice'; SHOW jwt_auth.token; who;
SELECT count(*) FROM pg_settings WHERE setting LIKE 'eyJ%' OR reset_val LIKE 'eyJ%'; RESET jwt_auth.token; who;
SQL
	is_run("$how: PGOPTIONS", 'who; DISCARD ALL; who;', "alice\nalice", options => $options);
	is_run("$how: ALTER ROLE SET", 'who; DISCARD ALL; who;', "$warning\nbob\nbob", user => 'other');
	is_run("$how: in a worker", "SET $force_parallel = on; SELECT jwt.subject() || '|0,4,8';", 'alice', options => $options);
}

done_testing();
