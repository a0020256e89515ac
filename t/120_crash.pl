# The server is killed again and again while clients refresh: what a client
# was told holds afterwards.  A token that was said to be spent never gets
# another successor, the one that was handed out goes on, and what was said to
# be closed stays closed.  With synchronous_commit = off, which every user may
# set: what turns a yes into a no is waited for all the same.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $clients = 4;
my $kills = 20;
my $each = 5;    # at least so many answers to each in a round
my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
synchronous_commit = off
wal_writer_delay = 10s
jwt_auth.refresh_reuse_interval = 300
session_preload_libraries = 'jwt_auth'
CONF
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION jwt_auth; SELECT jwt.generate_key('HS256')});

my $dir = PostgreSQL::Test::Utils::tempdir();
srand(42);

# Refreshes in a chain, and says what it was told; another one opens sessions
# and closes them.  That an opened one is there is promised as for any INSERT.
PostgreSQL::Test::Utils::append_to_file("$dir/refresh.sql", <<'SQL' x 20000);
SELECT jwt.refresh(:'token')->>'refresh_token' AS next \gset
\echo spent :token :next
\set token :next
SQL
PostgreSQL::Test::Utils::append_to_file("$dir/close.sql", <<'SQL' x 10000);
SET synchronous_commit = on;
SELECT o->>'access_token' AS access, o->>'refresh_token' AS refresh FROM jwt.open_session('42') o \gset
\echo opened :access :refresh
SET synchronous_commit = off;
SELECT jwt.close_session((jwt.verify(:'access')->>'sid')::uuid) AS closed \gset
\echo closed :access :refresh
SELECT jwt.sign('{"sub": "43"}') AS single \gset
SELECT jwt.revoke(:'single') AS revoked \gset
\echo revoked :single
SQL

