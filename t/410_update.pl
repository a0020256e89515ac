# ALTER EXTENSION UPDATE, from a version that never was: the install script of
# 1.0 without some of its objects, and scripts that add them in two steps.
# What is shown is the way itself: who may do what at each stop, data and
# sessions that live through it, and a catalog as of a fresh install in the
# end, under a hostile search_path and default privileges.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use CopyTest;
use Installation;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'runs beside scripts/with_server.sh' unless defined $ENV{JWT_AUTH_TMP};

my $path = installation_copy("$ENV{JWT_AUTH_TMP}/pg");
my ($folder) = map { s|/jwt_auth\.control$||r } split /\n/, qx(find '$path/../../..' -name jwt_auth.control);
my $new = slurp_file("$folder/jwt_auth--1.0.sql");

# take(PATTERN): cuts out what matches
my $taken = '';
sub take
{
	my ($pattern) = @_;

	$new =~ s/$pattern// or die "the install script has no $pattern";
	$taken .= "$&\n";
	return;
}

# update_script(): what was taken since the last time
sub update_script { my $script = $taken; $taken = ''; return $script; }

# 0.9 has no introspection, no advice, no view for subjects; 0.9.5 no advice.
my $statement = qr/(?:[^;\$]|\$\$.*?\$\$)*;\n/s;
take(qr/CREATE FUNCTION jwt\.key_advice\($statement/);
take(qr/COMMENT ON FUNCTION jwt\.key_advice\($statement/);
my $second = update_script() . "REVOKE ALL ON FUNCTION jwt.key_advice() FROM PUBLIC;\n";
take(qr/CREATE VIEW jwt\.my_sessions $statement/);
take(qr/COMMENT ON VIEW jwt\.my_sessions $statement/);
take(qr/CREATE TRIGGER refuse_write INSTEAD OF INSERT OR UPDATE OR DELETE ON jwt\.my_sessions$statement/);
take(qr/GRANT SELECT ON jwt\.my_sessions TO PUBLIC;\n/);
take(qr/CREATE FUNCTION jwt\.introspect\($statement/);
take(qr/COMMENT ON FUNCTION jwt\.introspect\($statement/);
take(qr/ALTER TABLE jwt\.issuers ENABLE ALWAYS TRIGGER invalidate;\n/);
my $first = update_script()
  =~ s/(?=GRANT SELECT ON jwt\.my_sessions)/REVOKE ALL ON jwt.my_sessions FROM PUBLIC;\n/r
  . "REVOKE ALL ON FUNCTION jwt.introspect(text) FROM PUBLIC;\n";

my $head = "SET LOCAL search_path = pg_catalog, pg_temp;\n";
sub write_script
{
	my ($name, $text) = @_;

	open(my $out, '>', "$folder/$name") or die "$name: $!";
	print $out $text;
	close $out;
	return;
}
write_script('jwt_auth--0.9.sql', $new);
write_script('jwt_auth--0.9--0.9.5.sql', $head . $first);
write_script('jwt_auth--0.9.5--1.0.sql', $head . $second);

$ENV{PGUSER} = 'postgres';
my $node = PostgreSQL::Test::Cluster->new('update', install_path => $path);
$node->init(extra => [ '--username', 'postgres', '-E', 'UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "jwt_auth.refresh_reuse_interval = 0\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE ROLE plain LOGIN;
CREATE DATABASE fresh;
CREATE DATABASE walked;
CREATE DATABASE once;
SQL
$node->safe_psql('fresh', 'CREATE EXTENSION jwt_auth');

# What others put in the way: everything for everybody, and names of ours.
my $hostile = <<'SQL';
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
CREATE SCHEMA evil;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'infinity'::timestamptz $$;
CREATE TABLE evil.session_store (x int);
CREATE FUNCTION evil.introspect(text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"active":true}'::jsonb $$;
SQL
my $update = 'SET search_path = evil, jwt, pg_catalog; ALTER EXTENSION jwt_auth UPDATE TO';
my $version = q(SELECT extversion FROM pg_extension WHERE extname = 'jwt_auth');
# Functions that PUBLIC may execute and relations that it may read.
my $public = <<'SQL';
SELECT string_agg(o, ' ' ORDER BY o COLLATE "C") FROM (
  SELECT proname FROM pg_proc p WHERE pronamespace = 'jwt'::regnamespace
     AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)
  UNION SELECT relname FROM pg_class WHERE relnamespace = 'jwt'::regnamespace
     AND EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0)) x(o)
SQL
my $fresh_public = $node->safe_psql('fresh', $public);
like($fresh_public, qr/\bmy_sessions\b.*\bverify\b/, 'what a fresh install gives to everybody');

$node->safe_psql('walked', "CREATE EXTENSION jwt_auth VERSION '0.9'");
is($node->safe_psql('walked', $version), '0.9', 'the first stop');
isnt(catalog_of($node, 'walked'), catalog_of($node, 'fresh'), 'which is not 1.0');
is($node->safe_psql('walked', $public), $fresh_public =~ s/my_sessions //r, '0.9: for everybody');
$node->safe_psql('walked', 'DROP EXTENSION jwt_auth');

# With something in every table, and a session that has it all in its caches.
fill_database($node, 'walked', '0.9');
my %token = tokens_of($node, 'walked');
my $rows = rows_of($node, 'walked');
my $open = $node->background_psql('walked', on_error_stop => 0);
$open->query("SET jwt_auth.token = '$token{ed}'");
is($open->query('SELECT jwt.subject()'), '42', 'an open session: before');
$node->safe_psql('walked', $hostile);

$node->safe_psql('walked', "$update '0.9.5'");
is($node->safe_psql('walked', $version), '0.9.5', 'the second stop');
is($node->safe_psql('walked', $public), $fresh_public, '0.9.5: for everybody');
is($open->query('SELECT jwt.subject()'), '42', 'an open session: at the second stop');
is($node->safe_psql('walked', "SELECT jwt.introspect('$token{taken}')"), '{"active": false}', 'a new function');
my (undef, undef, $error) = $node->psql('walked', "SET ROLE plain; SELECT jwt.introspect('x')");
like($error, qr/permission denied for function introspect/, 'for those who may');

$node->safe_psql('walked', "$update '1.0'");
is($node->safe_psql('walked', $version), '1.0', 'the last stop');
is($node->safe_psql('walked', $public), $fresh_public, '1.0: for everybody');
is($open->query('SELECT jwt.subject()'), '42', 'an open session: at the last stop');
is($open->query("SELECT jwt.refresh(jwt.open_session('46')->>'refresh_token') ? 'refresh_token'"), 't', 'it writes');
is($open->query("SELECT jwt.set_key_status('ed', 'revoked')") // '', '', 'and hears of a key');
$open->query('SELECT jwt.subject()');
like($open->{stderr}, qr/ERROR:.*revoked|ERROR:.*key/, 'that was revoked');
$open->{stderr} = '';
$open->quit;
is(catalog_of($node, 'walked'), catalog_of($node, 'fresh'), 'catalogs as of a fresh install');

# Both steps at once, and all that is copied works.
fill_database($node, 'once', '0.9');
%token = tokens_of($node, 'once');
$rows = rows_of($node, 'once');
$node->safe_psql('once', $hostile);
$node->safe_psql('once', 'ALTER EXTENSION jwt_auth UPDATE');
check_copy($node, 'once', 'update', { catalog => catalog_of($node, 'fresh'), rows => $rows, token => \%token });

# And a role that is no superuser does not.
(undef, undef, $error) = $node->psql('fresh', 'SET ROLE plain; ALTER EXTENSION jwt_auth UPDATE');
like($error, qr/must be owner of extension/, 'who may update');

$node->stop;
done_testing();
