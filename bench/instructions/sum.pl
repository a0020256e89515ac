#!/usr/bin/perl
# sum.pl PROGRAM FILE...: callgrind's parts, one an operation; prints for each
# its name, instructions of PROGRAM's own code, calls from there into
# libcrypto, and fetches, whoever makes them: an operation, of ten.

use strict;
use warnings;

my $times = 10;    # TIMES in count.c
my $program = shift;
my @lines;

foreach my $path (@ARGV)
{
	my ($part, $name, $object, $called_object, $called, $is_call) = (0);
	my ($instructions, $calls, $fetches) = (0, 0, 0);

	open my $file, '<', $path or die "could not open $path: $!\n";
	while (my $line = <$file>)
	{
		if ($line =~ /^part: (\d+)/) { $part = $1 }
		elsif ($line =~ /^desc: Trigger: Client Request: (.*)/) { $name = $1 }
		elsif ($line =~ /^ob=(.*)/) { $object = $1 }
		elsif ($line =~ /^cob=(.*)/) { $called_object = $1 }
		elsif ($line =~ /^cfn=(.*)/) { $called = $1 }
		elsif ($line =~ /^calls=(\d+)/)
		{
			my $count = $1;
			my $from_us = $object =~ /\Q$program\E$/;
			my $to_crypto = ($called_object // $object) =~ /libcrypto/;
			$calls += $count if $from_us && $to_crypto;
			$fetches += $count if $called =~ /^EVP_[A-Z]+_fetch/;
			$called_object = undef;
			$is_call = 1;
		}
		elsif ($line =~ /^\d+ (\d+)$/)
		{
			my $count = $1;
			# The line after calls= is what the callee cost.
			$instructions += $count if !$is_call && $object =~ /\Q$program\E$/;
			$is_call = 0;
		}
	}
	close $file;
	next unless defined $name;
	push @lines, [ $part, sprintf "%s\t%.0f\t%.0f\t%.0f", $name, map { $_ / $times } $instructions, $calls, $fetches ];
}
print "$_->[1]\n" foreach sort { $a->[0] <=> $b->[0] } @lines;
