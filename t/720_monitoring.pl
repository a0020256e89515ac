# examples/monitoring with Debian's exporter: what it shows is what happened,
# to a role that is a member of pg_monitor and reads no subject; and the
# dashboard names nothing that the exporter does not show.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use IPC::Run ();
use JSON::PP;
use JwtAuthTest;
use NodeTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($exporter) = need_commands([ 'prometheus-postgres-exporter', 'postgres_exporter' ]);
my $folder = example('monitoring');

my $node = start_node('monitoring', <<'CONF');
shared_preload_libraries = 'jwt_auth'
jwt_auth.refresh_reuse_interval = 0
CONF
PostgreSQL::Test::Utils::system_or_bail('psql', '-Xq', '-h', $node->host, '-p', $node->port,
	'-d', 'postgres', '-f', "$folder/role.sql");

# What happened: 3 tokens signed by name, 4 verified, 2 of these known from
# the cache, 1 forged, 2 expired; 2 sessions, 1 refresh, 1 replay.
my $out = ask($node, <<'SQL', user => 'postgres');
SELECT jwt.sign('{"sub": "42"}') AS good \gset
SELECT jwt.sign('{"sub": "43"}') AS other \gset
SELECT jwt.sign('{"sub": "42"}', expires_in => '-1 hour') AS expired \gset
SELECT jwt.verify(:'good') ->> 'sub';
SELECT jwt.verify(:'good') ->> 'sub';
SELECT jwt.verify(:'good') ->> 'sub';
SELECT jwt.verify(:'other') ->> 'sub';
SELECT jwt.verify(:'expired');
SELECT error_code FROM jwt.try_verify(:'expired');
SELECT error_code FROM jwt.try_verify(overlay(:'other' placing 'AAAA' from length(:'other') - 20));
SELECT jwt.open_session('a secret subject') ->> 'refresh_token' AS spent \gset
SELECT jwt.open_session('another') ->> 'token_type';
SELECT jwt.refresh(:'spent') ->> 'token_type';
SELECT jwt.refresh(:'spent') ->> 'error';
SELECT jwt.generate_key('RS256', 'k2', status => 'standby');
SELECT jwt.set_key_times('k1', NULL, now() + interval '10 days');
SQL
is($out, "42\n42\n42\n43\nERROR:  28J01\n28J01\n28J03\nBearer\nBearer\ninvalid_grant\nk2", 'what happened');

# The exporter's role may count, and read nothing of anybody.
my $port = PostgreSQL::Test::Cluster::get_free_port();
is(ask($node, 'SELECT count(*) FROM jwt.sessions WHERE is_open', user => 'jwt_monitor'), '1', 'the role counts sessions');
is(ask($node, "SELECT $_->[1] FROM jwt.$_->[0]", user => 'jwt_monitor'), 'ERROR:  42501', "but reads no $_->[1]")
  foreach [ 'sessions', 'subject' ], [ 'sessions', 'sid' ], [ 'sessions', 'claims' ], [ 'events', 'subject' ], [ 'keys', 'public_jwk' ];
