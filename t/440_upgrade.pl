# pg_upgrade from PostgreSQL 15 carries keys, issuers, sessions and
# revocations, and what arrives is as if it had been installed.
#
# JWT_AUTH_OLD_SERVER names the folder under which the old server is installed
# (scripts/root.sh has one, for PostgreSQL 17).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use CopyTest;
use Installation;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $from = $ENV{JWT_AUTH_OLD_SERVER};
plan skip_all => 'there is no older server to upgrade from' unless defined $from && -d $from;

my $path = installation_copy($from);
# Libraries that only the old server needs: the cluster looks there.
symlink($_, "$path/lib/" . ($_ =~ s|.*/||r)) foreach glob("$from/usr/lib/*/*.so.*");
install_into($path);

my $new = PostgreSQL::Test::Cluster->new('new');
my @init = ('--username', 'postgres', '-E', 'UTF8', '--no-locale');
$ENV{PGUSER} = 'postgres';
my $conf = "jwt_auth.refresh_reuse_interval = 0\nfsync = off\n";
my $old = PostgreSQL::Test::Cluster->new('old', install_path => $path);
$old->init(extra => \@init);
$old->append_conf('postgresql.conf', $conf);
$old->start;
$old->safe_psql('postgres', 'CREATE ROLE plain LOGIN');
$old->safe_psql('postgres', 'CREATE DATABASE "the ""old"" one"');
my $db = 'the "old" one';
fill_database($old, $db);
my ($from_version) = $old->safe_psql('postgres', 'SHOW server_version_num') =~ /^(\d+)\d{4}$/;
is($from_version, 15, 'the old server is');
my %token = tokens_of($old, $db);
my $rows = rows_of($old, $db);
$old->stop;

$new->init(extra => \@init);
$new->append_conf('postgresql.conf', $conf);
{
	# The new pg_upgrade runs the old binaries.
	local $ENV{LD_LIBRARY_PATH} = join(':', "$path/lib", $ENV{LD_LIBRARY_PATH} // ());
	chdir PostgreSQL::Test::Utils::tempdir() or die $!;
	command_ok(
		[
			'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir,
			'-b', "$path/bin", '-B', $new->config_data('--bindir'),
			'-s', $new->host, '-p', $old->port, '-P', $new->port, '-U', 'postgres'
		],
		'pg_upgrade');
}

$new->start;
cmp_ok($new->safe_psql('postgres', 'SHOW server_version_num'), '>=', 170000, 'the new server is');
$new->safe_psql('postgres', 'CREATE DATABASE fresh');
$new->safe_psql('fresh', 'CREATE EXTENSION jwt_auth');
check_copy($new, $db, 'pg_upgrade',
	{ catalog => catalog_of($new, 'fresh'), rows => $rows, token => \%token });
is(init_privs($new, $db), '', 'privileges that are not the default are the extension\'s own');

# The objects of the extension whose privileges were restricted or widened, and
# that pg_dump would take for a change of the user's.
sub init_privs
{
	my ($node, $in) = @_;

	return $node->safe_psql($in, <<'SQL');
SELECT p.oid::regprocedure::text FROM pg_proc p
 WHERE pronamespace = 'jwt'::regnamespace AND proacl IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_init_privs i WHERE i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.initprivs = p.proacl)
UNION ALL
SELECT c.oid::regclass::text FROM pg_class c
 WHERE relnamespace = 'jwt'::regnamespace AND relacl IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_init_privs i WHERE i.classoid = 'pg_class'::regclass AND i.objoid = c.oid AND i.initprivs = c.relacl)
SQL
}

# A second way on: dumped from the upgraded one.
my $dir = PostgreSQL::Test::Utils::tempdir();
$new->command_ok([ 'pg_dump', '-f', "$dir/dump.sql", '-d', $new->connstr($db) ], 'pg_dump after it');
$new->safe_psql('postgres', 'CREATE DATABASE again');
$new->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/dump.sql", $new->connstr('again') ], 'restored');
is(rows_of($new, 'again'), rows_of($new, $db), 'all rows once more');

$new->stop;
done_testing();
