# Node and one pinned npm package, for tests against other people's code.
#
# The package is installed once into a cache folder: $JWT_AUTH_CACHE, else
# jwt_auth in $XDG_CACHE_HOME, else in ~/.cache.  Nothing is written into the
# checkout.  Without node, npm or a network the test says that it skips.

package JwtAuthNode;

use strict;
use warnings;

use Exporter 'import';
use File::Basename 'dirname';
use File::Copy 'copy';
use File::Path qw(make_path remove_tree);
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(node_scripts run_node);

# run(SECONDS, COMMAND...): what it printed on both channels; undef if failed.
sub run
{
	my ($seconds, @command) = @_;
	my $out = '';
	my $ok = eval {
		IPC::Run::run(\@command, '<', \undef, '>&', \$out, IPC::Run::timeout($seconds));
	};

	return ($ok ? $out : undef, $out);
}

# node_scripts(FOLDER, NAME, VERSION): a folder with copies of the scripts of
# FOLDER in which "import ... from NAME" works; or undef and why not.
sub node_scripts
{
	my ($from, $name, $version) = @_;

	my ($node) = run(20, 'node', '--version');
	return (undef, 'node is not installed') unless defined $node;
	return (undef, "node $1 is older than 20") if $node =~ /^v(\d+)/ && $1 < 20;
	return (undef, 'npm is not installed') unless defined((run(60, 'npm', '--version'))[0]);

	my $cache = $ENV{JWT_AUTH_CACHE}
	  // ($ENV{XDG_CACHE_HOME} // "$ENV{HOME}/.cache") . '/jwt_auth';
	my $folder = "$cache/npm/$name-$version";
	unless (-e "$folder/node_modules/$name/package.json")
	{
		# Beside its place and then renamed: two tests may do this at once.
		my $new = "$folder.$$";
		make_path($new);
		my ($ok, $out) = run(180, 'npm', 'install', '--prefix', $new,
			'--cache', "$new/cache", '--no-package-lock', '--ignore-scripts',
			'--no-audit', '--no-fund', '--no-update-notifier', '--fetch-retries=1',
			'--fetch-timeout=20000', "$name\@$version");
		unless (defined $ok)
		{
			my ($code) = $out =~ /^npm (?:ERR!|error) code (\w+)/m;
			remove_tree($new);
			return (undef, "npm could not install $name $version: " . ($code // 'no answer in time'));
		}
		remove_tree("$new/cache");
		rename($new, $folder) or remove_tree($new);
	}

	# An import is looked up beside the file that makes it.
	my $scripts = PostgreSQL::Test::Utils::tempdir();
	copy($_, $scripts) or die "$_: $!" foreach glob("$from/*.mjs");
	symlink("$folder/node_modules", "$scripts/node_modules") or die "node_modules: $!";
	return ($scripts, undef);
}

# run_node(SCRIPT, INPUT): gives the script JSON, takes JSON.
sub run_node
{
	my ($script, $input) = @_;
	my $json = JSON::PP->new->ascii;
	my ($in, $out, $err) = ($json->encode($input), '', '');

	IPC::Run::run([ 'node', $script ], '<', \$in, '>', \$out, '2>', \$err,
		IPC::Run::timeout(180))
	  or die "$script: $err";
	return JSON::PP->new->utf8->decode($out);
}

1;
