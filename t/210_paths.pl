# Every road through the executor gives the plain run's answer.
#
# Each path below runs in one session for four identities in turn: alice, bob,
# nobody, carol, then alice again, so that what a plan cache, a call site's
# copy or a worker keeps of one would show as another's.  It does so twice:
# with jwt.authenticate() in a transaction, and with a plain SET.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use Test::More;

my $node = start_node('paths', <<'CONF');
max_worker_processes = 16
max_parallel_workers = 8
max_prepared_transactions = 2
CONF
my $release = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my $force_parallel = $release >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';

# Subjects are UUIDs, so that text and uuid columns serve the same people.
my %sub = map { $_->[0] => "00000000-0000-4000-8000-00000000000$_->[1]" }
  ([ alice => 1 ], [ bob => 2 ], [ carol => 3 ], [ dave => 4 ]);
my %ids = (alice => '1,2,3,4,5,6', bob => '7,8,9,10', carol => '11,12', nobody => '');
my @turns = qw(alice bob nobody carol alice);
my %token = map { $_ => sign($node, qq({"sub":"$sub{$_}","name":"$_"})) } qw(alice bob carol);

$node->safe_psql('postgres', <<SQL);
CREATE ROLE app LOGIN;
CREATE ROLE notes_owner;
CREATE ROLE app_reader;
GRANT app_reader, pg_read_server_files TO app;
CREATE TABLE people (name text PRIMARY KEY, sub text);
INSERT INTO people VALUES ('alice', '$sub{alice}'), ('bob', '$sub{bob}'),
	('carol', '$sub{carol}'), ('dave', '$sub{dave}');

-- dave, who never asks, owns the pages that make a scan worth sharing
CREATE TABLE notes (id int PRIMARY KEY, owner text NOT NULL, uid uuid NOT NULL, body text);
INSERT INTO notes
	SELECT id, sub, sub::uuid, 'old'
	  FROM generate_series(1, 4000) id
	  JOIN people ON name = CASE WHEN id <= 6 THEN 'alice' WHEN id <= 10 THEN 'bob'
								 WHEN id <= 12 THEN 'carol' ELSE 'dave' END;
CREATE INDEX ON notes (owner);
CREATE TABLE notes_init AS SELECT * FROM notes;
CREATE TABLE notes_claim AS SELECT * FROM notes;
CREATE TABLE notes_claims AS SELECT * FROM notes;
CREATE TABLE notes_uid AS SELECT * FROM notes;
CREATE INDEX ON notes_uid (uid);
CREATE TABLE notes_func AS SELECT * FROM notes;
CREATE TABLE notes_join AS SELECT * FROM notes;
CREATE TABLE notes_part (LIKE notes) PARTITION BY LIST (owner);
CREATE TABLE notes_part_alice PARTITION OF notes_part FOR VALUES IN ('$sub{alice}');
CREATE TABLE notes_part_bob PARTITION OF notes_part FOR VALUES IN ('$sub{bob}');
CREATE TABLE notes_part_rest PARTITION OF notes_part DEFAULT;
INSERT INTO notes_part SELECT * FROM notes;
CREATE TABLE notes_parent (LIKE notes);
CREATE TABLE notes_child () INHERITS (notes_parent);
INSERT INTO notes_parent SELECT * FROM notes WHERE id % 2 = 0;
INSERT INTO notes_child SELECT * FROM notes WHERE id % 2 = 1;

