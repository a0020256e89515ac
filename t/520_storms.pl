# Statements that are cut off anywhere, by the clock or by another session:
# answers stay right and memory flat, whatever was cut.
#
# JWT_AUTH_STORM_CALLS (40000; half a million in "make storms") calls are made
# under the clock and as many under cancellation.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $wanted = $ENV{JWT_AUTH_STORM_CALLS} // 40_000;
my $node = start_node('storms', "jwt_auth.cache_size = 50\nlog_min_messages = fatal\n"
	. "session_preload_libraries = 'jwt_auth'\nautovacuum = off\n");
$node->safe_psql('postgres', <<'SQL');
SELECT jwt.generate_key('HS256', 'hs', 'standby');
SELECT jwt.set_key_status('hs', 'current');
CREATE SEQUENCE calls CACHE 1;
CREATE TABLE token AS SELECT i, jwt.sign(jsonb_build_object('sub', i::text), CASE WHEN i % 20 = 0 THEN 'k1' ELSE 'hs' END, '1 day') AS value FROM generate_series(1, 1000) i;
CREATE TABLE held AS SELECT '{"kty":"EC","crv":"P-256","d":"E2sJCNO3n_XnUuv6SkpvUG6g8YZp47Hf_P9-vVXGESc","x":"J2F6J-J6tkaZPgtK1Zf1cacrgAaMl16VeWlfpBLHBz0","y":"vn5G1QodFvYllX20V_0yA3krnJtRFD-hk7d7PlkDgcI"}'::jsonb AS jwk;
ALTER TABLE held ADD pem text;
UPDATE held SET pem = jwt.jwk_to_pem(jwk);
SQL

# Each counts its calls in a sequence, which no rollback takes back.
my @work = (
	'SELECT jwt.verify(value), nextval(\'calls\') FROM token, generate_series(1, 100)',
	'SELECT (jwt.try_verify(overlay(value PLACING \'AAAA\' FROM length(value) - 40))).valid, nextval(\'calls\') FROM token, generate_series(1, 100)',
	'SELECT set_config(\'jwt_auth.token\', value, true), jwt.subject(), nextval(\'calls\') FROM token, generate_series(1, 100)',
	'SELECT jwt.verify_with(jwt.sign_with(\'{}\', jwk), jwk), nextval(\'calls\') FROM held, generate_series(1, 10000)',
	'SELECT jwt.jwk_from_pem(pem), nextval(\'calls\') FROM held, generate_series(1, 5000)',
	'SELECT jwt.sign(\'{}\', \'k1\'), nextval(\'calls\') FROM generate_series(1, 10000)',
	'DO $$ BEGIN FOR i IN 1 .. 1000 LOOP PERFORM jwt.refresh(jwt.open_session(\'s\')->>\'refresh_token\'), nextval(\'calls\'); END LOOP; END $$',
	'DO $$ BEGIN FOR i IN 1 .. 1000 LOOP PERFORM jwt.set_key_status(\'k1\', \'current\'), jwt.verify(value), nextval(\'calls\') FROM token WHERE token.i = 20; END LOOP; END $$');

sub anonymous
{
	my ($pid) = @_;
	my ($smaps) = grep { -r } "/proc/$pid/smaps_rollup", "/proc/$pid/status";
	return defined $smaps && slurp_file($smaps) =~ /^(?:Anonymous|RssAnon):\s+(\d+) kB/m ? $1 : 0;
}

# What must be true of a backend, at any time.
my $right = <<'SQL';
RESET statement_timeout;
SELECT jwt.verify(value)->>'sub' FROM token WHERE i IN (7, 20) ORDER BY i;
SELECT error_code FROM token, jwt.try_verify(overlay(value PLACING 'AAAA' FROM length(value) - 40)) WHERE i = 20;
SELECT jwt.verify_with(jwt.sign_with('{"sub":"a"}', jwk), jwk)->>'sub' FROM held;
SELECT jwt.jwk_from_pem(pem) @> jwk FROM held;
SELECT jwt.subject();
SELECT jwt.verify(jwt.refresh(jwt.open_session('s')->>'refresh_token')->>'access_token')->>'sub';
SQL
my $right_answer = join "\n", 7, 20, '28J03', 'a', 't', '', 's';

