# Statistics without shared_preload_libraries, where the server has named
# segments of shared memory (PostgreSQL 17 and later): whoever counts first
# makes the segment, be it a parallel worker, in a subtransaction or on a
# standby, and a crash keeps what was saved.

use strict;
use warnings;
use lib 't/lib';
use JwtAuthTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = start_node('registry', "log_statement = none\nrestart_after_crash = on", init => { allows_streaming => 1 });
plan skip_all => 'this server has no named segments of shared memory'
  if $node->safe_psql('postgres', 'SELECT jwt.stats_source() IS NULL') eq 't';

my $seen = q{SELECT kid, alg, signed, verified FROM jwt.stats WHERE kid IS NOT NULL};

is($node->safe_psql('postgres', 'SELECT jwt.stats_source()'), 'dsm registry', 'collected');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE token AS SELECT jwt.sign(jsonb_build_object('sub', i::text), expires_in => '1 day') AS value FROM generate_series(1, 300) i;
INSERT INTO token SELECT value FROM token, generate_series(1, 9);
ALTER TABLE token SET (parallel_workers = 2);
CREATE FUNCTION caught(token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN jwt.verify(token)->>'sub';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SQL
is($node->safe_psql('postgres', $seen), 'k1|ES256|300|0', 'signed');

# Workers are new backends: each finds the segment within a parallel query.
my $parallel = "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;";
is($node->safe_psql('postgres', "$parallel SET parallel_leader_participation = off; SELECT count(jwt.verify(value)) FROM token"), 3000, 'verified by workers');
like($node->safe_psql('postgres', "$parallel EXPLAIN SELECT count(jwt.verify(value)) FROM token"), qr/Workers Planned: 2/, 'in parallel');
is($node->safe_psql('postgres', $seen), 'k1|ES256|300|3000', 'and counted');

# The first look of a backend, in a block that catches errors.
my $token = $node->safe_psql('postgres', 'SELECT value FROM token LIMIT 1');
like(ask($node, "SELECT caught('$token'); SELECT caught('x')", user => 'postgres'), qr/^\d+\n28J00$/, 'in a subtransaction');
is($node->safe_psql('postgres', $seen), 'k1|ES256|300|3001', 'counted, too');
is(ask($node, "BEGIN READ ONLY; SELECT jwt.verify('$token') IS NULL; COMMIT", user => 'postgres'), 'f', 'in a READ ONLY transaction');
is($node->safe_psql('postgres', $seen), 'k1|ES256|300|3002', 'counted, too');

# A standby counts for itself.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('registry_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', $seen), '', 'a standby begins at nothing');
is($standby->safe_psql('postgres', "SELECT count(jwt.verify('$token')) FROM generate_series(1, 4)"), 4, 'verified there');
is($standby->safe_psql('postgres', $seen), 'k1|ES256|0|4', 'and counted there');
is($node->safe_psql('postgres', $seen), 'k1|ES256|300|3002', 'not here');
$standby->stop;

# A crash, which makes new shared memory.
my $victim = session($node, user => 'postgres');
my $pid = $victim->ask('SELECT pg_backend_pid();');
kill('KILL', $pid);
for (1 .. 2000)
{
	sleep(0.05);
	last if ask($node, 'SELECT 1', user => 'postgres') eq '1';
}
is(ask($node, "SELECT count(jwt.verify('$token')) FROM generate_series(1, 5)", user => 'postgres'), 5, 'after a crash it counts on');
like($node->safe_psql('postgres', $seen), qr/^k1\|ES256\|(0|300)\|(5|3007)$/, 'from what was saved');

$node->stop;
done_testing();
