# A token that expires while it is in force: what has begun may end, the next
# statement is refused.  Several sessions live through one moment of expiry.

use strict;
use warnings;

use Cwd 'abs_path';
use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run ();
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = start_node('expiry', "max_connections = 60\nmax_worker_processes = 16\nmax_parallel_workers = 8\n",
	init => { allows_streaming => 'logical' });
my $release = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my $force_parallel = $release >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

# One session each; connected before the token's time runs.  What is done with
# them while it does takes about as long as this, so that the time is as long
# as the machine is slow.
my $began = time();
my %session = map { $_ => session($node) }
  qw(rows worker cursor index pinned hold loop nocommit several set prepared again explain early);
$_->ask('SELECT jwt.subject();') foreach values %session;
my $lifetime = 4 + int(2 * (time() - $began));

$node->safe_psql('postgres', <<SQL);
CREATE TABLE notes (id int, owner text NOT NULL);
INSERT INTO notes SELECT i, CASE i % 2 WHEN 0 THEN 'bob' ELSE 'alice' END FROM generate_series(1, 200) i;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notes USING (owner = jwt.subject());
CREATE TABLE free (id int);
INSERT INTO free SELECT generate_series(1, 200);
CREATE VIEW v_init AS SELECT id FROM free WHERE (SELECT jwt.subject()) = 'bob';
CREATE TABLE log (at timestamptz DEFAULT clock_timestamp(), who text, what text);
GRANT ALL ON notes, free, v_init, log TO PUBLIC;
ANALYZE notes, free;
CREATE PROCEDURE p_commit(what text) LANGUAGE plpgsql AS \$\$
BEGIN
	FOR i IN 1 .. 10 * ($lifetime + 4) LOOP
		INSERT INTO log VALUES (DEFAULT, jwt.subject(), what);
		COMMIT;
		PERFORM pg_sleep(0.1);
	END LOOP;
END \$\$;
CREATE FUNCTION f_worker() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS \$\$
BEGIN
	PERFORM pg_sleep($lifetime + 1);
	RETURN (SELECT count(*) FROM notes) || ' ' || jwt.subject();
END \$\$;
ALTER FUNCTION f_worker() SET $force_parallel = on;
SQL

sub wait_for_log_line
{
	my ($n, $what) = @_;

	for (1 .. 300)
	{
		return 1 if slurp_file($n->logfile) =~ $what;
		sleep(0.1);
	}
	return 0;
}

my $short = sign($node, '{"sub":"bob"}', "expires_in => '$lifetime s'");
my $expires = time() + $lifetime;
my $long = sign($node, '{"sub":"alice"}');
my $early = sign($node, qq({"sub":"bob","nbf":@{[ int($expires) ]}}));
my $rows = 20 * ($lifetime + 1);
my $rounds = 10 * ($lifetime + 1);
my $begin = "BEGIN; SELECT FROM jwt.authenticate('$short') \\g /dev/null\n";
my $pgbench_in = $node->basedir . '/pipeline.sql';

append_to_file($pgbench_in, <<"SQL");
\\startpipeline
SELECT length(jwt.subject()) AS before;
SELECT pg_sleep($lifetime + 1);
SELECT length(jwt.subject()) AS after;
\\endpipeline
SQL
my $pgbench_out = '';
local $ENV{PGOPTIONS} = "-c jwt_auth.token=$short";
my $pgbench = IPC::Run::start([ 'pgbench', '-n', '-M', 'extended', '-t', 1, '-f', $pgbench_in,
		'-h', $node->host, '-p', $node->port, '-U', 'app', 'postgres' ],
	'<', \undef, '>&', \$pgbench_out, IPC::Run::timeout(60));
delete $ENV{PGOPTIONS};

