# A table of a million rows: by every scan, under generic plans, for three
# identities in turn and for nobody, exactly the identity's rows each time,
# and the policy is an index condition.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use List::Util 'min';
use Test::More;

my $node = start_node('big_table', <<'CONF');
shared_buffers = 256MB
maintenance_work_mem = 128MB
max_parallel_workers = 8
max_worker_processes = 16
max_parallel_maintenance_workers = 0
autovacuum = off
CONF

# A few rows, some, many: 50 for alice, 1000 for bob, a fifth for carol; the
# rest belongs to five hundred others.
my %sub = (
	alice => '11111111-1111-4111-8111-111111111111',
	bob => '22222222-2222-4222-8222-222222222222',
	carol => '33333333-3333-4333-8333-333333333333');
$node->safe_psql('postgres', <<SQL);
CREATE ROLE app LOGIN;
CREATE UNLOGGED TABLE by_text (id int, n int, owner text NOT NULL);
CREATE UNLOGGED TABLE by_uuid (id int, n int, owner uuid NOT NULL);
INSERT INTO by_text
	SELECT id, hashint4(id),
		   CASE WHEN id % 20000 = 7 THEN '$sub{alice}' WHEN id % 1000 = 3 THEN '$sub{bob}' WHEN id % 5 = 0 THEN '$sub{carol}'
				ELSE '44444444-4444-4444-8444-' || lpad((id % 500)::text, 12, '0') END
	  FROM generate_series(1, 1000000) id;
INSERT INTO by_uuid SELECT id, n, owner::uuid FROM by_text;
CREATE INDEX ON by_text (owner);
CREATE INDEX ON by_uuid (owner);
VACUUM ANALYZE by_text;
VACUUM ANALYZE by_uuid;
CREATE TABLE truth AS
	SELECT owner, count(*) AS rows, sum(id) AS ids, sum(n) AS checksum FROM by_text GROUP BY owner;
ALTER TABLE by_text ENABLE ROW LEVEL SECURITY;
ALTER TABLE by_uuid ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON by_text USING (owner = jwt.subject());
CREATE POLICY p ON by_uuid USING (owner = jwt.uid());
GRANT SELECT ON by_text, by_uuid TO app;
SQL
my %truth = (nobody => '0||');
$truth{$_} = $node->safe_psql('postgres', "SELECT rows, ids, checksum FROM truth WHERE owner = '$sub{$_}'") foreach keys %sub;
is(join(' ', map { (split /\|/, $truth{$_})[0] } sort keys %sub), '50 1000 200000', 'rows of each');
my %token = map { $_ => sign($node, qq({"sub":"$sub{$_}"})) } keys %sub;

my %off = map { $_ => "SET enable_${_}scan = off;\n" } qw(seq index bitmap indexonly);
my $workers = "SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;\n"
  . "SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0; SET parallel_leader_participation = off;\n";
my $single = "SET max_parallel_workers_per_gather = 0;\n";
my @scans = (
	[ 'seq scan', $single . $off{index} . $off{bitmap}, qr/Aggregate\n\s+->  Seq Scan on by_(text|uuid)\n\s+Filter: \(owner = jwt\.(subject|uid)\(\)\)/ ],
	[ 'index scan', $single . $off{seq} . $off{bitmap}, qr/Index Scan using by_(text|uuid)_owner_idx.*\n\s+Index Cond: \(owner = jwt\.(subject|uid)\(\)\)/ ],
	[ 'bitmap scan', $single . $off{seq} . $off{index}, qr/Bitmap Index Scan on by_(text|uuid)_owner_idx\n\s+Index Cond: \(owner = jwt\.(subject|uid)\(\)\)/ ],
	[ 'parallel seq scan', $workers . $off{index} . $off{bitmap}, qr/Workers Planned: 3\n.*Parallel Seq Scan on by_(text|uuid)\n\s+Filter: \(owner = jwt\.(subject|uid)\(\)\)/s ],
	[ 'parallel index scan', $workers . $off{seq} . $off{bitmap}, qr/Workers Planned: \d\n.*Parallel Index Scan using by_(text|uuid)_owner_idx.*\n\s+Index Cond: \(owner = jwt\.(subject|uid)\(\)\)/s ],
	[ 'scan of the planner\'s choice', '', qr/Index Cond: \(owner = jwt\.(subject|uid)\(\)\)/ ]);
my @turns = qw(alice nobody carol bob alice carol nobody bob);

foreach my $table ('by_text', 'by_uuid')
{
	foreach my $scan (@scans)
	{
		my ($name, $settings, $plan) = @$scan;
		# one plan for all, made for alice; a worker is worth it for many rows only
		my $first = $name eq 'parallel index scan' ? 'carol' : 'alice';
		my $sql = "SET plan_cache_mode = force_generic_plan;\n$settings"
		  . "SET jwt_auth.token = '$token{$first}';\n"
		  . "PREPARE q AS SELECT count(*), sum(id), sum(n) FROM $table;\n"
		  . "\\echo -- plan\nEXPLAIN (COSTS OFF) EXECUTE q;\n";
		foreach my $turn (0 .. $#turns)
		{
			my $who = $turns[$turn];
			my $come = $token{$who} ? "SELECT FROM jwt.authenticate('$token{$who}') \\g /dev/null\n" : '';
			$sql .= "RESET jwt_auth.token; BEGIN; $come\\echo -- $turn\nEXECUTE q; COMMIT;\n";
		}
		$sql .= "\\echo -- plans\nSELECT generic_plans >= 8, custom_plans FROM pg_prepared_statements;\n";
		my $got = sections(ask($node, $sql));
		like($got->{plan}, $plan, "$table, $name: plan");
		is_deeply([ map { "$turns[$_]: $got->{$_}" } 0 .. $#turns ],
			[ map { "$_: $truth{$_}" } @turns ], "$table, $name: rows");
		is($got->{plans}, 't|0', "$table, $name: generic plans");
	}
}

# What the helper costs in a scan that looks at every row, for the reader.
# The superuser asks, whom no policy binds: the helper is all the difference.
foreach my $case ([ 'by_text', 'jwt.subject()' ], [ 'by_uuid', 'jwt.uid()' ])
{
	my ($table, $helper) = @$case;
	my @query = map { "SELECT count(*) FROM $table WHERE owner = $_;\n" } ($helper, "'$sub{bob}'");
	my $out = ask($node, "$single$off{index}$off{bitmap}SET jwt_auth.token = '$token{bob}';\n@query\\timing on\n" . "@query" x 7,
		user => 'postgres');
	my @ms = $out =~ /^Time: ([\d.]+)/mg;
	my ($ours, $constant) = map { my $n = $_; min(@ms[ grep { $_ % 2 == $n } 0 .. $#ms ]) } (0, 1);

	diag(sprintf('%s, 1,000,000 rows by seq scan: owner = %s %.1f ms, owner = constant %.1f ms, ratio %.2f',
			$table, $helper, $ours, $constant, $ours / $constant));
}

done_testing();
