# examples/migrate: what others' functions answer, NULLs included, now that
# jwt_auth is below; one database a file, as its users would run it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use Test::More;

my $node = start_node('migrate', '', without_extension => 1);
my $uuid = '00000000-0000-4000-8000-000000000001';

# A database of that name, with the file run in it.
sub migrate
{
	my ($name, %opt) = @_;
	my @variables = map { ('-v', "$_=$opt{variables}{$_}") } keys %{ $opt{variables} // {} };

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, $opt{before}) if $opt{before};
	$node->command_ok(
		[
			'psql', '-Xq', '-d', $node->connstr($name), '-v', 'ON_ERROR_STOP=1', @variables,
			'-f', "$FindBin::Bin/../examples/migrate/$name.sql"
		],
		"$name.sql runs");
	return;
}

# What SQL answers in that database, to a role that may do nothing.
sub answer
{
	my ($name, $sql, %opt) = @_;
	return ask($node, $sql, db => "dbname=$name", %opt);
}

sub token
{
	my ($name, $claims, $how) = @_;
	$how = defined $how ? ", $how" : '';
	return $node->safe_psql($name, "SELECT jwt.sign('$claims'$how)");
}

# The answers of all the functions, for somebody with those claims.
sub ask_all
{
	my ($name, $functions, $claims) = @_;
	my $token = defined $claims ? token($name, $claims) : undef;
	my $list = join ', ', map { "coalesce(auth.$_()::text, 'NULL')" } @$functions;
	my $sql = defined $token ? "BEGIN; DO \$\$BEGIN PERFORM jwt.authenticate('$token', false); END\$\$; " : '';

	return answer($name, "${sql}SELECT $list");
}

$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