sub kill_server
{
	my ($how) = @_;

	if ($how eq 'immediate')
	{
		$node->stop('immediate');
		return;
	}
	my $pid = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	my @children = split /\s+/, slurp_file("/proc/$pid/task/$pid/children");
	# Backends first or last: both leave what they leave.
	my @all = rand() < 0.5 ? ($pid, @children) : (@children, $pid);
	kill('KILL', $_) for @all;
	# Nobody may hold the shared memory any more, or write into the folder
	# beside the next server: a postmaster that outlived its children by a
	# moment has started a recovery of its own.
	for (1 .. 500)
	{
		my @left = grep { (readlink("/proc/$_/cwd") // '') eq $node->data_dir }
			map { m!(\d+)$! } glob('/proc/[0-9]*');
		last unless @left;
		kill('KILL', @left);
		sleep(0.02);
	}
	$node->{_pid} = undef;
	# The next start must not take it for running: where nobody reaps it, its
	# number stays taken.
	unlink($node->data_dir . '/postmaster.pid');
	unlink($node->host . '/.s.PGSQL.' . $node->port . '.lock');
}

plan skip_all => 'needs /proc' unless -e "/proc/$$/task/$$/children";

my @chain = map { [ $node->safe_psql('postgres', "SET synchronous_commit = on; SELECT jwt.open_session('$_')->>'refresh_token'") ] } 1 .. $clients;
my %result = map { $_ => 0 } qw(spent closed open wrong revived lost stale double);
my $died = 0;

for my $round (1 .. $kills)
{
	my @running;

	for my $i (0 .. $clients - 1)
	{
		my $h = { out => '', err => '' };
		# A statement that failed told nothing: stop before the next \echo.
		my @cmd = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'));

		push @cmd, $i < $clients - 1 ?
			('-v', "token=$chain[$i][-1]", '-f', "$dir/refresh.sql") : ('-f', "$dir/close.sql");
		$h->{run} = IPC::Run::start(\@cmd, '<', \undef, '>', \$h->{out}, '2>', \$h->{err});
		push @running, $h;
	}

	# Until each was told a few things, however long that takes, and then a
	# little longer: the kill hits them at work.
	my $limit = time() + 120;
	my $until = $limit;
	while (time() < $until)
	{
		$_->{run}->pump_nb for @running;
		$until = time() + rand(0.1)
			if $until == $limit && !grep { (() = $_->{out} =~ /^(?:spent|closed) .*\n/mg) < $each } @running;
		sleep(0.02);
	}
	kill_server($round % 3 == 0 ? 'immediate' : 'KILL');
	for my $h (@running)
	{
		$h->{run}->finish;
		$died++ if $h->{err} =~ /server closed|terminating|connection/;
	}
	$node->start;

	# What was told, of which the last line may be cut.
	for my $i (0 .. $clients - 2)
	{
		for ($running[$i]{out} =~ /^spent \S+ (\S+)\n/mg)
		{
			push @{ $chain[$i] }, $_;
			$result{spent}++;
		}
		my ($live, $previous) = @{ $chain[$i] }[ -1, -2 ];
		my @older = @{ $chain[$i] } > 2 ? ($chain[$i][-3]) : ();
		my $sql = '';

		# In transactions that are rolled back: asking must not change the answer.
		for my $t (@older, grep { defined } $previous)
		{
			$sql .= "BEGIN; SELECT 'q', coalesce(jwt.refresh('$t')->>'refresh_token', 'refused'); ROLLBACK;\n";
		}
		# The live one, twice, also in two transactions.
		$sql .= "BEGIN; SELECT 'q', coalesce(jwt.refresh('$live')->>'refresh_token', 'refused'); ROLLBACK;\n";
		$sql .= "SELECT 'q', coalesce(jwt.refresh('$live')->>'refresh_token', 'refused');\n" x 2;
		my @answers = $node->safe_psql('postgres', $sql) =~ /^q\|(\S+)$/mg;

		$result{revived}++ for grep { $_ ne 'refused' } splice(@answers, 0, scalar @older);
		if (defined $previous)
		{
			my $answer = shift @answers;
			# Either still the direct predecessor, or a replay already.
			$result{wrong}++ if $answer ne $live && $answer ne 'refused';
		}
		shift @answers;
		$result{lost}++ if $answers[0] eq 'refused';
		$result{double}++ if $answers[0] ne $answers[1];
		push @{ $chain[$i] }, $answers[0];
	}

	# What was closed.
	my $out = $running[-1]{out};
	my @closed = $out =~ /^closed (\S+) (\S+)\n/mg;
	my @opened = $out =~ /^opened (\S+) (\S+)\n/mg;
	my $sql = '';
	$result{closed} += @closed / 2;
	for (my $j = 0; $j < @closed; $j += 2)
	{
		$sql .= "SELECT error_code, jwt.refresh('$closed[$j + 1]')->>'error' FROM jwt.try_verify('$closed[$j]');\n";
	}
	$sql .= "SELECT error_code, 'invalid_grant' FROM jwt.try_verify('$_');\n" for $out =~ /^revoked (\S+)\n/mg;
	$result{stale} += grep { $_ ne '28J09|invalid_grant' } split /\n/, $node->safe_psql('postgres', $sql) if $sql ne '';
	# What was opened is there: open, or closed by the call that was under way.
	if (@opened > @closed)
	{
		$result{open}++;
		$result{lost}++ if $node->safe_psql('postgres',
			"SELECT count(*) FROM jwt.sessions WHERE sid = ((jwt.decode_unverified('$opened[-2]')).claims->>'sid')::uuid") ne '1';
	}
}

cmp_ok($died, '>=', $kills, "the kills hit clients at work ($died)");
cmp_ok($result{spent}, '>=', $kills * $each * ($clients - 1), "$result{spent} tokens were said to be spent");
cmp_ok($result{closed}, '>=', $kills * $each, "$result{closed} sessions were said to be closed");
is($result{revived}, 0, 'nothing older was ever good for a token again');
is($result{wrong}, 0, 'no spent token got another successor');
is($result{lost}, 0, 'no token that was handed out was lost');
is($result{double}, 0, 'never two live successors');
is($result{stale}, 0, 'what was closed stayed closed, what was revoked stayed revoked');
is( $node->safe_psql('postgres', "SELECT count(*) FROM jwt.sessions WHERE closed_why = 'replay'"),
	'0', 'and none of the chains was closed');

# The tables and their indexes agree.
is( $node->safe_psql('postgres', <<SQL), 't', 'heap and index agree');
SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
CREATE TEMP TABLE a AS SELECT sid, generation FROM jwt.session_store;
RESET enable_indexscan; SET enable_seqscan = off;
SELECT count(*) = (SELECT count(*) FROM a) FROM a WHERE EXISTS (SELECT FROM jwt.session_store s WHERE s.sid = a.sid AND s.generation = a.generation);
SQL

# That the test would see a server that forgets: a backup older than what was
# told.
my $token = $node->safe_psql('postgres', "SELECT jwt.open_session('7')->>'refresh_token'");
$node->stop;
$node->backup_fs_cold('old');
$node->start;
my $told = $node->safe_psql('postgres', "SELECT jwt.refresh('$token')->>'refresh_token'");
my $old = PostgreSQL::Test::Cluster->new('old');
$old->init_from_backup($node, 'old');
$old->start;
isnt($old->safe_psql('postgres', "SELECT jwt.refresh('$token')->>'refresh_token'"), $told,
	'a server that forgot would be seen: another successor');
$old->stop;
$node->stop;
done_testing();
