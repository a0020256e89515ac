# jwt_auth.require_tls: a token is accepted over TLS or a Unix-domain socket,
# and nowhere else; workers judge as their leader does.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $why_not = no_tls();
plan skip_all => $why_not if defined $why_not;

my $node = start_tls_node('tls', 'max_parallel_workers = 8');
my $release = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my $force_parallel = $release >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE TABLE notes (id int, owner text NOT NULL);
INSERT INTO notes SELECT i, CASE i % 2 WHEN 0 THEN 'bob' ELSE 'alice' END FROM generate_series(1, 2000) i;
ANALYZE notes;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notes USING (owner = jwt.subject());
GRANT SELECT ON notes TO PUBLIC;
SQL
my $bob = sign($node, '{"sub":"bob"}');
my $expired = sign($node, '{"sub":"bob"}', q{expires_in => '-1 hour'});
my $workers = "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
  . "SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off; SET $force_parallel = on;";
my %road = (
	'a socket' => {},
	'TCP' => { host => '127.0.0.1', sslmode => 'disable' },
	'TLS' => { host => '127.0.0.1', sslmode => 'require' });
my $ask = <<SQL;
SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl;
SET jwt_auth.token = '$bob';
SELECT count(*) FROM notes;
SELECT jwt.subject();
SELECT jwt.verify('$bob')->>'sub';
SELECT valid, error_code FROM jwt.try_verify('$bob');
RESET jwt_auth.token;
BEGIN; SELECT FROM jwt.authenticate('$bob') \\g /dev/null
SELECT count(*) FROM notes; ROLLBACK;
BEGIN; SELECT FROM jwt.authenticate('$expired'); ROLLBACK;
SELECT count(*) FROM notes;
SELECT count(*) FROM pg_class WHERE relname = 'notes';
SQL
my %yes = map { $_ => join "\n", $_ eq 'TLS' ? 1 : 0, 1000, 'bob', 'bob', 't|', 1000, 'ERROR:  28J01', 0, 1 } keys %road;
my $no = join "\n", 0, ('ERROR:  28J11') x 3, 'f|28J11', 'ERROR:  28J11', 'ERROR:  25P02', 'ERROR:  28J01', 0, 1;

is(ask($node, $ask, %{ $road{$_} }), $yes{$_}, "require_tls off: $_") foreach sort keys %road;

$node->append_conf('postgresql.conf', 'jwt_auth.require_tls = on');
$node->restart;
is(ask($node, $ask, %{ $road{$_} }), $_ eq 'TCP' ? $no : $yes{$_}, "require_tls on: $_") foreach sort keys %road;
is(ask($node, "SET jwt_auth.token = '$bob'; SELECT jwt.subject();", %{ $road{TCP} }, user => 'postgres'), 'ERROR:  28J11', 'a superuser is no exception');

# Refresh tokens, too: nothing is looked at.  verify_with() judges by a key of
# the caller, and by nothing of ours.
my $refresh = $node->safe_psql('postgres', q{SELECT jwt.open_session('bob')->>'refresh_token'});
foreach my $name ('TCP', 'a socket', 'TLS')
{
	is(ask($node, "SELECT jwt.refresh('$_') ? 'access_token';", %{ $road{$name} }, user => 'postgres'),
		$name eq 'TCP' ? 'ERROR:  28J11' : $_ eq $refresh ? 't' : 'f', "require_tls on: refresh, $name") foreach ($refresh, 'nonsense');
}
is($node->safe_psql('postgres', q{SELECT generation, is_open FROM jwt.sessions}), '2|t', 'refused over TCP, it had no effect');
is(ask($node, "SELECT jwt.verify_with(jwt.sign_with('{\"sub\":\"bob\"}', k), k)->>'sub' FROM jwt.jwk_from_secret(repeat('x', 32)) k;", %{ $road{TCP} }, user => 'postgres'),
	'bob', 'require_tls on: verify_with, TCP');

# In workers, which have no connection of their own.  The generic plan was
# made for nobody, so that only workers look at the token.
my $in_workers = <<SQL;
$workers
SET plan_cache_mode = force_generic_plan;
PREPARE q AS SELECT count(*) FROM notes;
EXECUTE q;
SET jwt_auth.token = '$bob';
EXECUTE q;
SELECT jwt.subject();
SELECT jwt.is_authenticated();
SELECT jwt.verify('$bob')->>'sub';
SQL
is(ask($node, $in_workers, %{ $road{TCP} }), join("\n", 0, ('ERROR:  28J11') x 4), 'workers: TCP');
is(ask($node, $in_workers, %{ $road{$_} }), "0\n1000\nbob\nt\nbob", "workers: $_") foreach ('TLS', 'a socket');

# The plan had workers, and a token that was in force is judged anew.
like(ask($node, "SET jwt_auth.token = '$bob'; $workers SELECT FROM jwt.subject() \\g /dev/null\nEXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM notes;", %{ $road{TLS} }),
	qr/Workers Launched: [12]\n/, 'workers were launched over TLS');
is(ask($node, 'SELECT jwt.subject();', %{ $road{TCP} }, options => "-c jwt_auth.token=$bob"), 'ERROR:  28J11', 'a token in PGOPTIONS');
is(ask($node, "SET jwt_auth.require_tls = off; SELECT jwt.subject(); SET jwt_auth.require_tls = off; SET jwt_auth.token = '$bob'; SELECT jwt.subject();", %{ $road{TCP} }),
	"WARNING:  42501\n\nERROR:  42501\nERROR:  28J11", 'nobody but a superuser turns it off');
my $words = ask($node, "SELECT jwt.verify('$bob');", %{ $road{TCP} }, verbosity => 'default');
like($words, qr/^ERROR:  connection is not secure\n.*require_tls/s, 'words');
unlike($words, qr/eyJ/, 'without the token');

my $session = session($node, %{ $road{TCP} });
$node->append_conf('postgresql.conf', 'jwt_auth.require_tls = off');
$node->reload;
my $answer = '';
for (1 .. 100)
{
	$answer = $session->ask("SET jwt_auth.token = '$bob'; SELECT jwt.subject();");
	last if $answer eq 'bob';
	select(undef, undef, undef, 0.05);
}
is($answer, 'bob', 'a reload is heard: off');
$node->append_conf('postgresql.conf', 'jwt_auth.require_tls = on');
$node->reload;
for (1 .. 100)
{
	$answer = $session->ask('SELECT jwt.subject();');
	last if $answer ne 'bob';
	select(undef, undef, undef, 0.05);
}
is($answer, 'ERROR:  28J11', 'a reload is heard: on, under a cached verdict');
$session->quit;

# Claims of a gateway are no token.
is(ask($node, q{SET request.jwt.claims = '{"sub":"bob"}'; SET ROLE app; SELECT count(*) FROM notes;}, %{ $road{TCP} }, user => 'postgres'), '1000', 'a gateway brings no token');

done_testing();