is(ask($node, q{SELECT jwt.sign('{}')}, user => 'jwt_monitor'), 'ERROR:  42501', 'and signs nothing');
is(ask($node, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user', user => 'jwt_monitor'), 'f', 'it is no superuser');

my $log = '';
my $run;
{
	local $ENV{DATA_SOURCE_NAME} = 'host=' . $node->host . ' port=' . $node->port . ' user=jwt_monitor dbname=postgres sslmode=disable';
	$run = IPC::Run::start([ $exporter, "--web.listen-address=127.0.0.1:$port",
		"--extend.query-path=$folder/queries.yaml", '--disable-default-metrics',
		'--disable-settings-metrics' ], '<', \undef, '>&', \$log);
}
END { my $status = $?; $run->kill_kill if $run; $? = $status; }

# scrape(): a hash "name{labels}" to value
sub scrape
{
	my $answer = HTTP::Tiny->new(timeout => 30)->get("http://127.0.0.1:$port/metrics");
	return {} unless $answer->{success};
	my %metric;
	foreach my $line (grep { /^jwt_auth_/ } split /\n/, $answer->{content})
	{
		my ($name, $labels, $value) = $line =~ /^(\w+)(?:\{(.*)\})? (\S+)$/ or die "what is: $line";
		# Which server it was is the same for all.
		$labels = join ',', grep { !/^server=/ } split /,/, $labels // '';
		$metric{"$name\{$labels}"} = 0 + $value;
	}
	return \%metric;
}

my $seen = {};
for (1 .. 100)
{
	$run->pump_nb;
	$seen = scrape();
	last if %$seen;
	select undef, undef, undef, 0.1;
}
ok(scalar(%$seen), 'the exporter answers') or diag($log);

my $ours = 'alg="ES256",issuer="",kid="k1"';
my %expected = (
	"jwt_auth_tokens_signed_total{$ours}" => 6,    # 3 by name, 2 sessions, 1 refresh
	"jwt_auth_tokens_verified_total{$ours}" => 4,
	"jwt_auth_tokens_cache_hits_total{$ours}" => 2,
	"jwt_auth_tokens_cache_evicted_total{$ours}" => 0,
	"jwt_auth_tokens_rejected_total{$ours}" => 2,
	'jwt_auth_rejected_tokens_total{code="28J01"}' => 2,
	'jwt_auth_rejected_tokens_total{code="28J03"}' => 1,
	'jwt_auth_sessions_opened_total{}' => 2,
	'jwt_auth_sessions_closed_total{}' => 1,
	'jwt_auth_sessions_refreshed_total{}' => 1,
	'jwt_auth_sessions_refresh_refused_total{}' => 1,
	'jwt_auth_sessions_replays_total{}' => 1,
	'jwt_auth_open_sessions{}' => 1,
	'jwt_auth_key_signs{alg="ES256",kid="k1",status="current"}' => 1,
	'jwt_auth_key_signs{alg="RS256",kid="k2",status="standby"}' => 0,
	'jwt_auth_key_rotation_due{alg="ES256",kid="k1",status="current"}' => 1,    # its time is over in ten days
	'jwt_auth_key_rotation_due{alg="RS256",kid="k2",status="standby"}' => 0,
	'jwt_auth_key_sealed{alg="ES256",kid="k1",status="current"}' => 0,
	'jwt_auth_events_last_hour{kind="session closed"}' => 1,
	'jwt_auth_statistics_collected{}' => 1);
is_deeply({ map { $_ => $seen->{$_} } keys %expected }, \%expected, 'the values are what happened')
  or diag(join("\n", map { "$_ $seen->{$_}" } sort keys %$seen), "\n", $log);
my $age = $seen->{'jwt_auth_key_age_seconds{alg="ES256",kid="k1",status="current"}'} // -1;
ok($age > 0 && $age < 600, 'the age of a key');
unlike($log, qr/level=(?:error|warn)/, 'the exporter has nothing to complain of') or diag($log);

# And they move on.
is(ask($node, q{SELECT jwt.verify(jwt.sign('{}')) IS NOT NULL}, user => 'postgres'), 't', 'one more');
is(scrape()->{"jwt_auth_tokens_verified_total{$ours}"}, 5, 'is seen at the next scrape');

# The dashboard, and what README.md says of names
my %shown = map { /^(\w+)/ => 1 } keys %$seen;
my $dashboard = decode_json(slurp_file("$folder/dashboard.json"));
my %named = map { $_ => 1 } map { $_->{expr} =~ /\b(jwt_auth_\w+)/g } map { @{ $_->{targets} } } @{ $dashboard->{panels} };
cmp_ok(scalar(keys %named), '>', 10, 'the dashboard names metrics');
is_deeply([ grep { !$shown{$_} } sort keys %named ], [], 'all of which the exporter shows');
my %ids = map { $_->{id} => 1 } @{ $dashboard->{panels} };
is(scalar(keys %ids), scalar(@{ $dashboard->{panels} }), 'its panels have ids of their own');
my $readme = slurp_file("$folder/README.md");
my $names = 0;
foreach my $name (sort keys %shown)
{
	my ($end) = $name =~ /^jwt_auth_(?:tokens|rejected|sessions|key|open|events|statistics)_(\w+)$/;
	$names++ if $readme =~ /`\Q$name\E`|`\.\.\._\Q$end\E`/;
}
is($names, scalar(keys %shown), 'README.md lists them');

# A server that counts nothing says so, and the rest is shown all the same.
$node->append_conf('postgresql.conf', 'jwt_auth.track_stats = off');
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->restart;
for (1 .. 100)
{
	$seen = scrape();
	last if exists $seen->{'jwt_auth_open_sessions{}'} && exists $seen->{'jwt_auth_statistics_collected{}'};
	select undef, undef, undef, 0.1;
}
is($seen->{'jwt_auth_open_sessions{}'}, 1, 'after a restart without preloading sessions are counted');
is($seen->{'jwt_auth_statistics_collected{}'}, $node->pg_version >= 17 ? 1 : 0, 'and it is seen that statistics are not');

$run->kill_kill;
undef $run;
$node->stop;
done_testing();
