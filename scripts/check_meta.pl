#!/usr/bin/perl
# check_meta.pl [FILE]: is META.json what PGXN accepts, and true?  Quiet if
# so.  The rules are those of PGXN's Meta Spec 1.0.0; beside them, what it
# says must be what the control files, debian/changelog and the tree say.

use strict;
use warnings;

use FindBin;
use JSON::PP;

my $file = $ARGV[0] // 'META.json';
chdir "$FindBin::Bin/..";
my @errors;

sub complain { push @errors, join ': ', @_; return; }

sub slurp
{
	my ($path) = @_;
	open my $handle, '<:raw', $path or die "check-meta: $path: $!\n";
	local $/ = undef;
	return scalar <$handle>;
}

my $meta = eval { JSON::PP->new->utf8->decode(slurp($file)) };
die "check-meta: $file is no JSON object\n" unless ref $meta eq 'HASH';

# What the values of a field must be.
sub is_string { return defined $_[0] && !ref $_[0] && length $_[0]; }
sub is_semver { return is_string($_[0]) && $_[0] =~ /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?$/; }
sub is_term { return is_string($_[0]) && length $_[0] >= 2 && $_[0] !~ m{[\s[:cntrl:]/\\]}; }
sub is_tag { return is_string($_[0]) && length $_[0] <= 255 && $_[0] !~ m{[[:cntrl:]/\\]}; }
sub is_url { return is_string($_[0]) && $_[0] =~ m{^[a-z]+://[^/]+}i; }
sub is_file { return is_string($_[0]) && -f $_[0]; }
sub is_range
{
	return is_string($_[0])
	  && !grep { !/^\s*(?:[<>]=?|[=!]=)?\s*(?:0|\d+\.\d+\.\d+\S*)\s*$/ } split /,/, $_[0];
}

sub is_list_of
{
	my ($check, $value) = @_;
	my @list = ref $value eq 'ARRAY' ? @$value : ($value);
	return @list && !grep { !$check->($_) } @list;
}

my %license = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2
  gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql
  qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);

sub is_license
{
	my ($value) = @_;
	return %$value && !grep { !is_url($_) } values %$value if ref $value eq 'HASH';
	return is_list_of(sub { is_string($_[0]) && $license{ $_[0] } }, $value);
}

sub is_prereqs
{
	my ($value) = @_;
	return unless ref $value eq 'HASH';
	foreach my $phase (keys %$value)
	{
		return unless $phase =~ /^(configure|build|test|runtime|develop)$/ && ref $value->{$phase} eq 'HASH';
		while (my ($relation, $wanted) = each %{ $value->{$phase} })
		{
			return unless $relation =~ /^(requires|recommends|suggests|conflicts)$/ && ref $wanted eq 'HASH';
			return if grep { !is_term($_) || !is_range($wanted->{$_}) } keys %$wanted;
		}
	}
	return 1;
}

# field => [required, check]
my %extension = (
	file => [ 1, \&is_file ],
	version => [ 1, \&is_semver ],
	abstract => [ 0, \&is_string ],
	docfile => [ 0, \&is_file ]);
my %spec = (version => [ 1, sub { is_string($_[0]) && $_[0] eq '1.0.0' } ], url => [ 0, \&is_url ]);

sub is_provides
{
	my ($value) = @_;
	return unless ref $value eq 'HASH' && %$value;
	foreach my $name (keys %$value)
	{
		complain('provides', "\"$name\" is no term") unless is_term($name);
		check_fields("provides: $name", $value->{$name}, \%extension);
	}
	return 1;
}

my %distribution = (
	name => [ 1, \&is_term ],
	version => [ 1, \&is_semver ],
	abstract => [ 1, \&is_string ],
	maintainer => [ 1, sub { is_list_of(\&is_string, $_[0]) } ],
	license => [ 1, \&is_license ],
	provides => [ 1, \&is_provides ],
	'meta-spec' => [ 1, sub { check_fields('meta-spec', $_[0], \%spec); return 1; } ],
	description => [ 0, \&is_string ],
	generated_by => [ 0, \&is_string ],
	release_status => [ 0, sub { is_string($_[0]) && $_[0] =~ /^(stable|testing|unstable)$/ } ],
	tags => [ 0, sub { is_list_of(\&is_tag, $_[0]) } ],
	prereqs => [ 0, \&is_prereqs ],
	no_index => [ 0, sub { ref $_[0] eq 'HASH' } ],
	resources => [ 0, sub { ref $_[0] eq 'HASH' } ]);

sub check_fields
{
	my ($where, $value, $fields) = @_;
	return complain($where, 'is no object') unless ref $value eq 'HASH';
	foreach my $name (sort keys %$fields)
	{
		my ($required, $check) = @{ $fields->{$name} };
		if (!exists $value->{$name})
		{
			complain($where, "$name is missing") if $required;
			next;
		}
		complain($where, "$name is not what it must be") unless $check->($value->{$name});
	}
	foreach my $name (sort keys %$value)
	{
		complain($where, "unknown field $name") unless $fields->{$name} || $name =~ /^x_/i;
	}
	return;
}

# What else in the tree says the same.
sub check_truth
{
	my $provides = ref $meta->{provides} eq 'HASH' ? $meta->{provides} : {};
	foreach my $name (map { s/\.control$//r } glob '*.control')
	{
		my ($version) = slurp("$name.control") =~ /^default_version = '(.*)'/m;
		my $said = ref $provides->{$name} eq 'HASH' ? $provides->{$name} : {};

		complain("$name.control", 'is not among provides') unless delete $provides->{$name};
		complain("$name.control", "version $version is not that of META.json")
		  unless "$version.0" eq ($said->{version} // '');
		complain("provides: $name", 'file is not its install script')
		  unless ($said->{file} // '') eq "$name--$version.sql";
	}
	complain('provides', "there is no $_.control") foreach sort keys %$provides;
	my ($packaged) = slurp('debian/changelog') =~ /^\S+ \((.*)-\d+\)/;
	complain('debian/changelog', "version $packaged is not that of META.json")
	  unless $packaged eq ($meta->{version} // '');
	return;
}

check_fields($file, $meta, \%distribution);
check_truth();
print STDERR map { "check-meta: $_\n" } @errors;
exit(@errors ? 1 : 0);