# Before it expires
$session{rows}->send("$begin SELECT count(*), count(DISTINCT s), min(s) FROM (SELECT jwt.subject() AS s, pg_sleep(0.05) FROM generate_series(1, $rows)) x; SELECT jwt.subject(); COMMIT;");
$session{worker}->send("$begin SELECT f_worker(); SELECT f_worker(); COMMIT;");
$session{loop}->send("SET jwt_auth.token = '$short'; CALL p_commit('loop'); SELECT jwt.subject();");
$session{nocommit}->send("$begin DO \$\$ BEGIN FOR i IN 1 .. $rounds LOOP INSERT INTO log VALUES (DEFAULT, jwt.subject(), 'nocommit'); PERFORM pg_sleep(0.1); END LOOP; END \$\$; COMMIT; SELECT count(*), min(who) FROM log WHERE what = 'nocommit';");
$session{several}->send("SET jwt_auth.token = '$short'; SELECT jwt.subject() \\; SELECT pg_sleep($lifetime + 1) \\; SELECT jwt.subject(), count(*) FROM notes; SELECT jwt.subject();");
is($session{cursor}->ask("$begin DECLARE c CURSOR FOR SELECT id FROM notes; FETCH c;"), '2', 'a cursor, before');
is($session{index}->ask("$begin DECLARE c CURSOR FOR SELECT id FROM notes ORDER BY id DESC; FETCH c;"), '200', 'a sorted cursor, before');
is($session{pinned}->ask("$begin DECLARE c CURSOR FOR SELECT id FROM v_init; FETCH c;"), '1', 'a cursor with an init plan, before');
is($session{hold}->ask("$begin DECLARE c CURSOR WITH HOLD FOR SELECT id FROM notes; COMMIT; FETCH c;"), '2', 'a cursor WITH HOLD, before');
is($session{set}->ask("SET jwt_auth.token = '$short'; SELECT count(*) FROM notes; SELECT jwt.is_authenticated();"), "100\nt", 'SET, before');
is($session{prepared}->ask("SET plan_cache_mode = force_generic_plan; PREPARE q AS SELECT count(*) FROM notes; PREPARE w AS SELECT jwt.subject(); SET jwt_auth.token = '$short'; EXECUTE q; EXECUTE w;"), "100\nbob", 'prepared, before');
is($session{again}->ask("$begin SELECT jwt.subject(); SAVEPOINT a;"), 'bob', 'a transaction, before');
like($session{explain}->ask("$begin EXPLAIN (COSTS OFF) SELECT * FROM notes; SAVEPOINT a;"), qr/Filter: \(owner = jwt\.subject\(\)\)/, 'EXPLAIN, before');
is($session{early}->ask("SET jwt_auth.token = '$early'; SELECT jwt.subject(); BEGIN; SAVEPOINT a; SELECT jwt.authenticate('$early'); ROLLBACK TO a;"), "ERROR:  28J02\nERROR:  28J02", 'not yet valid, before');
cmp_ok(time(), '<', $expires - 0.2, 'all of that before it expired');

sleep(0.1) while time() < $expires + 0.5;

