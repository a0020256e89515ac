# A backend's memory stays flat, whatever it verifies, and however it ends.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
jwt_auth.cache_size = 500
jwt_auth.refresh_reuse_interval = 300
session_preload_libraries = 'jwt_auth'
log_statement = none
log_min_messages = fatal
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256', 'hs');
SELECT jwt.generate_key('ES256', 'es');
SELECT jwt.set_key_status('hs', 'current');
CREATE TABLE token AS
    SELECT i, jwt.sign(jsonb_build_object('sub', i::text, 'fill', repeat('x', i % 300)), CASE WHEN i % 50 = 0 THEN 'es' ELSE 'hs' END) AS value,
           (ARRAY['{"alg":"none"}', '{', 'e30.e30', 'a.b.c', '', repeat('.', 50)])[1 + i % 6] AS nonsense
      FROM generate_series(1, 3000) i;
CREATE TABLE session (i int, access text, refresh text);

-- Each verdict in a subtransaction of its own: errors must leave nothing.
CREATE FUNCTION raises(sql text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    RETURN false;
EXCEPTION WHEN OTHERS THEN
    RETURN true;
END $$;
SQL

my %work = (

	# all good, more of them than the cache holds
	'good tokens' => [ 30_000, <<'SQL' ],
SELECT count(jwt.verify(value)) FROM token, generate_series(1, 10);
SQL
	'bad tokens' => [ 30_000, <<'SQL' ],
SELECT count((jwt.try_verify(CASE i % 5 WHEN 0 THEN nonsense WHEN 1 THEN overlay(value PLACING 'AAAA' FROM length(value) - 8)
                                  WHEN 2 THEN value || 'A' WHEN 3 THEN replace(value, '.', '..') ELSE left(value, 40) || '.' || right(value, 80) END)).error_code)
  FROM token, generate_series(1, 10);
SQL
	'errors' => [ 9_000, <<'SQL' ],
SELECT bool_and(raises(format('SELECT jwt.verify(%L)', overlay(value PLACING 'AAAA' FROM length(value) - 8)))) FROM token;
SELECT bool_and(raises(format('SELECT set_config(%L, %L, true), jwt.subject()', 'jwt_auth.token', value || 'x'))) FROM token;
SELECT bool_and(raises(format('SELECT jwt.verify_with(%L, %L)', value, '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}'))) FROM token;
SQL
	'identities' => [ 9_000, <<'SQL' ],
SELECT count(jwt.subject() || jwt.claim('fill')) FROM (SELECT set_config('jwt_auth.token', value, false) FROM token, generate_series(1, 3) OFFSET 0) t;
RESET jwt_auth.token;
SQL
	'as statements' => [ 3_000, join('', map { "SELECT set_config('jwt_auth.token', value, false) <> '' AND jwt.subject() = '$_' FROM token WHERE i = $_;\n" } 1 .. 1500) ],
	'keys of the caller' => [ 9_000, <<'SQL' ],
SELECT count(jwt.verify_with(jwt.sign_with(jsonb_build_object('sub', i::text), k), k)) FROM token, (SELECT jwt.jwk_from_secret(repeat('k', 40))) s (k), generate_series(1, 2);
SELECT count(jwt.sign('{}', 'es')), count(jwt.jwks()) FROM token;
SQL
	'keys read again' => [ 2_000, <<'SQL' ],
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP
        PERFORM jwt.set_key_status('es', 'standby');
        PERFORM jwt.verify(value) FROM token WHERE token.i = 50;
    END LOOP;
    FOR i IN 1 .. 1000 LOOP
        PERFORM jwt.set_key_status('es', 'revoked');
        PERFORM raises(format('SELECT jwt.verify(%L)', value)) FROM token WHERE token.i = 50;
    END LOOP;
    PERFORM jwt.set_key_status('es', 'current');
END $$;
SQL
	'keys made' => [ 1_000, <<'SQL' ],
DO $$
BEGIN
    FOR i IN 1 .. 500 LOOP
        PERFORM jwt.generate_key((ARRAY['ES384', 'EdDSA', 'HS512'])[1 + i % 3], 'k');
        PERFORM jwt.verify(jwt.sign('{}', 'k'));
        PERFORM jwt.drop_key('k');
    END LOOP;
END $$;
SQL
	'sessions' => [ 4_000, <<'SQL' ],
TRUNCATE session, jwt.session_store;
INSERT INTO session SELECT i, o->>'access_token', o->>'refresh_token' FROM (SELECT i, jwt.open_session(i::text) FROM generate_series(1, 1000) i) s (i, o);
UPDATE session SET refresh = jwt.refresh(refresh)->>'refresh_token';
SELECT count(jwt.refresh(refresh)) FROM session;
SELECT count(jwt.refresh('jrt_' || repeat('A', 100))) FROM session;
SELECT count(jwt.close_session((jwt.verify(access)->>'sid')::uuid)) FROM session;
SELECT count((jwt.try_verify(access)).error_code) FROM session;
SQL
);

my $total = 0;
for my $name (sort keys %work)
{
	my ($count, $sql) = @{ $work{$name} };
	my $s = $node->background_psql('postgres');
	my $pid = $s->query('SELECT pg_backend_pid()');
	my $measure = sub {
		my $contexts = $s->query('SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
		my ($rss, $status) = (0);
		if (open($status, '<', "/proc/$pid/smaps_rollup") || open($status, '<', "/proc/$pid/status"))
		{
			# what is ours alone: shared buffers come in as they are touched
			while (<$status>)
			{
				$rss = $1 if /^(?:Anonymous|RssAnon):\s+(\d+) kB/;
			}
			close $status;
		}
		return ($contexts, $rss);
	};

	# Warm up twice, so that caches and the allocator have their size.
	$s->query($sql) for 1 .. 2;
	my ($contexts, $rss) = $measure->();
	$s->query($sql) for 1 .. 2;
	my ($contexts_after, $rss_after) = $measure->();

	$total += 4 * $count;
	my $grown = $contexts_after - $contexts;
	cmp_ok($grown, '<', 256 * 1024, "$name: memory contexts grew by $grown bytes");
	$grown = $rss_after - $rss;
	cmp_ok($grown, '<', 1024, "$name: the process grew by $grown kB");
	$s->quit;
}
cmp_ok($total, '>=', 200_000, "$total calls");

# That a leak would be seen: of 20 bytes in each of 100,000 calls.
my $s = $node->background_psql('postgres');
SKIP:
{
	skip 'no /proc', 1 unless -e '/proc/self/status';
	my $pid = $s->query('SELECT pg_backend_pid()');
	my $rss = sub { slurp_file("/proc/$pid/status") =~ /RssAnon:\s+(\d+)/ ? $1 : 0 };
	my $leak = q{SELECT count(set_config('leak.x' || i, repeat('x', 20000), false)) FROM generate_series(%d, %d) i};

	$s->query(sprintf($leak, 1, 100));
	my $before = $rss->();
	$s->query(sprintf($leak, 101, 200));
	cmp_ok($rss->() - $before, '>', 1024, 'a leak would be seen');
}
$s->quit;

$node->stop;
done_testing();