# storm(NAME, BEFORE, MEANWHILE): the work, over and over, until enough calls
# were made; BEFORE begins each statement, MEANWHILE is told the backend.
sub storm
{
	my ($name, $before, $meanwhile) = @_;
	my $session = session($node, user => 'postgres');
	my $pid = $session->ask('SELECT pg_backend_pid();');
	my $contexts = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts;';
	my ($cut, $first, $first_kb, $turn) = (0, 0, 0, 0);
	my $calls = sub { $node->safe_psql('postgres', 'SELECT last_value FROM calls') };
	my $start = $calls->();

	$session->ask('SET client_min_messages = error;');
	$meanwhile->($pid) if $meanwhile;
	until ($calls->() - $start >= $wanted && $turn > 20)
	{
		# The output is thrown away but for errors.
		my $said = join "\n", map { $session->ask("\\o /dev/null\n" . $before->() . $_ . ";\n\\o"); } @work;
		$cut += () = $said =~ /^ERROR:  57014$/mg;
		is($said =~ s/^ERROR:  57014\n?//mgr, '', "$name: no other error") if $said =~ /ERROR:  (?!57014)/;
		# A cancel may come late and hit the next statement.
		my $answer = $meanwhile ? '' : $session->ask($right);
		is($answer, $right_answer, "$name: right in between") if !$meanwhile && $answer ne $right_answer;
		if (++$turn == 10)
		{
			$first = $meanwhile ? 0 : $session->ask($contexts);
			$first_kb = anonymous($pid);
		}
	}
	my $done = $calls->() - $start;
	return ($session, $pid, $cut, $done, $first, $first_kb, $contexts);
}

# By the clock: a limit of 1 to 20 ms, in which most of the work cannot end.
my $limit = 0;
my ($session, $pid, $cut, $done, $first, $first_kb, $contexts) =
  storm('clock', sub { $limit = $limit % 20 + 1; "SET statement_timeout = $limit;\n" });
cmp_ok($cut, '>', 20, "clock: $cut statements were cut off in $done calls");
is($session->ask($right), $right_answer, 'clock: right afterwards');
my $grown = $session->ask($contexts) - $first;
cmp_ok($grown, '<', 256 * 1024, "clock: memory contexts grew by $grown bytes");
$grown = anonymous($pid) - $first_kb;
cmp_ok($grown, '<', 1024, "clock: the process grew by $grown kB");
my $total = $done;
$session->quit;

# By another session, every few milliseconds.
my $storm = session($node, user => 'postgres', timeout => 3600);
my $canceller = <<'SQL';
DO $$
BEGIN
	LOOP
		PERFORM pg_cancel_backend(PID);
		PERFORM pg_sleep(random() * 0.01);
		EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'enough');
	END LOOP;
END $$;
SQL
($session, $pid, $cut, $done, $first, $first_kb, $contexts) = storm('cancel', sub { '' },
	sub { my ($victim) = @_; $storm->send($canceller =~ s/PID/$victim/r) });
$node->safe_psql('postgres', 'CREATE TABLE enough ()');
$storm->wait;
$storm->quit;
cmp_ok($cut, '>', 20, "cancel: $cut statements were cut off in $done calls");
is($session->ask($right), $right_answer, 'cancel: right afterwards');
$grown = anonymous($pid) - $first_kb;
cmp_ok($grown, '<', 1024, "cancel: the process grew by $grown kB");
$total += $done;
$session->quit;

note("proof storms: $total calls");
$node->stop;
done_testing();
