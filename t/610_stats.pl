# Statistics with the library preloaded: what is counted where, across backends
# and whatever ends them; what a restart and a crash keep; that nobody fills the
# memory; and what jwt_auth.log_rejected writes.

use strict;
use warnings;
use lib 't/lib';
use JwtAuthTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('stats', <<CONF);
shared_preload_libraries = 'jwt_auth'
restart_after_crash = on
log_statement = none
jwt_auth.require_tls = off
CONF
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE ROLE web;
GRANT web TO app;
SELECT jwt.import_key(jwt.jwk_from_secret(repeat('o', 40)), 'hs', status => 'previous');
SELECT jwt.trust_issuer('https://idp.example', '{api}', role_claim => '$.role', allowed_roles => '{web}', max_token_age => '1 hour');
SELECT jwt.import_key(jwt.jwk_from_secret(repeat('f', 40)), 'f1', 'https://idp.example');
SELECT jwt.import_key(jwt.jwk_from_secret(repeat('g', 40)), 'f2', 'https://idp.example', 'revoked');
CREATE DATABASE other;
CREATE FUNCTION foreign_token(claims jsonb, secret text DEFAULT repeat('f', 40), kid text DEFAULT 'f1') RETURNS text LANGUAGE sql
    RETURN jwt.sign_with('{"iss": "https://idp.example", "aud": "api"}' || claims, jwt.jwk_from_secret(secret, kid => kid));
CREATE FUNCTION code(token text) RETURNS text LANGUAGE sql RETURN (jwt.try_verify(token)).error_code;
SQL
my $admin = session($node, user => 'postgres');

# A statement is sent when it ends.
sub JwtAuthTest::Session::run
{
	my ($self, $sql) = @_;

	return $self->ask("$sql;");
}

# rows(WHAT, FILTER): "issuer|kid|alg|..." of the rows that are there
sub rows
{
	my ($what, $where) = @_;

	$where //= 'true';
	return $node->safe_psql('postgres',
		"SELECT coalesce(issuer, ''), coalesce(kid, ''), coalesce(alg, ''), $what FROM jwt.stats WHERE $where ORDER BY 1, 2, 3");
}

sub reset_stats { $node->safe_psql('postgres', 'SELECT jwt.stats_reset()'); return; }

is($admin->run('SELECT jwt.stats_source()'), 'shared_preload_libraries', 'collected');
reset_stats();
is(rows('1'), '', 'a reset leaves nothing');