# After
my $refused = 'ERROR:  28J01';
is($session{cursor}->ask('FETCH c; ROLLBACK;'), $refused, 'FETCH is refused');
is($session{index}->ask('FETCH c; SELECT jwt.subject();'), "198\n$refused", 'FETCH of what was sorted needs no verdict');
is($session{pinned}->ask('FETCH c; SELECT jwt.subject();'), "2\n$refused", 'an init plan keeps its value');
is($session{hold}->ask('FETCH c; SELECT jwt.subject() IS NULL;'), "4\nt", 'rows WITH HOLD are kept');
is($session{set}->ask("SELECT count(*) FROM notes; SELECT jwt.subject(); SELECT jwt.is_authenticated(); SELECT jwt.claim('x'); SELECT jwt.role();
	INSERT INTO notes VALUES (1, 'bob'); UPDATE notes SET id = 1; DELETE FROM notes; SET $force_parallel = on; SELECT count(*) FROM notes; SELECT jwt.uid(); SELECT count(*) FROM free; RESET jwt_auth.token; SELECT count(*) FROM notes;"),
	join("\n", ($refused) x 10) . "\n200\n0", 'every statement that asks is refused');
is($session{prepared}->ask('EXECUTE q; EXECUTE w;'), "$refused\n$refused", 'generic plans are refused');
is($session{again}->ask("SELECT jwt.subject(); ROLLBACK TO a; SELECT jwt.authenticate('$short'); ROLLBACK TO a; SELECT FROM jwt.authenticate('$long') \\g /dev/null\nSELECT jwt.subject(), count(*) FROM notes; COMMIT; SELECT jwt.subject() IS NULL;"),
	"$refused\n$refused\nalice|100\nt", 'a new token helps, in the same transaction');
is($session{explain}->ask('EXPLAIN SELECT * FROM notes;'), $refused, 'EXPLAIN is refused');
is($session{early}->ask("SELECT FROM jwt.authenticate('$early') \\g /dev/null\nSELECT jwt.subject(); COMMIT; SELECT jwt.subject();"), "bob\nbob", 'nbf: a later statement of the same transaction is in time');
is($session{rows}->wait, "$rows|1|bob\n$refused", 'a long SELECT ends, the next statement is refused');
is($session{worker}->wait, "100 bob\n$refused", 'workers judge by the clock of the client\'s statement');
is($session{several}->wait, "bob\n\nbob|100\n$refused", 'statements of one message share a verdict');
is($session{nocommit}->wait, "$rounds|bob", 'a loop without COMMIT shares a verdict');
is($session{loop}->wait, "$refused\n$refused", 'a loop with COMMIT is refused');
is($node->safe_psql('postgres', "SELECT count(*) BETWEEN 1 AND $rounds, count(DISTINCT who), max(at) < to_timestamp($expires + 2) FROM log WHERE what = 'loop'"), 't|1|t', 'at its first round after that');
$pgbench->finish;
like($pgbench_out, qr/aborted in command \d+ .*ERROR:  token has expired/, 'a pipelined statement is refused');

$_->quit foreach values %session;

# ---- Processes that are no client's: nobody, unless the role has a token

my $subscriber = start_node('subscriber', "wal_retrieve_retry_interval = 100ms\n");
my $of_apply = sign($subscriber, '{"sub":"apply"}', "expires_in => '1 hour'");
foreach my $n ($node, $subscriber)
{
	$n->safe_psql('postgres', 'CREATE TABLE items (id int PRIMARY KEY)');
}
$node->safe_psql('postgres', 'INSERT INTO items VALUES (0); CREATE PUBLICATION pub FOR TABLE items');
$subscriber->safe_psql('postgres', <<'SQL');
ALTER TABLE items ADD who text DEFAULT coalesce(jwt.subject(), 'nobody');
CREATE TABLE seen (id int, who text, authenticated boolean);
CREATE FUNCTION note_who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen VALUES (new.id, jwt.subject(), jwt.is_authenticated());
	IF new.id >= 100 AND jwt.subject() IS DISTINCT FROM 'apply' THEN
		RAISE EXCEPTION 'only for apply';
	END IF;
	RETURN new;
END $$;
CREATE TRIGGER t BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION note_who();
ALTER TABLE items ENABLE ALWAYS TRIGGER t;
SQL
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION sub CONNECTION '@{[ $node->connstr ]} dbname=postgres' PUBLICATION pub");
$subscriber->wait_for_subscription_sync($node, 'sub');
$node->safe_psql('postgres', 'INSERT INTO items VALUES (1)');
$node->wait_for_catchup('sub');
is($subscriber->safe_psql('postgres', 'SELECT s.*, i.who FROM seen s JOIN items i USING (id) ORDER BY id'), "0||f|nobody\n1||f|nobody", 'table copy and apply are nobody');
$node->safe_psql('postgres', 'INSERT INTO items VALUES (100)');
ok(wait_for_log_line($subscriber, qr/only for apply/), 'and are refused where somebody is wanted');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM items WHERE id = 100'), '0', 'nothing came');
$subscriber->safe_psql('postgres', "ALTER ROLE postgres SET jwt_auth.token = '$of_apply'");
$node->wait_for_catchup('sub');
is($subscriber->safe_psql('postgres', 'SET jwt_auth.token = \'\'; SELECT s.*, i.who FROM seen s JOIN items i USING (id) WHERE id = 100'), '100|apply|t|apply', 'a token of the role is verified there');
$subscriber->safe_psql('postgres', "SET jwt_auth.token = ''; SELECT jwt.set_key_status('k1', 'revoked')");
$node->safe_psql('postgres', 'INSERT INTO items VALUES (101)');
ok(wait_for_log_line($subscriber, qr/token has been revoked/), 'and judged anew');
is($subscriber->safe_psql('postgres', 'SET jwt_auth.token = \'\'; SELECT count(*) FROM items WHERE id = 101'), '0', 'nothing came');
$subscriber->stop('immediate');

# A background worker that never sets the clock of a statement
SKIP:
{
	my $pg_config = $ENV{PG_CONFIG} // 'pg_config';
	my ($include) = `$pg_config --includedir-server`;
	my $library = $node->basedir . '/clock_worker.so';

	chomp $include;
	skip 'no C compiler', 3
	  if system("cc -shared -fPIC -w -I$include -o $library $FindBin::Bin/lib/clock_worker.c >/dev/null 2>&1") != 0;
	$library = abs_path($library);
	my $late = sign($node, '{"sub":"bob"}', "expires_in => '-2 s'");
	my $good = sign($node, '{"sub":"bob"}');
	$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION clock_worker_start(text, text) RETURNS void LANGUAGE c AS '$library', 'clock_worker_start';
CREATE TABLE verdicts (name text, code text, clock interval);
CREATE TABLE worker_tokens (name text, token text);
INSERT INTO worker_tokens VALUES ('late', '$late'), ('good', '$good');
CREATE FUNCTION judge() RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE t record; code text;
BEGIN
	FOR t IN SELECT * FROM worker_tokens ORDER BY name LOOP
		BEGIN
			PERFORM jwt.authenticate(t.token, set_role => false);
			code := jwt.subject();
		EXCEPTION WHEN OTHERS THEN
			code := sqlstate;
		END;
		INSERT INTO verdicts VALUES (t.name, code, clock_timestamp() - statement_timestamp());
	END LOOP;
END \$\$;
-- the worker judges now, and again three seconds later
INSERT INTO worker_tokens VALUES ('soon', jwt.sign('{"sub":"bob"}', expires_in => '2 s'));
SELECT clock_worker_start('$library', 'SELECT public.judge()');
SQL
	$node->poll_query_until('postgres', 'SELECT count(*) = 6 FROM verdicts');
	my %got = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{SELECT name, string_agg(code, ',' ORDER BY clock) FROM verdicts GROUP BY name});
	is($got{good}, 'bob,bob', 'a background worker takes a good token');
	is($got{late}, '28J01,28J01', 'and refuses an expired one');
	# InitPostgres() sets the statement's clock once, to the time of connecting
	is($got{soon}, 'bob,28J01', 'also one that expires while it lives');
}

done_testing();
