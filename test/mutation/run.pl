#!/usr/bin/perl
# run.pl: seeds the faults of mutants.txt, one at a time, and sees whether the
# tests find them.  Reports the survivors; exit status 3 if more than one in
# twenty survives, or if the tests fail without a fault.  A fault whose text is
# no longer there is an error.
#
# With --check, only whether they all are there.
#
# MUTANTS=PATTERN chooses those whose name matches it.  MUTATION_SECONDS is a
# budget: after it no other mutant is begun, and the order is random so that
# each run sees others.  JOBS mutants at once (one for each processor).
# The figures in one line: build/proof/mutation.

use strict;
use warnings;

use Cwd;
use File::Basename;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use List::Util qw(shuffle);

use constant ENOUGH => 0.95;

chdir dirname($0) . '/../..' or die;
my $checkout = getcwd();
my $make = $ENV{MAKE} // 'make';
my $jobs = $ENV{JOBS} || qx(nproc) + 0;
my $began = time;
my $mutants = read_mutants('test/mutation/mutants.txt');
exit 0 if @ARGV && $ARGV[0] eq '--check';
my $chosen = $ENV{MUTANTS} // "";
my @queue = grep { $_->{name} =~ /$chosen/ } @$mutants;
die "no mutant's name matches \"$chosen\"\n" unless @queue;
@queue = shuffle(@queue) if $ENV{MUTATION_SECONDS};

# A tree for each job, built once; a mutant builds what it touches.  Two
# makes of this one would be told to share a job server that is gone.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
my $room = tempdir('jwt_auth_mutation.XXXXXX', DIR => '/tmp', CLEANUP => 0);
chmod 0755, $room;
my $owner = $$;
END { remove_tree($room) if defined $owner && $$ == $owner; }
$SIG{INT} = $SIG{TERM} = sub { exit 130 };

mkdir "$room/0";
run_or_die("scripts/copy_tree.sh $room/0");
run_or_die("cd $room/0 && $make -s clean && $make -s -j$jobs all build/unit/unit");
run_or_die("cp -a $room/0 $room/$_") foreach 1 .. $jobs - 1;

# Without a fault nothing may fail, or every mutant would seem to be found.
# The TAP files see the control together, in the name of all.
my %tap = map { $_ => 1 } map { @{ $_->{tap} } } @queue;
my $control = { name => 'control', tap => [ sort keys %tap ] };
print "control: no fault\n";
my $timeout = 1200;
my $control_began = time;
my $verdict = test_tree("$room/0", $control);
give_up("the tests fail without a fault: $verdict") if $verdict;

# Who answers in none of three times that has been killed; on a machine that is
# busy with other things nobody else has.
$timeout = 3 * (time - $control_began);
$timeout = 300 if $timeout < 300;

my %found;
run_all();
report();

# The figures are what there are none of.
sub give_up
{
	my ($why) = @_;

	print "mutation: $why\n";
	make_path("$checkout/build/proof");
	write_file("$checkout/build/proof/mutation", "mutation: $why\n");
	exit 3;
}

# [ { name, file, before, after, tap => [ file, ... ] }, ... ]
sub read_mutants
{
	my ($list) = @_;
	my (@all, %seen);

	open my $in, '<', $list or die "$list: $!\n";
	while (<$in>)
	{
		next if /^#/ || /^\s*$/;
		if (/^\[(.+)\] (\S+)((?: t\/\S+)*)$/)
		{
			die "$list:$.: \"$1\" is named twice\n" if $seen{$1}++;
			push @all, { name => $1, file => $2, tap => [ split ' ', $3 ], before => '', after => '' };
		}
		elsif (/^-(.*\n)$/) { $all[-1]{before} .= $1 }
		elsif (/^\+(.*\n)$/) { $all[-1]{after} .= $1 }
		else { die "$list:$.: not understood\n" }
	}
	close $in;
	my @stale = map { check_mutant($_) } @all;
	die @stale if @stale;
	return \@all;
}

