#!/usr/bin/perl
# report.pl [--text PART]: RESULTS.md from what run.sh measured, or the rows
# of one part as text.  Values are medians over the rounds; ratios and
# differences are taken within each round first.

use strict;
use warnings;

my @algs = qw(HS256 RS256 PS256 ES256 EdDSA);
my @parts = qw(tokens wire rls start memory growth refresh_vs_update stats_cost);

# The budgets.  Each row: part, what, unit (ns, us, ms, kB), the case, what
# kind of judgement (ratio, gain: ratio the other way round, difference,
# value), the limit, and for all but value what it is held beside: its name
# and cases with factors, which are added up.
my @budgets = (
	[ 'tokens', 'HS256: verify a new token', 'us', 'HS256/verify/jwt_auth', 'ratio', 1.2,
		'HMAC and jsonb_in in one C function', 'HS256/verify/reference' => 1 ],
	(map { [ 'tokens', "$_: verify a new token", 'us', "$_/verify/jwt_auth", 'ratio', 1,
		'1.05 x signature + jsonb_in', "$_/verify/signature" => 1.05, "$_/verify/jsonb_in" => 1 ] }
		qw(RS256 PS256 ES256 EdDSA)),
	[ 'tokens', 'HS256: verify the same token again', 'us', 'HS256/cached/jwt_auth', 'value', 0.2 ],
	[ 'tokens', 'ES256: verify the same token again', 'us', 'ES256/cached/jwt_auth', 'value', 0.2 ],
	[ 'tokens', 'HS256: sign ten claims', 'us', 'HS256/sign/jwt_auth', 'ratio', 2,
		"pgcrypto's hmac of the ready input + jsonb_out",
		'HS256/sign/hmac' => 1, 'HS256/sign/jsonb_out' => 1 ],
	[ 'tokens', 'RS256: sign ten claims', 'us', 'RS256/sign/jwt_auth', 'ratio', 1.03, 'signature',
		'RS256/sign/signature' => 1 ],
	[ 'tokens', 'ES256: sign ten claims', 'us', 'ES256/sign/jwt_auth', 'ratio', 1.15, 'signature',
		'ES256/sign/signature' => 1 ],
	(map { my $c = $_; my $clients = $c == 1 ? '1 client' : "$c clients"; (
		[ 'wire', "verify a new token, $clients", 'us', "new/$c", 'ratio', 1.6, 'SELECT 1', "select/$c" => 1 ],
		[ 'wire', "verify the same token again, $clients", 'us', "cached/$c", 'ratio', 1.2, 'SELECT 1', "select/$c" => 1 ],
		[ 'wire', "verify a new token, $clients", 'us', "new/$c", 'gain', 12, 'pgjwt', "pgjwt/$c" => 1 ],
		[ 'wire', "verify a new token, $clients", 'us', "new/$c", 'gain', 12, "pgjwt's style, written anew", "pgjwt_style/$c" => 1 ],
		[ 'wire', "BEGIN, authenticate, RLS read, COMMIT, $clients", 'us', "transaction/$c", 'ratio', 1.15,
			'BEGIN, SELECT 1, read, COMMIT', "plain/$c" => 1 ],
		[ 'wire', "the same, $clients", 'us', "transaction/$c", 'ratio', undef, 'BEGIN, read, COMMIT', "short/$c" => 1 ],
		[ 'wire', "the same sent at once, $clients", 'us', "transaction_pipelined/$c", 'ratio', undef,
			'BEGIN, SELECT 1, read, COMMIT sent at once', "plain_pipelined/$c" => 1 ],
		[ 'wire', "the same sent at once, $clients", 'us', "transaction_pipelined/$c", 'ratio', undef,
			'BEGIN, read, COMMIT sent at once', "short_pipelined/$c" => 1 ],
		[ 'wire', "BEGIN, set_config, RLS read by current_setting(...)::json, COMMIT, $clients", 'us', "postgrest/$c", 'ratio', undef,
			'BEGIN, SELECT 1, read, COMMIT', "plain/$c" => 1 ]) } 1, 2),
	[ 'rls', 'seq scan, owner = jwt.uid()', 'ns', 'uuid/helper', 'difference', 5, 'a constant', 'uuid/constant' => 1 ],
	[ 'rls', 'seq scan, owner = jwt.subject()', 'ns', 'text/helper', 'difference', 10, 'a constant', 'text/constant' => 1 ],
	[ 'rls', "seq scan, tenant = jwt.claim('tenant')", 'ns', 'claim/helper', 'difference', 25, 'a constant', 'claim/constant' => 1 ],
	[ 'rls', "seq scan, owner = current_setting(...)::json ->> 'sub'", 'ns', 'setting/helper', 'difference', undef, 'a constant', 'setting/constant' => 1 ],
	[ 'rls', 'primary-key read planned anew, policy with jwt.subject()', 'us', 'planning/helper', 'difference', 3, 'a policy with a constant', 'planning/constant' => 1 ],
	[ 'start', 'first verify in a new connection, HS256', 'ms', 'HS256/none', 'value', 3 ],
	[ 'start', 'first verify in a new connection, ES256', 'ms', 'ES256/none', 'value', 3 ],
	[ 'start', 'the same with shared_preload_libraries, HS256', 'ms', 'HS256/shared', 'value', 1 ],
	[ 'start', 'the same with shared_preload_libraries, ES256', 'ms', 'ES256/shared', 'value', 1 ],
	[ 'memory', 'growth over MANY verifies, half of them failing: memory contexts', 'kB', 'contexts', 'value', 1024 ],
	[ 'memory', 'the same, resident memory', 'kB', 'resident', 'value', 1024 ],
	[ 'tokens', 'jwt_auth_pgjwt: verify', 'us', 'HS256/verify/drop_in', 'gain', 8, 'pgjwt', 'HS256/verify/pgjwt' => 1 ],
	[ 'tokens', 'jwt_auth_pgjwt: verify', 'us', 'HS256/verify/drop_in', 'gain', 8, "pgjwt's style, written anew", 'HS256/verify/pgjwt_style' => 1 ],
	(map { my ($case, $what) = @$_; (
		[ 'growth', "verify new tokens, $what", 'us', "new/$case", 'ratio', 1.1, '1 key, nothing revoked', 'new/one' => 1 ],
		[ 'growth', "verify the same token again, $what", 'us', "cached/$case", 'ratio', 1.1, '1 key, nothing revoked', 'cached/one' => 1 ]) }
		[ keys => '10,000 keys' ], [ revocations => 'MANY revoked tokens and subjects' ]),
	[ 'growth', 'verify new tokens of a session, MANY sessions', 'us', 'session/sessions', 'ratio', 1.1, '1 session', 'session/one' => 1 ],
	[ 'growth', 'refresh, MANY sessions', 'us', 'refresh/sessions', 'ratio', 1.1, '1 session', 'refresh/one' => 1 ],
	(map { [ 'refresh_vs_update', "refresh, committed, $_ sessions", 'us', "refresh/$_", 'ratio', undef,
		'UPDATE of one row, committed', "update/$_" => 1 ] } 1000, 'MANY'),
	[ 'stats_cost', 'verify the same token again, with statistics', 'ns', 'backend/on', 'ratio', 1.01, 'without', 'backend/off' => 1 ],
	[ 'stats_cost', 'the same, 1 client', 'us', 'wire/on', 'ratio', 1.01, 'without', 'wire/off' => 1 ],
);

