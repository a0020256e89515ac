# Installations of a server that a test may write to, beside the one that it
# runs with.  As scripts/with_server.sh makes them: copies of the binaries,
# which find everything relative to themselves, and links to the rest.

package Installation;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use PostgreSQL::Test::Utils;

our @EXPORT = qw(installation_copy install_into);

# installation_copy(FOLDER): a copy of what is installed under FOLDER; gives
# the folder that holds bin/, as PostgreSQL::Test::Cluster wants it.
sub installation_copy
{
	my ($from) = @_;
	my $to = folder();
	my ($bin) = map { dirname($_) } glob("$from/usr/lib/postgresql/*/bin/postgres $from/*/bin/postgres $from/bin/postgres");
	die "$from: no postgres there" unless defined $bin;
	my $path = substr($bin, length($from));

	system_or_bail('cp', '-as', "$from/.", $to);
	system_or_bail('rm', '-r', "$to$path");
	system_or_bail('cp', '-aL', $bin, "$to$path");
	return dirname("$to$path");
}

# install_into(INSTALL_PATH): builds this tree for it and installs it there
sub install_into
{
	my ($path) = @_;
	my $tree = folder();

	# What make was told above is for another server.
	local @ENV{qw(MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL)};
	delete @ENV{qw(MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL)};
	system_or_bail('scripts/copy_tree.sh', $tree);
	foreach my $target ('clean', 'install')
	{
		system_or_bail('make', '-s', '-C', $tree, $target, "PG_CONFIG=$path/bin/pg_config");
	}
	return;
}

# Outside of the tree, which is copied.
sub folder { return File::Temp::tempdir(CLEANUP => 1, TMPDIR => 1); }

sub dirname { my ($path) = @_; $path =~ s|/[^/]*$||; return $path; }

1;