# By issuer, key and algorithm, from several backends.
my $ours = $admin->run(q{SELECT jwt.sign('{"sub": "42"}')});
my $theirs = $admin->run(q{SELECT foreign_token('{"sub": "42"}')});
is(ask($node, "SELECT count(jwt.verify('$ours')) FROM generate_series(1, 10)"), 10, 'verified');
is(ask($node, "SELECT count(jwt.verify('$theirs')) FROM generate_series(1, 5)"), 5, 'verified, of another issuer');
is(ask($node, "SELECT jwt.verify('$ours') IS NULL; SELECT jwt.verify('$ours') IS NULL"), "f\nf", 'verified in two transactions');
is(rows('signed, verified, cache_hits, rejected'), <<'END' =~ s/\n\z//r, 'counted by issuer, key and algorithm');
|k1|ES256|1|12|10|0
(caller)||HS256|1|0|0|0
https://idp.example|f1|HS256|0|5|4|0
END
is($node->safe_psql('postgres', "SELECT bool_and(last_used_at BETWEEN now() - interval '1 minute' AND now() AND since <= last_used_at AND last_rejected_at IS NULL) FROM jwt.stats"),
	't', 'times of use');

# One rejection of each code, with the row it belongs to.
reset_stats();
my @rejected = (
	[ '28J00', '(unknown)||', q{SELECT code('a.b')} ],
	[ '28J01', 'https://idp.example|f1|HS256', q{SELECT code(foreign_token('{"exp": 1}'))} ],
	[ '28J02', 'https://idp.example|f1|HS256', q{SELECT code(foreign_token('{"nbf": 33000000000}'))} ],
	[ '28J03', 'https://idp.example||', q{SELECT code(foreign_token('{}', repeat('x', 40)))} ],
	[ '28J04', 'https://idp.example||', q{SELECT code(foreign_token('{}', kid => 'nosuch'))} ],
	[ '28J05', '||', q{SELECT code(jwt.sign_with('{}', jwt.jwk_from_secret(repeat('x', 64), 'HS512', 'hs')))} ],
	[ '28J06', '(unknown)||', q{SELECT code(foreign_token('{"iss": "https://evil.example"}'))} ],
	[ '28J07', 'https://idp.example|f1|HS256', q{SELECT code(foreign_token('{"aud": "another"}'))} ],
	[ '28J08', 'https://idp.example|f1|HS256', q{SELECT code(foreign_token('{"iat": 1000000000}'))} ],
	[ '28J09', 'https://idp.example||', q{SELECT code(foreign_token('{}', repeat('g', 40), 'f2'))} ],
	[ '28J10', '(unknown)||', q{SELECT set_config('request.jwt.claims', '{"sub": "1"}', true), jwt.subject()}, 'app' ],
	[ '28J11', 'https://idp.example|f1|HS256', q{SELECT code(foreign_token('{}'))}, 'tcp' ],
	[ '28J12', 'https://idp.example|f1|HS256', q{SELECT jwt.authenticate(foreign_token('{"role": "postgres"}'))}, 'app' ],
);
foreach (@rejected)
{
	my ($code, $row, $sql, $who) = @$_;
	my $answer;

	$who //= '';
	if ($who eq 'tcp')
	{
		# No TLS here: a worker's leader is judged like any other connection.
		$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\njwt_auth.require_tls = on");
		PostgreSQL::Test::Utils::append_to_file($node->data_dir . '/pg_hba.conf', "\nhost all all 127.0.0.1/32 trust\n");
		$admin->quit;
		$node->restart;
		$admin = session($node, user => 'postgres');
		$answer = ask($node, $sql, user => 'postgres', host => '127.0.0.1');
		$node->append_conf('postgresql.conf', 'jwt_auth.require_tls = off');
		$node->reload;
	}
	else
	{
		my $token = $who eq 'app' && $sql =~ s/(foreign_token\(.*\))\)/TOKEN)/ ? $admin->run("SELECT $1") : '';
		$sql =~ s/TOKEN/'$token'/;
		$answer = ask($node, $sql, user => $who || 'postgres');
	}
	like($answer, qr/$code/, "$code is the answer");
	is(rows("rejected_by_code->>'$code'", "rejected_by_code ? '$code'"), "$row|1", "$code is counted in its row");
}
is($node->safe_psql('postgres', 'SELECT sum(rejected), sum(verified), bool_and(last_rejected_at IS NOT NULL) FROM jwt.stats WHERE rejected > 0'),
	'13|1|t', 'thirteen, one of which was verified before its role was refused');

# Parallel workers.
reset_stats();
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE token AS SELECT jwt.sign(jsonb_build_object('sub', i::text)) AS value FROM generate_series(1, 300) i;
INSERT INTO token SELECT value FROM token, generate_series(1, 9);
ALTER TABLE token SET (parallel_workers = 2);
SQL
is($admin->run(<<'SQL'), "t\n3000", 'verified by parallel workers');
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
DO $$
DECLARE
    plan text;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT count(jwt.verify(value)) FROM token' INTO plan;
    PERFORM set_config('test.plan', plan, false);
END $$;
SELECT current_setting('test.plan') ~ 'Workers Planned": 2';
SELECT count(jwt.verify(value)) FROM token;
SQL
is(rows('verified', 'verified > 0'), '|k1|ES256|3000', 'and counted');

