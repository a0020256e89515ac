# What the tests of examples/ with node share: packages in a cache folder,
# programs run beside a server.
#
# Packages are installed outside the checkout, one folder a package.json, and
# stay there: $JWT_AUTH_CACHE, else the user's own cache folder, else the
# test's temporary one.  What is not to be had here skips the test.

package NodeTest;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Path qw(make_path);
use FindBin;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(find_command need_commands use_packages set_up run_example start_example example);

my @servers;

# node's own name of the folder with the examples
sub example
{
	my ($file) = @_;
	return abs_path("$FindBin::Bin/../examples") . "/$file";
}

# The first of the commands that is here, else undef.
sub find_command
{
	foreach my $name (@_)
	{
		foreach my $dir (split /:/, "$ENV{PATH}:/usr/sbin")
		{
			return "$dir/$name" if -x "$dir/$name" && !-d _;
		}
	}
	return;
}

# need_commands('node', 'npm', ['chromium', 'google-chrome']): the paths, in
# that order; skips the test if one is missing.
sub need_commands
{
	my @paths;
	foreach my $names (map { ref $_ ? $_ : [$_] } @_)
	{
		my $path = find_command(@$names)
		  or plan skip_all => "there is no $names->[0] here";
		push @paths, $path;
	}
	return @paths;
}

sub cache_folder
{
	my $home = (getpwuid $>)[7] // '';
	my @candidates = (
		$ENV{JWT_AUTH_CACHE},
		$ENV{XDG_CACHE_HOME} ? "$ENV{XDG_CACHE_HOME}/jwt_auth" : undef,
		-d $home ? "$home/.cache/jwt_auth" : undef);

	foreach my $dir (grep { defined && length } @candidates)
	{
		make_path($dir, { mode => 0700, error => \my $error });
		# Code that runs as us comes from no folder of somebody else's.
		my @stat = stat $dir;
		return $dir if @stat && $stat[4] == $> && !($stat[2] & 022) && -w $dir;
	}
	return PostgreSQL::Test::Utils::tempdir();
}

# use_packages(EXAMPLE): what its package.json names is there for require().
sub use_packages
{
	my ($name) = @_;
	local $ENV{JWT_AUTH_CACHE} = cache_folder();
	my ($out, $err) = ('', '');

	IPC::Run::run([ example('../scripts/npm_packages.sh'), example("$name/package.json") ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(300))
	  or plan skip_all => (split /\n/, $err)[-1] // 'no packages';
	chomp($ENV{NODE_PATH} = $out);
	return;
}

# set_up(NODE, EXAMPLE): its setup.sql has run in database postgres, and
# programs connect there.
sub set_up
{
	my ($node, $name) = @_;

	$ENV{PGHOST} = $node->host;
	$ENV{PGPORT} = $node->port;
	$ENV{PGDATABASE} = 'postgres';
	PostgreSQL::Test::Utils::system_or_bail('psql', '-Xq', '-v', 'ON_ERROR_STOP=1',
		'-f', example("$name/setup.sql"));
	# The examples name their own users.
	delete $ENV{PGUSER};
	return;
}

# run_example(SECONDS, COMMAND...): ends well within that time, and its output.
sub run_example
{
	my ($seconds, @command) = @_;
	my $out = '';
	my $run = IPC::Run::start(\@command, '<', \undef, '>&', \$out);
	my $timer = IPC::Run::timer($seconds);

	$timer->start;
	while ($run->pumpable && !$timer->is_expired)
	{
		# pump() waits for output; the program may be stuck without any
		$run->pump_nb;
		select undef, undef, undef, 0.05;
	}
	my $expired = $timer->is_expired;
	$run->kill_kill(grace => 5) if $expired;
	my $good = $expired ? 0 : $run->finish;
	note($out);
	return ($good, $out);
}

# start_example(COMMAND...): the address that a server prints first.  It ends
# with the test.
sub start_example
{
	my (@command) = @_;
	my $out = '';
	my $run = IPC::Run::start(\@command, '<', \undef, '>&', \$out, my $timer = IPC::Run::timeout(60));

	push @servers, $run;
	$run->pump until $out =~ m{^(http://\S+)\n}m;
	my $url = $1;
	$timer->reset;
	return $url;
}

END
{
	local $?;
	$_->kill_kill(grace => 5) foreach @servers;
}

1;