CREATE FUNCTION is_mine(text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE
	AS 'BEGIN RETURN \$1 = jwt.subject(); END';
CREATE FUNCTION me_inlined() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT jwt.subject()';

CREATE POLICY p ON notes USING (owner = jwt.subject());
CREATE POLICY p ON notes_init USING (owner = (SELECT jwt.subject()));
CREATE POLICY p ON notes_claim USING (owner = jwt.claim('sub'));
CREATE POLICY p ON notes_claims USING (owner = jwt.claims()->>'sub');
CREATE POLICY p ON notes_uid USING (uid = jwt.uid());
CREATE POLICY p ON notes_func USING (is_mine(owner) AND owner = me_inlined());
CREATE POLICY p ON notes_join USING (EXISTS (SELECT FROM people
	WHERE name = jwt.claim('name') AND sub = owner));
CREATE POLICY p ON notes_part USING (owner = jwt.subject());
CREATE POLICY p ON notes_parent USING (owner = jwt.subject());
DO \$\$
DECLARE t regclass;
BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relname LIKE 'notes%' AND relkind IN ('r', 'p') LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO notes_owner', t);
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO app, app_reader', t);
	END LOOP;
END
\$\$;
GRANT SELECT ON people TO app, notes_owner;
CREATE TABLE comments (id int PRIMARY KEY, note int REFERENCES notes ON DELETE CASCADE,
	author text DEFAULT jwt.subject() CHECK (author = jwt.subject()));
CREATE TABLE log (who text, what text);
GRANT ALL ON comments, log TO app;

-- a superuser's view filters by itself, a security_invoker one by the policy
CREATE VIEW v_filter AS SELECT * FROM notes WHERE owner = jwt.subject();
CREATE VIEW v_barrier WITH (security_barrier) AS SELECT * FROM notes WHERE owner = jwt.subject();
CREATE VIEW v_invoker WITH (security_invoker) AS SELECT * FROM notes;
CREATE VIEW v_owner AS SELECT * FROM notes;
ALTER VIEW v_owner OWNER TO notes_owner;
CREATE VIEW v_checked WITH (security_invoker) AS SELECT * FROM notes WHERE owner = jwt.subject()
	WITH CASCADED CHECK OPTION;
GRANT ALL ON v_filter, v_barrier, v_invoker, v_owner, v_checked TO app;

CREATE FUNCTION f_inlined() RETURNS SETOF notes LANGUAGE sql STABLE
	AS 'SELECT * FROM notes WHERE owner = jwt.subject()';
CREATE FUNCTION f_volatile() RETURNS SETOF notes LANGUAGE sql VOLATILE AS 'SELECT * FROM notes';
CREATE FUNCTION f_atomic() RETURNS text LANGUAGE sql STABLE
	BEGIN ATOMIC SELECT string_agg(id::text, ',' ORDER BY id) FROM notes; END;
CREATE FUNCTION f_definer() RETURNS SETOF notes LANGUAGE sql STABLE SECURITY DEFINER
	AS 'SELECT * FROM notes';
ALTER FUNCTION f_definer() OWNER TO notes_owner;
CREATE FUNCTION f_static() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE answer text;
BEGIN
	SELECT string_agg(id::text, ',' ORDER BY id) INTO answer FROM notes;
	RETURN answer;
END \$\$;
CREATE FUNCTION f_loop() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE answer text; r record;
BEGIN
	FOR r IN SELECT id FROM notes ORDER BY id LOOP
		answer := concat_ws(',', answer, r.id);
	END LOOP;
	RETURN answer;
END \$\$;
CREATE FUNCTION f_dynamic() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE answer text;
BEGIN
	EXECUTE 'SELECT string_agg(id::text, '','' ORDER BY id) FROM notes WHERE id > \$1' INTO answer USING 0;
	RETURN answer;
END \$\$;
CREATE FUNCTION f_query() RETURNS SETOF notes LANGUAGE plpgsql AS
	'BEGIN RETURN QUERY SELECT * FROM notes; END';
CREATE FUNCTION f_block() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE answer text;
BEGIN
	BEGIN
		PERFORM 1 / (SELECT 0 FROM notes UNION ALL SELECT 0 LIMIT 1);
	EXCEPTION WHEN division_by_zero THEN
		SELECT string_agg(id::text, ',' ORDER BY id) INTO answer FROM notes;
	END;
	RETURN answer;
END \$\$;
CREATE FUNCTION f_simple() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN jwt.subject(); END';
CREATE FUNCTION f_strict(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT \$1 || ''!''';
CREATE FUNCTION f_cursor() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE c CURSOR FOR SELECT id FROM notes ORDER BY id; answer text;
BEGIN
	FOR r IN c LOOP answer := concat_ws(',', answer, r.id); END LOOP;
	RETURN answer;
END \$\$;
CREATE PROCEDURE p_commit(n int) LANGUAGE plpgsql AS \$\$
BEGIN
	FOR i IN 1 .. n LOOP
		INSERT INTO log SELECT jwt.claim('name'), string_agg(id::text, ',' ORDER BY id) FROM notes;
		COMMIT;
	END LOOP;
END \$\$;

-- what rows really are, whoever asks
CREATE FUNCTION rows_with(text) RETURNS text LANGUAGE sql SECURITY DEFINER VOLATILE
	AS 'SELECT string_agg(id::text, '','' ORDER BY id) FROM notes WHERE body = \$1';

CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
	INSERT INTO log VALUES (jwt.claim('name'), new.id::text);
	new.body := 'by ' || coalesce(jwt.claim('name'), 'nobody');
	RETURN new;
END \$\$;
CREATE TABLE stamped (LIKE notes);
CREATE TRIGGER t BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
	INSERT INTO log SELECT jwt.claim('name'), string_agg(id::text, ',' ORDER BY id)
		FROM new_rows WHERE owner = jwt.subject();
	RETURN NULL;
END \$\$;
CREATE TRIGGER u AFTER INSERT ON stamped REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION tally();
GRANT ALL ON stamped TO app;
CREATE VIEW v_instead AS SELECT * FROM stamped;
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
	INSERT INTO stamped SELECT new.*;
	RETURN new;
END \$\$;
CREATE TRIGGER t INSTEAD OF INSERT ON v_instead FOR EACH ROW EXECUTE FUNCTION instead();
GRANT ALL ON v_instead TO app;
CREATE TABLE ruled (who text, ids text);
ALTER TABLE ruled OWNER TO notes_owner;
GRANT ALL ON log TO notes_owner;
CREATE RULE r AS ON INSERT TO ruled DO ALSO
	INSERT INTO log SELECT jwt.claim('name'), string_agg(id::text, ',' ORDER BY id) FROM notes;
GRANT ALL ON ruled TO app;
VACUUM ANALYZE;
SQL

my $ids = q{string_agg(id::text, ',' ORDER BY id)};
my $generic = { plan_cache_mode => 'force_generic_plan' };
my $custom = { plan_cache_mode => 'force_custom_plan' };
my %workers = (
	max_parallel_workers_per_gather => 2, parallel_setup_cost => 0, parallel_tuple_cost => 0,
	min_parallel_table_scan_size => 0, min_parallel_index_scan_size => 0,
	parallel_leader_participation => 'off');
my $prepare = join '', map { "PREPARE $_->[0] AS SELECT $ids FROM $_->[1];\n" }
  ([ q => 'notes' ], [ qinit => 'notes_init' ], [ quid => 'notes_uid' ], [ qpart => 'notes_part' ],
	[ qfunc => 'notes_func' ], [ qclaim => 'notes_claim' ], [ qjoin => 'notes_join' ],
	[ qauto => 'notes' ], [ qcustom => 'notes' ], [ qview => 'v_invoker' ]);
$prepare .= <<'SQL';
PREPARE qparam(int) AS SELECT string_agg(id::text, ',' ORDER BY id) FROM notes WHERE id > $1;
PREPARE qwho AS SELECT jwt.subject();
PREPARE qupdate AS UPDATE notes SET body = 'new' WHERE id < 100;
SQL

# [name, query, settings]: the answer must be the identity's own ids.
my @reads = (
	[ 'plain', "SELECT $ids FROM notes" ],
	[ 'prepared, generic plan', 'EXECUTE q', $generic ],
	[ 'prepared, custom plan', 'EXECUTE qcustom', $custom ],
	[ 'prepared, plan of either kind', 'EXECUTE qauto' ],
	[ 'prepared, generic plan with a parameter', 'EXECUTE qparam(0)', $generic ],
	[ 'prepared, generic plan of a view', 'EXECUTE qview', $generic ],
	[ 'prepared, generic plan, init plan', 'EXECUTE qinit', $generic ],
	[ 'prepared, generic plan, uuid', 'EXECUTE quid', $generic ],
	[ 'prepared, generic plan, run-time pruning', 'EXECUTE qpart', $generic ],
	[ 'prepared, generic plan, function in policy', 'EXECUTE qfunc', $generic ],
	[ 'prepared, generic plan, claim()', 'EXECUTE qclaim', $generic ],
	[ 'prepared, generic plan, sublink in policy', 'EXECUTE qjoin', $generic ],
	[ 'prepared, generic plan, forced parallel', 'EXECUTE q', { %$generic, %workers, $force_parallel => 'on' } ],
	(map { [ "policy of $_", "SELECT $ids FROM $_" ] }
		qw(notes_init notes_claim notes_claims notes_uid notes_func notes_join notes_part notes_parent)),
	(map { [ "view $_", "SELECT $ids FROM $_" ] } qw(v_filter v_barrier v_invoker v_owner v_checked)),
	(map { [ "set-returning function $_", "SELECT $ids FROM $_()" ] }
		qw(f_inlined f_volatile f_definer f_query)),
	(map { my $f = $_; map { [ "function $f, $_->[0]", "SELECT $f()", $_->[1] ] }
			([ 'generic plan', $generic ], [ 'default plan', {} ]) }
		qw(f_atomic f_static f_loop f_dynamic f_block f_cursor)),
	[ 'seq scan', "SELECT $ids FROM notes", { enable_indexscan => 'off', enable_bitmapscan => 'off' } ],
	[ 'index scan', "SELECT $ids FROM notes", { enable_seqscan => 'off', enable_bitmapscan => 'off' } ],
	[ 'bitmap scan', "SELECT $ids FROM notes", { enable_seqscan => 'off', enable_indexscan => 'off' } ],
	[ 'TID scan', "SELECT $ids FROM notes WHERE ctid = ANY (ARRAY(SELECT ctid FROM notes))" ],
	[ 'table sample', "SELECT $ids FROM notes TABLESAMPLE SYSTEM (100)" ],
	[ 'JIT', "SELECT $ids FROM notes", { jit => 'on', jit_above_cost => 0, jit_inline_above_cost => 0, jit_optimize_above_cost => 0 } ],
	(map { [ "parallel $_", "SELECT $ids FROM $_", { %workers, enable_indexscan => 'off', enable_bitmapscan => 'off', enable_indexonlyscan => 'off' } ] }
		qw(notes notes_init notes_claim notes_claims notes_uid notes_func notes_join notes_part notes_parent)),
	[ 'parallel index scan', "SELECT $ids FROM notes", { %workers, enable_seqscan => 'off', enable_bitmapscan => 'off' } ],
	[ 'parallel bitmap scan', "SELECT $ids FROM notes", { %workers, enable_seqscan => 'off', enable_indexscan => 'off' } ],
	[ 'parallel hash join', "SELECT string_agg(a.id::text, ',' ORDER BY a.id) FROM notes a JOIN notes_uid b USING (id)",
		{ %workers, enable_nestloop => 'off', enable_mergejoin => 'off', enable_indexscan => 'off', enable_bitmapscan => 'off' } ],
	[ 'merge join', "SELECT string_agg(a.id::text, ',' ORDER BY a.id) FROM notes a JOIN notes_uid b USING (id)",
		{ enable_nestloop => 'off', enable_hashjoin => 'off' } ],
	[ 'nested loop', "SELECT string_agg(a.id::text, ',' ORDER BY a.id) FROM notes a JOIN notes_uid b USING (id)",
		{ enable_mergejoin => 'off', enable_hashjoin => 'off' } ],
	[ 'LATERAL', "SELECT $ids FROM people p, LATERAL (SELECT id FROM notes WHERE owner = p.sub AND p.sub = jwt.subject()) x" ],
	[ 'init plan', "SELECT $ids FROM v_owner WHERE owner = (SELECT jwt.subject())" ],
	[ 'correlated sublink', "SELECT $ids FROM notes n WHERE EXISTS (SELECT FROM people WHERE sub = n.owner AND sub = jwt.subject())" ],
	[ 'materialized CTE', "WITH n AS MATERIALIZED (SELECT * FROM notes) SELECT $ids FROM n" ],
	[ 'recursive CTE', "WITH RECURSIVE r(id) AS (SELECT min(id) FROM notes UNION ALL SELECT n.id FROM r JOIN notes n ON n.id = r.id + 1) SELECT $ids FROM r" ],
	[ 'set operation', "SELECT $ids FROM (SELECT id FROM notes UNION SELECT id FROM notes_uid) x" ],
	[ 'window', "SELECT $ids FROM (SELECT id, row_number() OVER (PARTITION BY owner) FROM notes) x" ],
	[ 'aggregate filter', "SELECT string_agg(id::text, ',' ORDER BY id) FILTER (WHERE owner = jwt.subject()) FROM notes" ],
	[ 'row locks', "WITH n AS (SELECT id FROM notes FOR UPDATE) SELECT $ids FROM n" ],
	[ 'SRF over rows', "SELECT $ids FROM (SELECT unnest(array_agg(id)) AS id FROM notes) x" ],
	[ 'COPY query TO', "COPY (SELECT coalesce($ids, '') FROM notes) TO STDOUT" ],
	[ 'COPY view query TO', "COPY (SELECT coalesce($ids, '') FROM v_invoker) TO STDOUT" ],
	[ 'DO block', "DO \$\$ BEGIN PERFORM set_config('my.answer', (SELECT $ids FROM notes), false); END \$\$; SHOW my.answer" ],
	[ 'other role', "SET ROLE app_reader; SELECT $ids FROM notes; RESET ROLE" ],
	[ 'plan made under another role', "SET ROLE app_reader; EXECUTE q; RESET ROLE", $generic ],
	[ 'after DISCARD PLANS', "DISCARD PLANS; EXECUTE q", $generic ],
	[ 'catalog change in between', "EXECUTE qparam(-1)", { %$generic, search_path => '"$user", public' } ],
);

# [name, query]: the answer must be the subject itself.
my @readers = (
	[ 'subject()', 'SELECT jwt.subject()' ],
	[ 'subject(), prepared', 'EXECUTE qwho', $generic ],
	[ 'uid()', 'SELECT jwt.uid()' ],
	[ 'claim()', q{SELECT jwt.claim('sub')} ],
	[ 'claim() of a varying path', q{SELECT jwt.claim(VARIADIC x) FROM (VALUES (ARRAY['sub'])) v(x)} ],
	[ 'claims()', q{SELECT jwt.claims()->>'sub'} ],
	[ 'inlined function', 'SELECT me_inlined()' ],
	[ 'simple expression', 'SELECT f_simple()' ],
	[ 'nested in a STRICT function', q{SELECT left(f_strict(jwt.subject()), -1)} ],
	[ 'in a worker', 'SELECT jwt.subject()', { $force_parallel => 'on' } ],
	[ 'in ORDER BY, LIMIT 1', 'SELECT jwt.subject() FROM people ORDER BY jwt.subject() LIMIT 1' ],
	[ 'GROUP BY', 'SELECT jwt.subject() FROM people GROUP BY jwt.subject()' ],
	[ 'VALUES', 'VALUES (jwt.subject())' ],
	[ 'function in FROM', 'SELECT * FROM jwt.subject()' ],
	[ 'LATERAL function', 'SELECT DISTINCT s FROM people, LATERAL jwt.subject() s' ],
);

# [name, statements, expected for NAME, IDS, SUB]: run in a transaction that
# rolls back.
my @writes = (
	[ 'UPDATE', "WITH u AS (UPDATE notes SET body = 'new' RETURNING id) SELECT $ids FROM u; SELECT rows_with('new')",
		sub { "$_[1]\n$_[1]" } ],
	[ 'UPDATE, rows after', "UPDATE notes SET body = 'new'; SELECT rows_with('new')", sub { $_[1] } ],
	[ 'UPDATE, prepared', "SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE qupdate; SELECT rows_with('new')", sub { $_[1] } ],
	[ 'UPDATE FROM', "UPDATE notes n SET body = 'new' FROM people p WHERE p.sub = n.owner; SELECT rows_with('new')", sub { $_[1] } ],
	[ 'UPDATE through a view', "UPDATE v_checked SET body = 'new'; SELECT rows_with('new')", sub { $_[1] } ],
	[ 'UPDATE of the owner', "UPDATE notes SET owner = '$sub{dave}'",
		sub { $_[0] eq 'nobody' ? '' : 'ERROR:  42501' } ],
	[ 'DELETE', "WITH d AS (DELETE FROM notes RETURNING id) SELECT $ids FROM d", sub { $_[1] } ],
	[ 'DELETE USING', "WITH d AS (DELETE FROM notes n USING people p WHERE p.sub = n.owner OR n.id < 4000 RETURNING n.id) SELECT string_agg(DISTINCT id::text, ',' ) IS NULL, count(DISTINCT id) FROM d",
		sub { my $n = () = $_[1] =~ /\d+/g; ($n ? 'f' : 't') . "|$n" } ],
	[ 'MERGE', "MERGE INTO notes n USING generate_series(1, 50) g ON n.id = g WHEN MATCHED THEN UPDATE SET body = 'new'; SELECT rows_with('new')", sub { $_[1] } ],
	[ 'MERGE DELETE', "MERGE INTO notes n USING generate_series(1, 50) g ON n.id = g WHEN MATCHED THEN DELETE; SELECT coalesce($ids, '') FROM notes; SELECT cardinality(string_to_array(rows_with('old'), ','))",
		sub { my $n = () = $_[1] =~ /\d+/g; "\n" . (4000 - $n) } ],
	[ 'MERGE INSERT of a foreign row', "MERGE INTO notes n USING (SELECT 30000 AS id) s ON n.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (30000, '$sub{dave}', '$sub{dave}', 'new')", sub { 'ERROR:  42501' } ],
	[ 'INSERT of an own row', "INSERT INTO notes VALUES (30000, jwt.subject(), '$sub{dave}', 'new') RETURNING owner",
		sub { $_[0] eq 'nobody' ? 'ERROR:  42501' : $_[2] } ],
	[ 'INSERT of a foreign row', "INSERT INTO notes VALUES (30000, '$sub{dave}', '$sub{dave}', 'new')", sub { 'ERROR:  42501' } ],
	[ 'INSERT SELECT', "INSERT INTO notes SELECT id + 30000, owner, uid, 'new' FROM notes; SELECT rows_with('new')",
		sub { join ',', map { $_ + 30000 } split /,/, $_[1] } ],
	[ 'INSERT through a checked view', "INSERT INTO v_checked VALUES (30000, '$sub{dave}', '$sub{dave}', 'new')", sub { 'ERROR:  42501' } ],
	[ 'ON CONFLICT DO UPDATE', "INSERT INTO notes SELECT id, owner, uid, 'x' FROM notes ON CONFLICT (id) DO UPDATE SET body = 'new'; SELECT rows_with('new')", sub { $_[1] } ],
	[ 'ON CONFLICT with a foreign row', "INSERT INTO notes VALUES (4000, coalesce(jwt.subject(), '-'), '$sub{dave}', 'x') ON CONFLICT (id) DO UPDATE SET body = 'new'", sub { 'ERROR:  42501' } ],
	[ 'ON CONFLICT DO NOTHING', "INSERT INTO notes SELECT id, owner, uid, 'x' FROM notes ON CONFLICT DO NOTHING; SELECT coalesce(rows_with('x'), '-')", sub { '-' } ],
	[ 'trigger on each row and statement', "INSERT INTO stamped SELECT * FROM notes WHERE id <= 20; SELECT count(*), min(body) FROM stamped; SELECT who, what FROM log WHERE what LIKE '%,%'",
		sub { my $n = () = $_[1] =~ /\d+/g; $n ? "$n|by $_[0]\n$_[0]|$_[1]" : '0|' } ],
	[ 'INSTEAD OF trigger', "INSERT INTO v_instead SELECT * FROM notes WHERE id IN (1, 7, 11); SELECT body FROM stamped",
		sub { $_[0] eq 'nobody' ? '' : "by $_[0]" } ],
	[ 'rule', "INSERT INTO ruled VALUES ('x'); SELECT who, what FROM log", sub { ($_[0] eq 'nobody' ? '' : $_[0]) . "|$_[1]" } ],
	[ 'column default and CHECK', "INSERT INTO comments (id) VALUES (1) RETURNING coalesce(author, '-')", sub { $_[2] || '-' } ],
	[ 'CHECK refuses', "INSERT INTO comments (id, author) VALUES (1, '-')", sub { $_[0] eq 'nobody' ? '' : 'ERROR:  23514' } ],
	[ 'COPY FROM with default and CHECK', "COPY comments (id) FROM STDIN;\n1\n2\n\\.\nSELECT count(*), coalesce(max(author), '-') FROM comments", sub { '2|' . ($_[2] || '-') } ],
	[ 'COPY FROM with CHECK, foreign row', "COPY comments (id, author) FROM STDIN;\n1\t$sub{dave}\n\\.\n", sub { $_[0] eq 'nobody' ? '' : 'ERROR:  23514' } ],
	[ 'COPY FROM into row security', "COPY notes FROM '/dev/null'", sub { 'ERROR:  0A000' } ],
	[ 'COPY FROM into a trigger', "COPY v_instead FROM STDIN;\n1\t$sub{dave}\t$sub{dave}\tx\n\\.\nSELECT body FROM stamped", sub { "by $_[0]" } ],
	[ 'COPY table TO', "COPY notes (id) TO STDOUT", sub { $_[1] =~ s/,/\n/gr } ],
	# referential integrity sees all rows, as without us
	[ 'foreign key to a foreign row', "INSERT INTO comments (id, note) VALUES (1, 4000); SELECT count(*) FROM comments", sub { '1' } ],
	[ 'foreign key to no row', "INSERT INTO comments (id, note) VALUES (1, 40000)", sub { 'ERROR:  23503' } ],
	[ 'cascade', "INSERT INTO comments (id, note) VALUES (1, 1), (2, 7), (3, 11), (4, 4000); DELETE FROM notes; SELECT string_agg(id::text, ',' ORDER BY id) FROM comments",
		sub { +{ alice => '2,3,4', bob => '1,3,4', carol => '1,2,4', nobody => '1,2,3,4' }->{ $_[0] } } ],
	[ 'savepoint', "SAVEPOINT s; UPDATE notes SET body = 'x'; ROLLBACK TO s; SELECT $ids FROM notes", sub { $_[1] } ],
	[ 'sub-transaction in a function', "SELECT f_block()", sub { $_[1] } ],
	[ 'TRUNCATE', 'TRUNCATE notes', sub { 'ERROR:  42501' } ],
);

sub settings
{
	my ($set) = @_;
	my @names = ref $set eq 'HASH' ? sort keys %$set : ();
	return (join('', map { "SET $_ = $set->{$_};\n" } @names), join('', map { "RESET $_;\n" } @names));
}

# Runs all paths in one session; MODE is how the identity comes and goes.
sub run_paths
{
	my ($mode, $paths) = @_;
	my $sql = $prepare;

	foreach my $path (@$paths)
	{
		my ($name, $query, $set) = @$path;
		my ($before, $after) = settings($set);
		my $turn = 0;

		$query .= ";\n" unless $query =~ /\n\z/;
		foreach my $who (@turns)
		{
			my $come = "BEGIN;\n";
			my $go = "ROLLBACK;\n";

			$come .= "SELECT FROM jwt.authenticate('$token{$who}') \\g /dev/null\n" if $mode eq 'authenticate' && $token{$who};
			($come, $go) = ($token{$who} ? "SET jwt_auth.token = '$token{$who}';\n" : '', "RESET jwt_auth.token;\n")
			  if $mode eq 'SET';
			$turn++;
			$sql .= "$come$before\\echo -- $name / $turn / $who\n$query\\echo -- end\n$go$after";
		}
	}
	return sections(ask($node, $sql));
}

sub check_paths
{
	my ($mode, $paths, $expected) = @_;
	my $got = run_paths($mode, $paths);

	foreach my $path (@$paths)
	{
		my $want = $path->[2] && ref $path->[2] eq 'CODE' ? $path->[2] : $expected;
		my (@got, @want);

		for my $turn (1 .. @turns)
		{
			my $who = $turns[ $turn - 1 ];
			my $answer = $got->{"$path->[0] / $turn / $who"} // 'did not run';
			$answer =~ s/^INFO:  00000\n?// if ($path->[3] // '') eq 'info';
			push @got, "$who: $answer";
			push @want, "$who: " . $want->($who, $ids{$who}, $sub{$who} // '');
		}
		is_deeply(\@got, \@want, "$mode: $path->[0]");
	}
	return;
}

foreach my $mode ('authenticate', 'SET')
{
	# a worker takes its time to start
	my @now = grep { $mode eq 'authenticate' || $_->[0] !~ /^parallel \S+_/ } @reads;
	check_paths($mode, \@now, sub { $_[1] });
	check_paths($mode, \@readers, sub { $_[2] });
}
check_paths('authenticate', \@writes);

# The paths were what their names say.
sub plan_of
{
	my ($query, $set, $how) = @_;
	my ($before) = settings($set);

	return ask($node, "SET jwt_auth.token = '$token{bob}'; SELECT FROM jwt.subject() \\g /dev/null\n"
		  . "$prepare$before EXPLAIN (COSTS OFF" . ($how // '') . ") $query;");
}

my $parallel = { %workers, enable_indexscan => 'off', enable_bitmapscan => 'off', enable_indexonlyscan => 'off' };
my $analyze = ', ANALYZE, TIMING OFF, SUMMARY OFF';
like(plan_of("SELECT $ids FROM notes", $parallel, $analyze),
	qr/Workers Planned: 2\n\s+Workers Launched: [12]\n.*Parallel Seq Scan on notes.*\n\s+Filter: \(owner = jwt\.subject\(\)\)/s,
	'workers evaluate the policy');
like(plan_of("SELECT $ids FROM notes_init", $parallel, $analyze),
	qr/InitPlan.*Workers Launched: [12]\n.*Parallel Seq Scan/s, 'workers get the leader\'s init plan');
like(plan_of('SELECT jwt.subject()', { $force_parallel => 'on' }, $analyze),
	qr/Workers Launched: 1\n/, 'a worker evaluates subject()');
foreach my $scan ([ 'Index Scan', 'seqscan', 'bitmapscan' ], [ 'Bitmap Heap Scan', 'seqscan', 'indexscan' ])
{
	my ($name, @off) = @$scan;
	my $plan = plan_of("SELECT $ids FROM notes", { map { ("enable_$_" => 'off') } @off });
	like($plan, qr/$name/, "$name");
	like($plan, qr/Index Cond: \(owner = jwt\.subject\(\)\)/, "$name by the policy");
}
like(plan_of('EXECUTE qpart', $generic, $analyze), qr/Subplans Removed: 2/, 'pruned at run time');
unlike(plan_of('SELECT * FROM f_inlined()'), qr/Function Scan/, 'inlined set-returning function');
like(plan_of("SELECT $ids FROM notes_func"), qr/owner = jwt\.subject\(\)/, 'inlined function in policy');
like(ask($node, "SET plan_cache_mode = force_generic_plan; $prepare EXECUTE q; EXECUTE q; EXECUTE qauto;"
	. "SELECT name, generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'q';"),
	qr/q\|2\|0/, 'generic plans');

# What stays when the identity goes must not be made of it: 42P17.
foreach my $ddl (
	'CREATE INDEX ON notes ((jwt.subject()))',
	'CREATE INDEX ON notes (id) WHERE owner = jwt.subject()',
	'CREATE INDEX ON notes_uid ((uid = jwt.uid()))',
	"CREATE TABLE g (a text GENERATED ALWAYS AS (jwt.claim('sub')) STORED)",
	'CREATE TABLE g (a text) PARTITION BY LIST ((a = jwt.subject()))')
{
	is(ask($node, "SET jwt_auth.token = '$token{bob}'; $ddl", user => 'postgres'), 'ERROR:  42P17', $ddl);
}

done_testing();