# Whatever ends a transaction or a backend.
reset_stats();
is(ask($node, "BEGIN; SELECT jwt.verify('$ours') IS NULL; SELECT 1/0; ROLLBACK"), "f\nERROR:  22012", 'after an error');
is(rows('verified', 'verified > 0'), '|k1|ES256|1', 'a verdict before an error counts');
my $doomed = session($node, user => 'postgres');
my $pid = $doomed->run('SELECT pg_backend_pid()');
$doomed->run("BEGIN; SELECT count(jwt.verify('$ours')) FROM generate_series(1, 4)");
is(rows('verified', 'verified > 0'), '|k1|ES256|1', 'an open transaction has not counted yet');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
is(rows('verified', 'verified > 0'), '|k1|ES256|5', 'FATAL: what it did counts');
my $polite = session($node, user => 'postgres');
$polite->run("BEGIN; SELECT count(jwt.verify('$ours')) FROM generate_series(1, 2)");
$polite->quit;
for (1 .. 1000) { last if rows('verified', 'verified > 0') eq '|k1|ES256|7'; sleep(0.05); }
is(rows('verified', 'verified > 0'), '|k1|ES256|7', 'a client that leaves in a transaction');

# Sessions count when they are there for good.
reset_stats();
my $refresh = ask($node, q{SELECT jwt.open_session('1')->>'refresh_token'}, user => 'postgres');
ask($node, <<'SQL', user => 'postgres');
BEGIN; SELECT jwt.open_session('2'); ROLLBACK;
BEGIN; SELECT jwt.open_session('3'); SAVEPOINT a; SELECT jwt.open_session('4'); SAVEPOINT b; SELECT jwt.open_session('5');
RELEASE b; ROLLBACK TO a; SELECT jwt.open_session('6'); COMMIT;
DO $$ BEGIN PERFORM jwt.open_session('7'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN PERFORM jwt.open_session('8'); END $$;
SELECT jwt.close_sessions('8');
SELECT jwt.refresh('jrt_nonsense');
SQL
my $next = ask($node, "SELECT jwt.refresh('$refresh')->>'refresh_token'", user => 'postgres');
ask($node, "SELECT jwt.refresh('$refresh')", user => 'postgres');
ask($node, "SET jwt_auth.refresh_reuse_interval = 0; SELECT jwt.refresh('$refresh')", user => 'postgres');
is(rows('sessions_opened, sessions_closed, refreshed, refresh_refused, replays', 'kid IS NULL'), '|||4|2|2|2|1', 'sessions');
is($node->safe_psql('postgres', 'SELECT count(*), count(closed_at) FROM jwt.sessions'), '4|2', 'as many as there are');

# Who may look, who may reset; a database of its own.
is(ask($node, 'SELECT count(*) > 0 FROM jwt.stats', user => 'watcher'), 't', 'pg_monitor looks');
is(ask($node, 'SELECT jwt.stats_reset()', user => 'watcher'), 'ERROR:  42501', 'and may not reset');
is(ask($node, 'SELECT count(*) FROM jwt.stats', user => 'app'), 'ERROR:  42501', 'others do not look');
$node->safe_psql('other', q{CREATE EXTENSION jwt_auth; SELECT jwt.generate_key('HS256', 'k1'); SELECT jwt.verify(jwt.sign('{}'))});
is($node->safe_psql('other', 'SELECT kid, alg, signed, verified FROM jwt.stats'), 'k1|HS256|1|1', 'the database sees its own');
reset_stats();
is($node->safe_psql('other', 'SELECT kid, alg, signed, verified FROM jwt.stats'), 'k1|HS256|1|1', 'and only its own is reset');

# A switch.
is(ask($node, "SET jwt_auth.track_stats = off; SELECT jwt.verify('$ours') IS NULL; SET jwt_auth.track_stats = on; SELECT jwt.verify('$ours') IS NULL; SELECT jwt.verify('$ours') IS NULL", user => 'postgres'),
	"f\nf\nf", 'off and on');
is(rows('verified, cache_hits', 'verified > 0'), '|k1|ES256|2|2', 'counted while on');

# A cache that is too small says so.
reset_stats();
ask($node, 'SET jwt_auth.cache_size = 100; SELECT count(jwt.verify(value)) FROM (SELECT DISTINCT value FROM token) t', user => 'postgres');
is(rows('verified, cache_hits, cache_evicted', 'verified > 0'), '|k1|ES256|300|0|200', 'evicted tokens');

# What a token says makes no rows and takes no memory.
reset_stats();
my $hostile = <<'SQL';
SELECT count(code(foreign_token(jsonb_build_object('iss', CASE WHEN i % 3 = 0 THEN 'https://' || i ELSE 'https://idp.example' END), kid => 'kid' || i)))
  FROM generate_series(1, 3000) i;
SELECT count(code(jwt.sign_with('{}', jwt.jwk_from_secret(repeat('x', 40), kid => 'kid' || i)))) FROM generate_series(1, 3000) i;
SQL
is($admin->run($hostile), "3000\n3000", 'hostile names');
is(rows("rejected_by_code, pg_column_size(rejected_by_code) < 100"), <<'END' =~ s/\n\z//r, 'make no rows');
|||{"28J04": 3000}|t
(caller)||HS256|{}|t
(unknown)|||{"28J06": 1000}|t
https://idp.example|||{"28J04": 2000}|t
END
my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};
my $before = $admin->run($memory);
$admin->run($hostile);
cmp_ok($admin->run($memory) - $before, '<', 65536, 'and no memory');

# More keys than the table has rows: the oldest make room, sums stay.
reset_stats();
is($admin->run(<<'SQL'), "1100\n1100", 'many keys');
SELECT count(jwt.import_key(jwt.jwk_from_secret(repeat('k', 40)), 'many' || i, status => 'previous')) FROM generate_series(1, 1100) i;
SELECT count(jwt.verify(jwt.sign_with('{}', jwt.jwk_from_secret(repeat('k', 40), kid => 'many' || i)))) FROM generate_series(1, 1100) i;
SQL
is($node->safe_psql('postgres', q{SELECT count(*) BETWEEN 950 AND 1000, sum(verified) FILTER (WHERE issuer IS DISTINCT FROM '(caller)'), bool_or(issuer = '(other)' AND verified > 50) FROM jwt.stats}),
	't|1100|t', 'a table of 1000 rows, and the sum of all');
$admin->run(q{DO $$ BEGIN PERFORM jwt.drop_key('many' || i) FROM generate_series(1, 1100) i; END $$});
$admin->run("SELECT count(jwt.verify('$ours')) FROM generate_series(1, 3)");
is(rows('verified', "kid = 'k1'"), '|k1|ES256|3', 'and there is a row for who comes last');

# A key that is used again after a long rest: an event, at the next occasion.
my $used = q{SELECT count(*), min(kid), bool_and(session_user_name = 'app' AND detail LIKE 'last used at %' AND at < now()) FROM jwt.events WHERE kind = 'key used again'};
$node->append_conf('postgresql.conf', "jwt_auth.key_rest = '2s'");
$node->reload;
my $old = $admin->run(q{SELECT foreign_token('{}')});
ask($node, "SELECT count(jwt.verify('$old')) FROM generate_series(1, 3)");
$admin->run('SELECT jwt.purge()');
my $already = $node->safe_psql('postgres', $used);
sleep(2.2);
ask($node, "SELECT count(jwt.verify('$old')) FROM generate_series(1, 3)");
ask($node, "SELECT count(jwt.verify('$old')) FROM generate_series(1, 3)");
is($node->safe_psql('postgres', $used), $already, 'who verifies does not write');
$admin->run('BEGIN; SELECT jwt.purge(); ROLLBACK');
is($node->safe_psql('postgres', $used), $already, 'nor who rolls back');
$admin->run('SELECT jwt.purge()');
my ($events) = split /\|/, $already;
is($node->safe_psql('postgres', $used), join('|', $events + 1, 'f1', 't'), 'a key was used again');
$admin->run('SELECT jwt.purge()');
is($node->safe_psql('postgres', $used), join('|', $events + 1, 'f1', 't'), 'once');
$node->append_conf('postgresql.conf', 'jwt_auth.key_rest = 0');
$node->reload;

# A restart keeps all, a crash what was saved last.
my $sum = q{SELECT sum(verified), sum(signed), sum(rejected), min(since) FROM jwt.stats};
my $kept = $node->safe_psql('postgres', $sum);
$admin->quit;
$node->restart;
is($node->safe_psql('postgres', $sum), $kept, 'a restart keeps all');
ok(!-e $node->data_dir . '/pg_stat/jwt_auth.stat', 'no file where base backups look');
ok(-e $node->data_dir . '/pg_stat_tmp/jwt_auth.stat', 'but where they do not');
my $victim = session($node, user => 'postgres');
$pid = $victim->run('SELECT pg_backend_pid()');
$victim->run("SELECT jwt.verify('$ours') IS NULL");
my $witness = session($node, user => 'postgres');
my $began = $witness->run('SELECT pg_postmaster_start_time()');
kill('KILL', $pid);
for (1 .. 2000)
{
	sleep(0.05);
	last if ask($node, 'SELECT 1', user => 'postgres') eq '1';
}
is($node->safe_psql('postgres', $sum), $kept, 'a crash keeps what was saved last');
is(ask($node, "SELECT jwt.verify('$ours') IS NULL", user => 'postgres'), 'f', 'and it counts on');
is($node->safe_psql('postgres', "SELECT verified FROM jwt.stats WHERE kid = 'k1'"), 4, 'from there');

# A file that is not whole is left alone.
$node->stop;
my $file = $node->data_dir . '/pg_stat/jwt_auth.stat';
ok(-e $file, 'a shut-down server has written its file');
my $bytes = slurp_file($file);
substr($bytes, 500, 1) = chr(ord(substr($bytes, 500, 1)) ^ 1);
foreach my $path ($file, $node->data_dir . '/pg_stat_tmp/jwt_auth.stat')
{
	open(my $out, '>:raw', $path) or die "$path: $!";
	print $out $path eq $file ? $bytes : substr($bytes, 0, 1000);
	close $out;
}
$node->start;
is(rows('1'), '', 'a damaged file counts for nothing');
like(slurp_file($node->logfile), qr/ignoring invalid data in file "pg_stat.jwt_auth\.stat"/, 'and the log says so');

# The log.
my $log_from = -s $node->logfile;
my $secret = 'VeryPrivateSubject';
my $bad = $node->safe_psql('postgres', qq{SELECT foreign_token('{"exp": 1, "sub": "$secret"}')});
my $unknown = $node->safe_psql('postgres', qq{SELECT foreign_token('{"sub": "$secret"}', kid => 'CallersName')});
$node->append_conf('postgresql.conf', 'jwt_auth.log_rejected = on');
$node->reload;
my @two = map { session($node, user => 'postgres') } 1, 2;
my $log = sub { return grep { /token rejected/ } split /\n/, slurp_file($node->logfile, $log_from) };
is($_->run(q{SELECT current_setting('jwt_auth.log_rejected')}), 'on', 'logging') foreach @two;
# Two backends at once, each cause many times, all within a second.
my $many = "SELECT count(code('$bad')) + count(code('$unknown')) + count(code('x')) FROM generate_series(1, 100)";
my $start = Time::HiRes::time();
is($_->run($many), 300, 'rejected many times') foreach @two;
my $took = Time::HiRes::time() - $start;
SKIP:
{
	skip 'this machine took too long', 2 if $took > 0.9;
	is(scalar($log->()), 3, 'a line a cause') or diag(join "\n", $log->());
	sleep(1.1);
	$two[0]->run("SELECT code('$bad')");
	my @lines = split /\n/, slurp_file($node->logfile, $log_from);
	my ($i) = reverse grep { $lines[$_] =~ /token rejected: token has expired/ } 0 .. $#lines;
	like($lines[ $i + 1 ], qr{DETAIL:  Its issuer is "https://idp\.example"\. 199 more of this cause were not logged}, 'and how many were left out');
}
is(ask($node, q{SELECT jwt.refresh('jrt_nonsense') ? 'error'}, user => 'postgres'), 't', 'a refresh token');
like(slurp_file($node->logfile, $log_from), qr/LOG:  refresh token rejected: it is unknown/, 'is logged, too');
my $text = slurp_file($node->logfile, $log_from);
unlike($text, qr/$secret|CallersName|eyJ|jrt_/, 'no token, subject or name of a key in the log');
is(ask($node, "SET jwt_auth.log_rejected = off; SELECT jwt.try_verify('$bad') IS NULL", user => 'postgres'), 'f', 'off');

$_->quit foreach @two;
$node->stop;
done_testing();
