# Node and what a package.json names, for tests against other people's code.
#
# scripts/npm_packages.sh says where the packages are.  Nothing is written into
# the checkout.  Without node, or the packages and a way to them, the test says
# that it skips.

package JwtAuthNode;

use strict;
use warnings;

use Exporter 'import';
use File::Copy 'copy';
use FindBin;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(node_scripts run_node);

# run(SECONDS, COMMAND...): what it printed, and what it complained of;
# undef if it failed.
sub run
{
	my ($seconds, @command) = @_;
	my ($out, $err) = ('', '');
	my $ok = eval {
		IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($seconds));
	};

	chomp($out, $err);
	return ($ok ? $out : undef, $err);
}

# node_scripts(FOLDER): a folder with copies of the scripts of FOLDER, in which
# imports of what its package.json names work; or undef and why not.
sub node_scripts
{
	my ($from) = @_;

	my ($node) = run(60, 'node', '--version');
	return (undef, 'node is not installed') unless defined $node;
	return (undef, "node $1 is older than 20") if $node =~ /^v(\d+)/ && $1 < 20;
	my ($modules, $why_not) = run(300, "$FindBin::Bin/../scripts/npm_packages.sh", "$from/package.json");
	return (undef, (split /\n/, $why_not)[-1] // 'no answer in time') unless defined $modules;

	# An import is looked up beside the file that makes it.
	my $scripts = PostgreSQL::Test::Utils::tempdir();
	copy($_, $scripts) or die "$_: $!" foreach glob("$from/*.mjs");
	symlink($modules, "$scripts/node_modules") or die "node_modules: $!";
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