my %unit = (ns => 1, us => 1e3, ms => 1e6, kB => 1024, MB => 1048576);
my %print = (us => "\x{b5}s");
my (%rounds, %about);    # {part}{round}{case}, {part}{name}

sub load_part
{
	my ($part) = @_;
	open my $file, '<', "build/bench/$part.tsv" or return;
	while (my $line = <$file>)
	{
		chomp $line;
		my ($round, $case, $value) = split /\t/, $line, 3;
		if ($round eq '#') { $about{$part}{$case} = $value }
		else { $rounds{$part}{$round}{$case} = $value }
	}
	close $file;
	return;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return $#sorted % 2 ? ($sorted[ $#sorted / 2 ] + $sorted[ $#sorted / 2 + 1 ]) / 2 : $sorted[ $#sorted / 2 ];
}

# Median over the rounds of what a function makes of a round's cases; undef
# where no round has them.
sub over_rounds
{
	my ($part, $of) = @_;
	my @values = grep { defined } map { $of->($_) } values %{ $rounds{$part} // {} };
	return @values ? median(@values) : undef;
}

# The sum of cases with factors in one round, or undef.
sub sum
{
	my ($round, %factors) = @_;
	my $sum = 0;
	foreach my $case (keys %factors)
	{
		return unless defined $round->{$case};
		$sum += $factors{$case} * $round->{$case};
	}
	return $sum;
}

sub digits
{
	my ($value) = @_;
	return sprintf abs($value) >= 100 ? '%.0f' : abs($value) >= 10 ? '%.1f' : '%.2f', $value;
}

sub amount
{
	my ($value, $unit) = @_;
	return digits($value / $unit{$unit}) . ' ' . ($print{$unit} // $unit);
}

# A budget's row: what, value, beside what, its value, ratio or difference,
# budget, verdict; nothing if it was not measured.
sub judge
{
	my ($part, $what, $unit, $case, $kind, $limit, $beside, %factors) = @_;
	my $many = $about{$part}{many} // '';
	s/MANY/$many/ foreach $what, $case;
	%factors = map { my $name = $_; s/MANY/$many/ for $name; $name => $factors{$_} } keys %factors;

	my $value = over_rounds($part, sub { $_[0]{$case} });
	return unless defined $value;
	if ($kind eq 'value')
	{
		return [ $what, amount($value, $unit), '', '', '', 'at most ' . ($limit + 0) . ' ' . ($print{$unit} // $unit),
			$value <= $limit * $unit{$unit} ];
	}
	my $other = over_rounds($part, sub { sum($_[0], %factors) });
	return unless defined $other;
	my $compare = sub {
		my $mine = $_[0]{$case};
		my $its = sum($_[0], %factors);
		return unless $mine && $its || $kind eq 'difference' && defined $mine && defined $its;
		return $kind eq 'difference' ? $mine - $its : $kind eq 'gain' ? $its / $mine : $mine / $its;
	};
	my $result = over_rounds($part, $compare);
	my @row = ($what, amount($value, $unit), $beside, amount($other, $unit));
	if ($kind eq 'difference')
	{
		push @row, ($result >= 0 ? '+' : '') . amount($result, $unit),
		  defined $limit ? "at most +$limit " . ($print{$unit} // $unit) : '',
		  defined $limit ? $result <= $limit * $unit{$unit} : undef;
	}
	elsif ($kind eq 'gain')
	{
		push @row, sprintf('%.1f times as fast', $result), "at least $limit times", $result >= $limit;
	}
	else
	{
		push @row, sprintf('%.2f', $result), defined $limit ? "at most $limit" : '', defined $limit ? $result <= $limit : undef;
	}
	return \@row;
}

sub verdict
{
	my ($met) = @_;
	return !defined $met ? '' : $met ? 'met' : '**missed**';
}

sub rows_of
{
	my ($part) = @_;
	return grep { defined } map { judge(@$_) } grep { $_->[0] eq $part } @budgets;
}

sub command_line
{
	my ($command) = @_;
	my $line = `$command 2>/dev/null`;
	$line = (split /\n/, $line // '')[0] // '';
	$line =~ s/^\s+|\s+$//g;
	return $line;
}

sub machine
{
	my $cpu = command_line("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo");
	my $cores = command_line('nproc');
	my $system = command_line('. /etc/os-release; echo "$PRETTY_NAME"');
	my $kernel = command_line('uname -sm');
	my $config = $ENV{PG_CONFIG} || command_line('scripts/find_pg_config.sh');
	my @software = (
		command_line("$config --version"),
		command_line('openssl version'),
		map { my $v = command_line("dpkg-query -W -f '\${Version}' $_->[0]"); $v ? "$_->[1] $v" : () }
		  [ libjwt0 => 'libjwt' ], [ libcjose0 => 'libcjose' ]);
	push @software, map { my $v = $about{tokens}{$_}; defined $v ? "$_ $v" : () } qw(node jose jsonwebtoken fast-jwt);
	push @software, 'pgjwt ' . ($about{tokens}{pgjwt} // 'not asked for');
	return "$cpu, $cores cores; $system, $kernel.\n" . join(', ', @software) . ".\n";
}

# The fastest of the peers of each algorithm, in rows of contenders.
my @contenders = (
	[ jwt_auth => 'jwt_auth, in the backend' ], [ reference => 'C in the backend: signature and jsonb_in' ],
	[ drop_in => 'jwt_auth_pgjwt' ], [ openssl => 'OpenSSL alone' ], [ libjwt => 'libjwt' ], [ libcjose => 'libcjose and jansson' ], [ 'fast-jwt' => 'fast-jwt' ],
	[ jsonwebtoken => 'jsonwebtoken' ], [ jose => 'jose' ], [ pgcrypto => 'pgcrypto in PL/pgSQL' ],
	[ pgjwt => 'pgjwt' ], [ pgjwt_style => "pgjwt's style, written anew" ]);

sub matrix
{
	my ($operation) = @_;
	my $text = '| | ' . join(' | ', @algs) . " |\n|---|" . ('--:|' x @algs) . "\n";
	foreach my $contender (@contenders)
	{
		my ($name, $title) = @$contender;
		my @cells = map {
			my $alg = $_;
			my $value = over_rounds('tokens', sub { $_[0]{"$alg/$operation/$name"} });
			my $times = over_rounds('tokens', sub {
				my ($mine, $its) = @{ $_[0] }{"$alg/$operation/jwt_auth", "$alg/$operation/$name"};
				return $mine && $its ? $its / $mine : undef; });
			!defined $value ? '' : digits($value / 1e3) . ($name eq 'jwt_auth' || !defined $times ? '' : sprintf ' (%.2f)', $times);
		} @algs;
		$text .= "| $title | " . join(' | ', @cells) . " |\n" if grep { $_ ne '' } @cells;
	}
	return $text;
}

sub results
{
	my %title = (
		tokens => 'In one backend', wire => 'Over the wire', rls => 'Policies', start => 'A new connection',
		memory => 'Memory', growth => 'Growth', refresh_vs_update => 'Refresh',
		stats_cost => 'Statistics');
	my $text = "# Results\n\nWritten by `bench/run.sh`; what is measured how, and what is meant by each row, is in [NOTES.md](NOTES.md).\n"
	  . "Ratios are medians of ratios within a round, and the only figures that mean something on another day.\n\n"
	  . machine() . "\n";
	foreach my $part (grep { $rounds{$_} } @parts)
	{
		my @rows = rows_of($part);
		$text .= "## $title{$part}\n\n" . sprintf("%s, %d rounds%s, load at the start %s.\n\n", $about{$part}{date},
			scalar keys %{ $rounds{$part} }, $about{$part}{quick} ? ', quick' : '', $about{$part}{load} // '?')
		  . "| | | beside | | ratio or difference | budget | |\n|---|--:|---|--:|--:|---|---|\n";
		$text .= '| ' . join(' | ', @$_[ 0 .. 5 ], verdict($_->[6])) . " |\n" foreach @rows;
		$text .= "\n";
		next unless $part eq 'tokens';
		$text .= "Microseconds to verify a token not seen before (in parentheses: times jwt_auth), HS256 with $about{tokens}{token_bytes} bytes:\n\n"
		  . matrix('verify') . "\nTo verify one seen before:\n\n" . matrix('cached') . "\nTo sign:\n\n" . matrix('sign') . "\n";
	}
	return $text;
}

binmode STDOUT, ':encoding(UTF-8)';
load_part($_) foreach @parts;
if (@ARGV == 2 && $ARGV[0] eq '--text')
{
	foreach my $row (rows_of($ARGV[1]))
	{
		my ($what, $value, $beside, $other, $result, $budget, $met) = @$row;
		printf "%s: %s%s%s%s\n", $what, $value, $beside ne '' ? "; $beside: $other; $result" : '',
		  $budget ne '' ? " ($budget)" : '', defined $met ? $met ? ': met' : ': missed' : '';
	}
}
elsif (@ARGV == 2 && $ARGV[0] eq '--value')
{
	my ($part, $case) = split /:/, $ARGV[1];
	my $value = over_rounds($part, sub { $_[0]{$case} });
	print defined $value ? digits($value / 1e3) : '?', "\n";
}
else
{
	print results();
}
