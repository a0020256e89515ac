# pg_dump carries keys, issuers, sessions and revocations, to superusers; what
# is restored is as if it had been installed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use CopyTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->append_conf('postgresql.conf', 'jwt_auth.refresh_reuse_interval = 0');
$node->start;
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', <<SQL);
CREATE DATABASE old;
CREATE DATABASE fresh;
CREATE ROLE plain LOGIN;
CREATE ROLE reader LOGIN IN ROLE pg_read_all_data;
SQL
$node->safe_psql('fresh', 'CREATE EXTENSION jwt_auth');
fill_database($node, 'old');

my $fresh = catalog_of($node, 'fresh');
my $old_rows = rows_of($node, 'old');
my %token = tokens_of($node, 'old');
my $was = { catalog => $fresh, rows => $old_rows, token => \%token };

my @triggers = $fresh =~ /^trigger\|.*ON jwt\.(?:key_store|issuers|session_store|revoked_tokens|revoked_subjects) .*$/mg;
my @always = grep { /^trigger\|[^|]*\|A\|/ } $fresh =~ /^(trigger\|.*ON jwt\.(?:key_store|issuers|session_store|revoked_tokens|revoked_subjects) .*)$/mg;
cmp_ok(scalar @always, '>=', 7, 'a fresh install has the triggers of its tables ENABLE ALWAYS');
is(scalar @always, scalar @triggers, 'all of them');

# psql
$node->command_ok([ 'pg_dump', '-f', "$dir/old.sql", $node->connstr('old') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE new_plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/old.sql", $node->connstr('new_plain') ], 'psql');
check_copy($node, 'new_plain', 'psql', $was);

# pg_restore, in parallel
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/old.dir", $node->connstr('old') ], 'pg_dump -Fd -j2');
$node->safe_psql('postgres', 'CREATE DATABASE new_parallel');
$node->command_ok([ 'pg_restore', '-j2', '-e', '-d', $node->connstr('new_parallel'), "$dir/old.dir" ], 'pg_restore -j2');
check_copy($node, 'new_parallel', 'pg_restore -j2', $was);

# Into a cluster whose default privileges give everything away.
$node->safe_psql('postgres', 'CREATE DATABASE new_lax');
$node->safe_psql('new_lax', <<SQL);
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO plain;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO plain;
SQL
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('new_lax'), "$dir/old.dir" ], 'pg_restore under lax default privileges');
is(rows_of($node, 'new_lax'), $old_rows, 'lax: all rows');
is(catalog_of($node, 'new_lax'), $fresh, 'lax: privileges as of a fresh install');

# A dump restored again has the same text: nothing is lost on the way.
$node->safe_psql('postgres', 'CREATE DATABASE new_again');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('new_again'), "$dir/old.dir" ], 'pg_restore once more');
$node->command_ok([ 'pg_dump', '-f', "$dir/again.sql", $node->connstr('new_again') ], 'pg_dump of what was restored');
# (psql's \restrict of newer releases carries a random word.)
my ($was, $is) = map { join("\n", grep { !/^\\(un)?restrict / } split(/\n/, slurp_file($_))) } "$dir/old.sql", "$dir/again.sql";
is($is, $was, 'the dump of a restored dump is the dump');

# The schema alone.
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dir/schema.sql", $node->connstr('old') ], 'pg_dump --schema-only');
my $schema = slurp_file("$dir/schema.sql");
like($schema, qr/CREATE EXTENSION .*jwt_auth/, 'schema only: the extension');
unlike($schema, qr/COPY jwt\.|INSERT INTO jwt\.|https:\/\/idp\.example/, 'schema only: no data');
$node->safe_psql('postgres', 'CREATE DATABASE new_schema');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/schema.sql", $node->connstr('new_schema') ], 'schema only: psql');
is(catalog_of($node, 'new_schema'), $fresh, 'schema only: catalogs as of a fresh install');
is(rows_of($node, 'new_schema'), '', 'schema only: no rows');

# Not to others.
for my $role ('plain', 'reader')
{
	my $file = "$dir/$role.sql";
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'pg_dump', '-f', $file, $node->connstr('old') . " user=$role" ], '<', \undef, '>', \$out, '2>', \$err);
	ok(!$ok, "$role cannot dump");
	my $dump = -e $file ? slurp_file($file) : '';
	unlike($dump, qr/\bown\b\t|\\\\x[0-9a-f]{32}/, "$role got no keys");
	# ... nor with row security on, where rows are left out rather than refused
	IPC::Run::run([ 'pg_dump', '--enable-row-security', '-t', 'jwt.key_store', '-f', $file, $node->connstr('old') . " user=$role" ], '<', \undef, '>', \$out, '2>', \$err);
	$dump = -e $file ? slurp_file($file) : '';
	unlike($dump, qr/\bown\b\t|\\\\x[0-9a-f]{32}/, "$role got no keys with --enable-row-security");
}

# Dropped and made again within another backend's life.
my $s = $node->background_psql('new_plain', on_error_stop => 0);
$s->query("SET jwt_auth.token = '$token{ed}'");
is($s->query('SELECT jwt.subject()'), '42', 'open backend: before');
is($s->query("SELECT jwt.open_session('46') ? 'refresh_token'"), 't', 'open backend: writes before');
$node->safe_psql('new_plain', 'ALTER TABLE note DISABLE ROW LEVEL SECURITY; DROP POLICY owner ON note; DROP EXTENSION jwt_auth; CREATE EXTENSION jwt_auth');
$s->query('SELECT jwt.subject()');
like($s->{stderr}, qr/no key for token/, 'open backend: the key is gone');
$s->{stderr} = '';
is($s->query("SELECT jwt.generate_key('HS256', 'ed')"), 'ed', 'open backend: makes a key');
is($s->query("SELECT jwt.refresh(jwt.open_session('46')->>'refresh_token') ? 'refresh_token'"), 't', 'open backend: writes after');
$s->query('SELECT jwt.subject()');
like($s->{stderr}, qr/ERROR:  (algorithm of token is not allowed|signature of token is invalid|token algorithm)/, 'open backend: a key of the same name is another key');
$s->quit;

$node->stop;
done_testing();