sub slurp
{
	my ($file) = @_;

	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

# What is wrong with it, if anything: a text that has moved or stands twice
# must not pass for a mutant.
sub check_mutant
{
	my ($mutant) = @_;

	chomp @$mutant{qw(before after)};
	my $count = () = slurp($mutant->{file}) =~ /\Q$mutant->{before}\E/g;
	return $count == 1 && length $mutant->{before} ? () :
	  "[$mutant->{name}]: its text stands $count times in $mutant->{file}\n";
}

sub run_or_die
{
	my ($command) = @_;

	system($command) == 0 or die "failed: $command\n";
	return;
}

sub write_file
{
	my ($file, $text) = @_;

	open my $out, '>', $file or die "$file: $!\n";
	print $out $text;
	close $out or die "$file: $!\n";
	return;
}

# What failed first in a tree; '' if nothing did.
sub test_tree
{
	my ($tree, $mutant) = @_;
	my $results = "$tree/build/results";
	my $core = !defined $mutant->{file} || $mutant->{file} =~ m{^src/core/};

	remove_tree($results);
	make_path($results);
	return 'does not build' if system("cd $tree && $make -s all build/unit/unit >$results/build.log 2>&1") != 0;
	return 'unit: ' . first_failure("$results/unit.log", $?)
	  if $core && system("cd $tree && timeout 60 build/unit/unit >$results/unit.log 2>&1") != 0;
	return 'check-layers' if system("cd $tree && scripts/check_layers.sh >$results/layers.log 2>&1") != 0;
	return test_on_server($tree, $results, $mutant);
}

sub test_on_server
{
	my ($tree, $results, $mutant) = @_;
	my $stages = @{ $mutant->{tap} } ? 'regress isolation tap' : 'regress isolation';

	system("cd $tree && RESULTS=$results STAGES='$stages' TAP_FILES='@{ $mutant->{tap} }' LANES=1 FAIL_FAST=yes"
		. " PGISOLATIONTIMEOUT=30 timeout -k 30 $timeout scripts/with_server.sh scripts/test_server.sh"
		. " >$results/server.log 2>&1 </dev/null");
	my $status = $?;

	# What a test said about a mutant can be read afterwards.
	make_path("$checkout/build/mutation");
	write_file("$checkout/build/mutation/" . ($mutant->{name} =~ s/\W+/-/gr) . '.log', slurp("$results/server.log"));
	return '' if $status == 0;
	return "no answer within $timeout s" if $status >> 8 == 124;
	die "[$mutant->{name}]: the server did not start, see $results/server.log\n" . slurp("$results/server.log")
	  unless -s "$results/regress.log";
	my ($log) = grep { -e } map { "$results/$_.log" } qw(tap.0 isolation regress);
	return basename($log, '.log') . ': ' . first_failure($log, $status);
}

sub first_failure
{
	my ($log, $status) = @_;

	foreach (split /\n/, slurp($log))
	{
		next if /# TODO/;
		return $_ if s/^not ok (?:\d+\s+)?(?:- )?// || s/^test (\S+)\s+\.\.\. FAILED.*/$1/;
	}
	return "ended with status $status";
}

# Seeds one fault in one of the trees, and takes it back.
sub try_mutant
{
	my ($mutant, $tree) = @_;
	my $file = "$tree/$mutant->{file}";
	my $original = slurp($file);

	write_file($file, $original =~ s/\Q$mutant->{before}\E/$mutant->{after}/r);
	my $answer = test_tree($tree, $mutant);

	write_file($file, $original);
	return $answer;
}

# One process for each tree at a time; its answer comes back as a file.
sub run_all
{
	my @free = (0 .. $jobs - 1);
	my %running;

	while (@queue || %running)
	{
		@queue = () if $ENV{MUTATION_SECONDS} && time - $began > $ENV{MUTATION_SECONDS};
		while (@queue && @free)
		{
			my $mutant = shift @queue;
			my $slot = shift @free;
			my $pid = fork // die "fork: $!\n";

			if ($pid == 0)
			{
				undef $owner;
				write_file("$room/answer.$slot", try_mutant($mutant, "$room/$slot"));
				exit 0;
			}
			$running{$pid} = [ $mutant, $slot ];
		}
		last unless %running;
		my $pid = wait;
		my ($mutant, $slot) = @{ delete $running{$pid} };
		die "[$mutant->{name}] could not be tried\n" if $? != 0;
		push @free, $slot;
		$found{ $mutant->{name} } = slurp("$room/answer.$slot");
		die "[$mutant->{name}] does not build: " . slurp("$room/$slot/build/results/build.log")
		  if $found{ $mutant->{name} } eq 'does not build';
		printf "%-9s %-50s %s\n", $found{ $mutant->{name} } ? 'killed' : 'SURVIVED',
		  $mutant->{name}, $found{ $mutant->{name} };
	}
	return;
}

sub report
{
	my @survivors = sort grep { $found{$_} eq '' } keys %found;
	my $run = keys %found;
	my $line = sprintf 'mutation: %d of %d mutants killed', $run - @survivors, $run;

	$line .= sprintf ', %d of the list not run', @$mutants - $run if $run < @$mutants;
	$line .= sprintf '; %d minutes; survivors: %s', (time - $began + 59) / 60,
	  @survivors ? join(', ', map { "\"$_\"" } @survivors) : 'none';
	print "$line\n";
	make_path("$checkout/build/proof");
	write_file("$checkout/build/proof/mutation", "$line\n");
	exit 3 if !$run || $run - @survivors < ENOUGH * $run;
	return;
}
