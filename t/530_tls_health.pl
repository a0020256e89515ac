# A TLS connection stays healthy whatever the tokens on it are.  10,000 verdicts
# that fail, large results between them; and after each OpenSSL's error queue,
# which a connection reads as its own, is empty.

use strict;
use warnings;

use Cwd qw(abs_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $why_not = no_tls();
plan skip_all => $why_not if defined $why_not;

my $rounds = $ENV{JWT_AUTH_TLS_ROUNDS} // 20;
my $node = start_tls_node('tls_health', 'log_min_messages = fatal');
# The queue itself is looked at where a C compiler is at hand.
my $library = abs_path($node->basedir) . '/error_queue.so';
chomp(my $include = `@{[ $ENV{PG_CONFIG} // 'pg_config' ]} --includedir-server`);
my $queue = system("cc -shared -fPIC -w -I$include -o $library $FindBin::Bin/lib/error_queue.c >/dev/null 2>&1") == 0
  ? "LANGUAGE c AS '$library', 'error_queue'" : "LANGUAGE sql AS 'SELECT 0::int8'";
$node->safe_psql('postgres', "CREATE FUNCTION error_queue() RETURNS int8 $queue");
$node->safe_psql('postgres', <<'SQL');
SELECT jwt.generate_key(alg, alg, 'standby') FROM unnest('{RS256,HS256,EdDSA,ES512}'::text[]) alg;
SELECT jwt.set_key_status(alg, 'current') FROM unnest('{RS256,HS256,EdDSA,ES512}'::text[]) alg;
CREATE ROLE app LOGIN;
-- counts what is found in the queue
CREATE SEQUENCE found;
GRANT USAGE ON SEQUENCE found TO PUBLIC;
-- each kind of thing that goes wrong inside libcrypto, or just before it
CREATE TABLE bad (token text, jwk jsonb, state text);
INSERT INTO bad SELECT regexp_replace(jwt.sign('{"sub":"bob"}', alg), '\.[^.]*\.', '.e30.'), NULL, '28J03'
  FROM unnest('{RS256,HS256,EdDSA,ES512}'::text[]) alg;
INSERT INTO bad SELECT regexp_replace(jwt.sign('{"sub":"bob"}', alg), '\.[^.]*$', '.' || repeat('A', length)), NULL, '28J03'
  FROM (VALUES ('RS256', 342), ('ES512', 176), ('EdDSA', 86), ('HS256', 43), ('RS256', 7)) v (alg, length);
INSERT INTO bad SELECT jwt.sign('{"sub":"bob"}', 'RS256'), jwk::jsonb, '22023' FROM (VALUES
	('{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'),
	('{"kty":"OKP","crv":"Ed448","x":"AAAA"}'), ('{"kty":"RSA","n":"AQAB","e":"AQAB"}')) v (jwk);
CREATE FUNCTION judge(b bad) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF b.jwk IS NULL THEN
		PERFORM jwt.verify(b.token);
	ELSE
		PERFORM jwt.verify_with(b.token, b.jwk);
	END IF;
	RETURN 'believed';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE error_queue() WHEN 0 THEN SQLSTATE ELSE 'error ' || nextval('found') END;
END $$;
CREATE FUNCTION pem() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM jwt.jwk_from_pem(E'-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ\n-----END PUBLIC KEY-----\n');
EXCEPTION WHEN OTHERS THEN
	RETURN CASE error_queue() WHEN 0 THEN SQLSTATE ELSE 'error ' || nextval('found') END;
END $$;
GRANT SELECT ON bad TO PUBLIC;
SQL

my $kinds = $node->safe_psql('postgres', 'SELECT count(*) FROM bad');
my $repeat = int(10_000 / $rounds / $kinds) + 1;
my $session = session($node, host => '127.0.0.1', sslmode => 'require');
my $pid = $session->ask('SELECT pg_backend_pid();');
is($session->ask('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid();'), 't', 'over TLS');

my ($verdicts, $bytes, $wrong) = (0, 0, '');
for my $round (1 .. $rounds)
{
	# as one statement, which ends with a large result
	my $length = 100_000 * (1 + $round % 10) + $round;
	my $said = $session->ask("SELECT count(judge(bad)) FILTER (WHERE judge(bad) = state), count(*), repeat('x', $length) FROM bad, generate_series(1, $repeat);");
	my $count = $kinds * $repeat;
	my ($right, $all, $large) = split /\|/, $said;
	$wrong .= "round $round: " . substr($said, 0, 200) . "\n" unless ($right // '') eq $count && ($all // '') eq $count && length($large // '') == $length;
	$verdicts += $count;
	$bytes += $length;

	# and each by itself, as an error that goes over the wire
	$said = $session->ask("SELECT format('SELECT jwt.%s', CASE WHEN jwk IS NULL THEN format('verify(%L)', token) ELSE format('verify_with(%L, %L)', token, jwk) END) FROM bad ORDER BY state, token \\gexec\nSELECT pem(), repeat('y', 300000);");
	my $errors = () = $said =~ /^ERROR:  (?:28J03|22023)$/mg;
	$wrong .= "round $round, one by one: $errors errors, " . substr($said, -300_020, 30) . "\n" unless $errors == $kinds && $said =~ /^22023\|(y+)$/m && length($1) == 300_000;
	$verdicts += $kinds;
	$bytes += 300_000;
}
is($wrong, '', "$verdicts verdicts and $bytes bytes: every answer is right and whole");
cmp_ok($verdicts, '>=', 10_000, 'as many as promised');
is($session->ask('SELECT pg_backend_pid();'), $pid, 'on one connection');
$session->quit;

SKIP:
{
	skip 'no C compiler for the error queue', 1 if $queue !~ /^LANGUAGE c/;
	is($node->safe_psql('postgres', 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM found'), 0, 'the error queue was empty each time');
}
note("proof tls: $verdicts failing verdicts");
$node->stop;
done_testing();
