# examples/node-pool and examples/pgbouncer, for real: two tenants on a few
# connections of node's pg, for longer than their tokens live, and through a
# PgBouncer with one.  The program itself fails on a foreign row.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use NodeTest;
use PostgreSQL::Test::Utils;
use Test::More;

need_commands('node', 'npm');
use_packages('node-pool');
my $node = start_node('node_pool', '', without_extension => 1);
set_up($node, 'node-pool');

my ($good, $out) = run_example(60, 'node', example('node-pool/demo.js'));
ok($good, 'node-pool: the program ends well');
like($out, qr/^\d{2,} requests on [12] server connection\(s\), 0 foreign rows$/m, 'no foreign rows');
like($out, qr/^refreshed: alice [1-9]\d*, bob [1-9]\d*$/m, 'both refreshed');
like($out, qr/^forged: 28J03\nsigned out: 28J09\nnode-pool: all as promised$/m, 'refusals');

SKIP:
{
	skip 'there is no pgbouncer here', 2 if !find_command('pgbouncer');
	($good, $out) = run_example(60, example('pgbouncer/run.sh'));
	ok($good, 'pgbouncer: the program ends well');
	like($out, qr/^\d{2,} requests on 1 server connection\(s\), 0 foreign rows$/m,
		'pgbouncer: no foreign rows on one connection');
}

# The server logs all statements; setup.sql keeps their parameters out.
ok(slurp_file($node->logfile) !~ /eyJ|jrt_/, 'no token in the log');

# The program would notice: without the policy it fails.
$node->safe_psql('postgres', 'ALTER POLICY own_tenant ON app.invoices USING (true)');
$ENV{DEMO_SECONDS} = 1;
($good, $out) = run_example(60, 'node', example('node-pool/demo.js'));
ok(!$good, 'without the policy the program fails');
like($out, qr/[1-9]\d* foreign rows/, 'and says how many foreign rows it saw');

$node->stop;
done_testing();
