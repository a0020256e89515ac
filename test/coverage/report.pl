#!/usr/bin/perl
# report.pl GCOV_JSON: what the tests reached of our C code, file by file and
# in all; the last line sums up.  GCOV_JSON is what gcov --json-format printed,
# one document a line, one or more for a source (a core file is compiled for
# the unit tests, too): their counts are added.
#
# Lines: those that gcov counts, but for labels.  A line that is not reached must be listed in
# uncovered.md beside this script, with its reason; else the exit status is 3.
# Below 95 % of lines or 90 % of branches it is 1.
#
# Branches: the two ways out of each condition, of "&&" and "||" each, and each
# case of a switch.  Not counted: the conditions that PostgreSQL's own macros
# bring along (the constant %server_macros below; ereport asks whether its
# level is a constant, VARDATA_ANY how long a header is), because no test of
# ours can take both ways; and those of lines that are listed as not reached.

use strict;
use warnings;

use File::Basename;
use JSON::PP;

use constant { MIN_LINES => 95, MIN_BRANCHES => 90 };

my $server_macros = join '|', qw(ereport elog Assert StaticAssert\w* PG_TRY PG_CATCH
  PG_FINALLY PG_END_TRY foreach\w* VARDATA_ANY VARSIZE_ANY\w* SET_VARSIZE
  heap_getattr fastgetattr CHECK_FOR_INTERRUPTS HeapTupleIsValid ObjectIdGetDatum);

my %line;	# file -> number -> reached
my %function;	# file -> number -> name
my %branch;	# file -> number -> [ reached, ... ]
my %text;	# file -> [ undef, line 1, ... ]

sub read_counts
{
	my ($file) = @_;

	open my $in, '<', $file or die "$file: $!\n";
	while (my $document = <$in>)
	{
		add_source($_) foreach @{ decode_json($document)->{files} };
	}
	close $in;
	return;
}

sub add_source
{
	my ($source) = @_;
	my $name = $source->{file};

	return unless $name =~ m{^(src/.*|jwt_auth)\.[ch]$};
	foreach my $counted (@{ $source->{lines} })
	{
		my $number = $counted->{line_number};
		my @ways = map { $_->{count} } @{ $counted->{branches} };

		$line{$name}{$number} += $counted->{count};
		$function{$name}{$number} = $counted->{function_name} // '';
		$branch{$name}{$number}[$_] += $ways[$_] foreach 0 .. $#ways;
	}
	return;
}

sub source_line
{
	my ($name, $number) = @_;

	unless ($text{$name})
	{
		open my $in, '<', $name or die "$name: $!\n";
		$text{$name} = [ undef, map { s/^\s+|\s+$//gr } <$in> ];
		close $in;
	}
	return $text{$name}[$number];
}

# A list entry: "- `FUNCTION`: `LINE`: REASON", with "(N times) " before the
# reason where the same line stands there more than once; below "## FILE".
sub read_listed
{
	my ($file) = @_;
	my (%listed, $name);

	open my $in, '<', $file or die "$file: $!\n";
	while (<$in>)
	{
		$name = $1 if /^## (\S+)/;
		next unless /^- /;
		die "$file:$.: not \"- `FUNCTION`: `LINE`: REASON\"\n"
		  unless defined $name && /^- `(\w+)`: `(.+?)`: (?:\((\d+) times\) )?\S/;
		$listed{"$name, $1: $2"} += $3 // 1;
	}
	close $in;
	return %listed;
}

read_counts($ARGV[0]);
die "no counts\n" unless %line;
my %listed = read_listed(dirname($0) . '/uncovered.md');
my (%all, @unlisted);

printf "%-36s %16s %20s\n", 'file', 'lines', 'branches';
foreach my $name (sort keys %line)
{
	my %here = (lines => 0, reached => 0, branches => 0, taken => 0);

	foreach my $number (sort { $a <=> $b } keys %{ $line{$name} })
	{
		my $text = source_line($name, $number);
		my $excused = 0;

		next if $text =~ /^\w+:$/ && $text ne 'default:';
		$here{lines}++;
		$all{reports}++ if $text =~ /\bereport\(/;
		if ($line{$name}{$number} > 0)
		{
			$here{reached}++;
			$all{reports_reached}++ if $text =~ /\bereport\(/;
		}
		else
		{
			my $entry = "$name, $function{$name}{$number}: $text";

			$excused = $listed{$entry} ? $listed{$entry}-- : 0;
			push @unlisted, "$name:$number: in $function{$name}{$number}: $text"
			  unless $excused;
			$all{listed}++ if $excused;
		}
		next if $excused || $text =~ /\b(?:$server_macros)\b/;
		$here{branches} += @{ $branch{$name}{$number} // [] };
		$here{taken} += grep { $_ > 0 } @{ $branch{$name}{$number} // [] };
	}
	printf "%-36s %4d/%4d %5.1f %% %8d/%4d %5.1f %%\n", $name,
	  $here{reached}, $here{lines}, percent($here{reached}, $here{lines}),
	  $here{taken}, $here{branches}, percent($here{taken}, $here{branches});
	$all{$_} += $here{$_} foreach keys %here;
}

sub percent
{
	my ($part, $whole) = @_;

	return $whole ? 100 * $part / $whole : 100;
}

my $lines = percent($all{reached}, $all{lines});
my $branches = percent($all{taken}, $all{branches});
my @surplus = grep { $listed{$_} > 0 } sort keys %listed;

print "\nlisted as not reached, but reached: $_\n" foreach @surplus;
print "\n" if @unlisted;
print "not reached and not listed: $_\n" foreach @unlisted;
printf "\ncoverage: %.1f %% of %d lines, %.1f %% of %d branches, %d of %d ereports;"
  . " %d lines listed as not reached, %d not listed\n", $lines, $all{lines},
  $branches, $all{branches}, $all{reports_reached}, $all{reports},
  $all{listed} // 0, scalar @unlisted;
exit 1 if $lines < MIN_LINES || $branches < MIN_BRANCHES;
exit 3 if @unlisted;