# -- Supabase
migrate('supabase');
$node->safe_psql('supabase', 'SELECT jwt.generate_key()');
my @supabase = qw(uid role email jwt);
is(ask_all('supabase', \@supabase), 'NULL|NULL|NULL|NULL', 'supabase: nobody');
like(
	ask_all('supabase', \@supabase, qq({"sub":"$uuid","role":"authenticated","email":"a\@b.c"})),
	qr/^$uuid\|authenticated\|a\@b\.c\|\{.*"sub": "$uuid"/, 'supabase: somebody');
like(ask_all('supabase', \@supabase, '{"name":"x"}'), qr/^NULL\|NULL\|NULL\|\{/, 'supabase: claims missing');
like(ask_all('supabase', \@supabase, '{"sub":"42","role":7,"email":null}'),
	qr/^NULL\|NULL\|NULL\|\{/, 'supabase: claims of another shape');
is(answer('supabase', "SET request.jwt.claims = '{\"sub\":\"$uuid\"}'; SELECT auth.uid()"),
	'ERROR:  28J10', 'supabase: a claim that anybody can set is an error');
$node->safe_psql('supabase', "ALTER DATABASE supabase SET jwt_auth.trusted_gateways = 'app'");
is(answer('supabase', "SET request.jwt.claims = '{\"sub\":\"$uuid\",\"role\":\"anon\"}'; SELECT auth.uid(), auth.role()"),
	"$uuid|anon", 'supabase: those of a trusted gateway count');
$node->safe_psql('supabase', <<SQL);
CREATE TABLE notes (owner uuid PRIMARY KEY DEFAULT auth.uid(), body text);
INSERT INTO notes SELECT gen_random_uuid() FROM generate_series(1, 1000);
INSERT INTO notes VALUES ('$uuid');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = auth.uid());
GRANT ALL ON notes TO app;
ANALYZE notes;
SQL
my $claimed = "SET request.jwt.claims = '{\"sub\":\"$uuid\"}';";
like(answer('supabase', "$claimed EXPLAIN SELECT * FROM notes"), qr/Index Cond: \(owner = jwt\.uid\(\)\)/,
	'supabase: the index is used');
is(answer('supabase', "$claimed SELECT owner FROM notes"), $uuid, 'supabase: own rows');
is(answer('supabase', 'SELECT count(*) FROM notes'), '0', 'supabase: nobody sees none');
# over functions and policies that are there already
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->safe_psql('restored', <<'SQL');
CREATE SCHEMA auth;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$SELECT NULL::uuid$$;
CREATE TABLE notes (owner uuid);
CREATE POLICY own ON notes USING (owner = auth.uid());
SQL
$node->command_ok(
	[
		'psql', '-Xq', '-d', $node->connstr('restored'), '-v', 'ON_ERROR_STOP=1',
		'-f', "$FindBin::Bin/../examples/migrate/supabase.sql"
	],
	'supabase: over a restored schema');

# -- pg_session_jwt
migrate('pg_session_jwt');
$node->safe_psql('pg_session_jwt', 'SELECT jwt.generate_key()');
my @session = qw(user_id uid session jwt organization organization_id);
is(ask_all('pg_session_jwt', \@session), 'NULL|NULL|null|null|NULL|NULL', 'pg_session_jwt: nobody; the session is JSON null');
like(
	ask_all('pg_session_jwt', \@session, qq({"sub":"$uuid","o":{"id":"$uuid","slug":"x"}})),
	qr/^$uuid\|$uuid\|\{.*\}\|\{.*\}\|\{"id": "$uuid", "slug": "x"\}\|$uuid$/, 'pg_session_jwt: somebody');
like(ask_all('pg_session_jwt', \@session, '{"sub":"42","o":{"id":"42"}}'),
	qr/^42\|NULL\|\{.*\}\|\{.*\}\|\{"id": "42"\}\|NULL$/, 'pg_session_jwt: no UUIDs');
like(ask_all('pg_session_jwt', \@session, '{"o":[1]}'), qr/^NULL\|NULL\|\{.*\}\|\{.*\}\|NULL\|NULL$/,
	'pg_session_jwt: claims of another shape');
my $good = token('pg_session_jwt', '{"sub":"42"}');
my $expired = token('pg_session_jwt', '{"sub":"43","exp":1}');
is( answer('pg_session_jwt', <<SQL),
SELECT auth.init();
SELECT auth.jwt_session_init('$good');
SELECT auth.user_id();
SELECT auth.jwt_session_init('$expired');
SELECT auth.user_id();
SELECT auth.jwt_session_init(NULL);
SELECT auth.jwt_session_init('$good.x');
SELECT auth.user_id();
SQL
	"\n\n42\nERROR:  28J01\n42\nERROR:  28J00\nERROR:  28J00\n42",
	'pg_session_jwt: a token for the session');
is(answer('pg_session_jwt', 'SELECT auth.user_id() IS NULL'), 't', 'pg_session_jwt: and for no other');

# -- pgjwt
my $secret = '0123456789abcdef0123456789abcdef';
migrate('pgjwt', variables => { secret => $secret });
is( $node->safe_psql('pgjwt',
		"SELECT jwt.verify(extensions.sign('{\"sub\":\"42\",\"exp\":4000000000}', '$secret'))->>'sub'"),
	'42', 'pgjwt: an old token is verified without its secret');
is( $node->safe_psql('pgjwt',
		"SELECT valid FROM extensions.verify(extensions.sign('{\"exp\":\"x\"}', '$secret'), '$secret')"),
	'f', 'pgjwt: strict from the next connection on');
like($node->safe_psql('pgjwt', "SELECT header FROM jwt.decode_unverified(jwt.sign('{}'))"),
	qr/ES256/, 'pgjwt: a key that nobody has signs');
is($node->safe_psql('pgjwt', "SELECT alg, status FROM jwt.keys WHERE kid = 'pgjwt'"), 'HS256|previous',
	'pgjwt: the old one only verifies');
$node->safe_psql('postgres', 'CREATE DATABASE pgjwt_short');
my ($status, undef, $stderr) = $node->psql('pgjwt_short',
	"\\set secret short\n\\i $FindBin::Bin/../examples/migrate/pgjwt.sql", on_error_stop => 1);
isnt($status, 0, 'pgjwt: a short secret cannot be kept');
like($stderr, qr/at least as long as the hash/, 'and is told so');

# -- PostgREST's users
migrate('postgrest_users');
$node->safe_psql('postgrest_users', <<'SQL');
CREATE ROLE writer NOLOGIN;
CREATE ROLE stranger NOLOGIN;
GRANT writer TO authenticator;
INSERT INTO basic_auth.users VALUES ('alice@example.com', 'correct horse', 'writer');
SQL
sub postgrest { my ($sql) = @_; return answer('postgrest_users', $sql, user => 'authenticator'); }
is($node->safe_psql('postgrest_users', "SELECT count(*) FROM basic_auth.users WHERE pass LIKE '%horse%'"),
	'0', 'users: passwords are hashed');
is($node->safe_psql('postgrest_users', <<'SQL'), 't', 'users: and not again by another change');
UPDATE basic_auth.users SET email = 'alice@example.org', pass = pass;
SELECT basic_auth.crypt('correct horse', pass) = pass FROM basic_auth.users;
UPDATE basic_auth.users SET email = 'alice@example.com';
SQL
foreach my $role ('nobody_at_all', 'stranger', 'postgres')
{
	($status, undef, $stderr) = $node->psql('postgrest_users', "INSERT INTO basic_auth.users VALUES ('b\@c', 'x', '$role')");
	like($stderr, qr/authenticator may not take role "$role"/, "users: role $role is refused");
}
my $token = postgrest("SET ROLE anon; SELECT token FROM api.login('alice\@example.com', 'correct horse')");
like($token, qr/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/, 'users: login answers a token');
is( postgrest("BEGIN; SELECT jwt.authenticate('$token') ->> 'email'; SELECT current_user, jwt.subject()"),
	"alice\@example.com\nwriter|alice\@example.com", 'users: and it is good for the role');
foreach my $wrong ("'alice\@example.com', 'wrong'", "'nobody\@example.com', 'correct horse'",
	"'alice\@example.com', NULL", 'NULL, NULL')
{
	is(postgrest("SET ROLE anon; SELECT api.login($wrong)"), 'ERROR:  28P01', "users: login($wrong)");
}
is(postgrest("SELECT jwt.sign('{}')"), 'ERROR:  42501', 'users: nobody else signs');
is(postgrest('SET ROLE anon; SELECT * FROM basic_auth.users'), 'ERROR:  42501', 'users: nobody else reads users');

# -- one key set for PostgREST and us; the role authenticator is there now
migrate('postgrest_secret');
my $config = 'BEGIN; SELECT postgrest.pre_config(); SELECT current_setting(\'pgrst.jwt_secret\')';
sub key_set
{
	my ($sql) = @_;
	my $answer = answer('postgrest_secret', $sql, user => 'authenticator');
	$answer =~ s/^\s+//;
	return $answer;
}
is(key_set($config), $node->safe_psql('postgrest_secret', 'SELECT jwt.jwks()'), 'secret: PostgREST is told our keys');
$node->safe_psql('postgrest_secret', "SELECT jwt.import_key(jwt.jwk_from_secret('$secret'), kid => 'hmac', status => 'previous')");
unlike(key_set($config), qr/"oct"|"[dkpq]":/, 'secret: and never a secret one');
like(
	$node->safe_psql('postgrest_secret', "LISTEN pgrst; SELECT postgrest.rotate_key() IS NOT NULL"),
	qr/^t\nAsynchronous notification "pgrst" with payload "reload config" received/, 'secret: a rotation is told');
is(() = key_set($config) =~ /"kid":/g, 2, 'secret: the key before the rotation and the one after');
is(answer('postgrest_secret', 'SELECT postgrest.pre_config()'), 'ERROR:  42501', 'secret: for PostgREST alone');
is(key_set('SELECT postgrest.rotate_key()'), 'ERROR:  42501', 'secret: who may not rotate does not by this');

$node->stop;
done_testing();
