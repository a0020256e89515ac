# Behind PgBouncer, in transaction mode with one server connection: two
# clients take turns on it, and an identity that is set for a transaction is
# never the next client's.  What is set for a session is, as with any setting.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Run ();
use JwtAuthTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin';
plan skip_all => 'pgbouncer is not installed' unless $pgbouncer;
plan skip_all => 'pgbouncer does not run as root' if $> == 0;

my $node = start_node('behind_pool');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE TABLE notes (id int, owner text NOT NULL);
INSERT INTO notes VALUES (1, 'alice'), (2, 'bob'), (3, 'bob'), (4, 'carol');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notes USING (owner = jwt.subject());
GRANT SELECT, INSERT ON notes TO app;
SQL
my %token = map { $_ => sign($node, qq({"sub":"$_"})) } qw(alice bob);
my $expired = sign($node, '{"sub":"bob"}', q{expires_in => '-1 hour'});

my @pools;

# start_pool(NAME, MODE, MORE): PgBouncer with a pool of one.
sub start_pool
{
	my ($name, $mode, $more) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $dir = $node->basedir;

	append_to_file("$dir/$name.ini", <<"INI");
[databases]
postgres = host=@{[ $node->host ]} port=@{[ $node->port ]} dbname=postgres user=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = $mode
default_pool_size = 1
max_client_conn = 20
query_wait_timeout = 60
logfile = $dir/$name.log
$more
INI
	my $log = '';
	my $run = IPC::Run::start([ $pgbouncer, '-q', "$dir/$name.ini" ], '<', \undef, '>&', \$log);
	push @pools, $run;
	my $answer;
	for (1 .. 100)
	{
		$answer = ask($node, 'SELECT 1;', host => '127.0.0.1', port => $port, sslmode => 'disable');
		last if $answer eq '1';
		select(undef, undef, undef, 0.1);
	}
	die "PgBouncer does not answer: $answer\n$log" . slurp_file("$dir/$name.log")
	  unless $answer eq '1';
	return { host => '127.0.0.1', port => $port, sslmode => 'disable' };
}
END { my $status = $?; foreach (@pools) { $_->kill_kill; } $? = $status; }

my $pool = start_pool('transaction', 'transaction', '');
my $alice = session($node, %$pool);
my $bob = session($node, %$pool);
my $stranger = session($node, %$pool);
my $who = q{SELECT coalesce(jwt.subject(), 'nobody'), (SELECT string_agg(id::text, ',' ORDER BY id) FROM notes);};
my $pid = 'SELECT pg_backend_pid();';
is($alice->ask($pid), $bob->ask($pid), 'clients share a server connection');

foreach my $round (1 .. 5)
{
	is($alice->ask("BEGIN; SELECT FROM jwt.authenticate('$token{alice}') \\g /dev/null\n$who COMMIT;"), 'alice|1', "round $round: alice");
	is($bob->ask("BEGIN; SELECT FROM jwt.authenticate('$token{bob}') \\g /dev/null\n$who COMMIT;"), 'bob|2,3', "round $round: bob");
	is($stranger->ask($who), 'nobody|', "round $round: nobody after COMMIT");
	is($alice->ask("BEGIN; SET LOCAL jwt_auth.token = '$token{alice}'; $who ROLLBACK;"), 'alice|1', "round $round: SET LOCAL");
	is($stranger->ask($who), 'nobody|', "round $round: nobody after ROLLBACK");
	is($bob->ask("BEGIN; SELECT FROM jwt.authenticate('$token{bob}') \\g /dev/null\nSELECT 1 / 0; COMMIT;"), 'ERROR:  22012', "round $round: an error");
	is($stranger->ask($who), 'nobody|', "round $round: nobody after an error");
	is($bob->ask("BEGIN; SELECT jwt.authenticate('$expired'); COMMIT;"), 'ERROR:  28J01', "round $round: an expired token");
	is($stranger->ask("BEGIN; $who COMMIT;"), 'nobody|', "round $round: nobody after a refused token");
}

# At once, each waiting for the other's COMMIT
$alice->send("BEGIN; SELECT FROM jwt.authenticate('$token{alice}') \\g /dev/null\nSELECT pg_sleep(0.3); $who COMMIT; $who");
$bob->send("BEGIN; SELECT FROM jwt.authenticate('$token{bob}') \\g /dev/null\nSELECT pg_sleep(0.3); $who COMMIT; $who");
$stranger->send("$who $who");
is($alice->wait, "\nalice|1\nnobody|", 'at once: alice');
is($bob->wait, "\nbob|2,3\nnobody|", 'at once: bob');
is($stranger->wait, "nobody|\nnobody|", 'at once: nobody');

# A client that goes in the middle of its transaction
my $gone = session($node, %$pool);
is($gone->ask("BEGIN; SELECT FROM jwt.authenticate('$token{alice}') \\g /dev/null\n$who"), 'alice|1', 'a client ...');
$gone->quit;
is($stranger->ask($who), 'nobody|', 'leaves nothing behind when it goes');

# Outside of a transaction the identity ends with its statement
is($alice->ask("SELECT 1 FROM jwt.authenticate('$token{alice}'); $who"), "WARNING:  25P01\n1\nnobody|", 'no BEGIN, no identity');
is($stranger->ask($who), 'nobody|', 'nor for the next');

# SET outlives its transaction: it is the next client's, and the README says
# so.  DISCARD ALL ends it.
is($alice->ask("SET jwt_auth.token = '$token{alice}'; $who"), 'alice|1', 'SET for a session');
is($stranger->ask($who), 'alice|1', 'leaks to the next client in transaction mode');
is($bob->ask("BEGIN; SELECT FROM jwt.authenticate('$token{bob}') \\g /dev/null\n$who COMMIT; $who"), "bob|2,3\nalice|1", 'comes back after a transaction');
is($bob->ask("DISCARD ALL; $who"), 'nobody|', 'until DISCARD ALL');
is($stranger->ask($who), 'nobody|', 'for all');
$_->quit foreach $alice, $bob, $stranger;

# server_reset_query runs between clients: always in session mode, and in
# transaction mode with server_reset_query_always.
foreach my $mode ([ 'session', '' ], [ 'transaction', 'server_reset_query_always = 1' ], [ 'statement', 'server_reset_query_always = 1' ])
{
	my ($name, $more) = @$mode;
	my $reset = start_pool("reset_$name", $name, "server_reset_query = DISCARD ALL\n$more");
	my $first = session($node, %$reset);
	my $backend = $first->ask($pid);
	is($first->ask("SET jwt_auth.token = '$token{alice}';"), '', "$name mode: SET");
	$first->quit;
	my $second = session($node, %$reset);
	is($second->ask($pid), $backend, "$name mode: the same server connection");
	is($second->ask($who), 'nobody|', "$name mode: is reset");
	$second->quit;
}

done_testing();
