# pg_dump carries keys, issuers, sessions and revocations, to superusers; what
# is restored is as if it had been installed.

use strict;
use warnings;
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
$node->safe_psql('old', <<SQL);
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('ES256', 'own');
SELECT jwt.generate_key('EdDSA', 'ed');
SELECT jwt.generate_key('HS256', 'hs', 'previous');
SELECT jwt.generate_key('ES256', 'gone', 'revoked');
SELECT jwt.import_key(jwt.jwk_from_secret('01234567890123456789012345678901', 'HS256', 'theirs'), issuer => 'https://idp.example');
SELECT jwt.trust_issuer('https://idp.example', ARRAY['api', 'a "quoted" one'], '{HS256}', subject_prefix => 'idp:', role_claim => '\$.realm.roles[*]', allowed_roles => '{plain}');
CREATE TABLE token (name text PRIMARY KEY, value text);
GRANT SELECT ON token TO plain;
INSERT INTO token SELECT unnest('{access1,refresh1}'::text[]), unnest(ARRAY[o->>'access_token', o->>'refresh_token'])
  FROM jwt.open_session('42', '{"a": "ü"}', '{"ip": "::1"}') o;
INSERT INTO token SELECT unnest('{access2,refresh2}'::text[]), unnest(ARRAY[o->>'access_token', o->>'refresh_token'])
  FROM jwt.open_session('43') o;
INSERT INTO token SELECT unnest('{access3,refresh3}'::text[]), unnest(ARRAY[o->>'access_token', o->>'refresh_token'])
  FROM jwt.open_session('44') o;
INSERT INTO token SELECT 'next3', jwt.refresh(value)->>'refresh_token' FROM token WHERE name = 'refresh3';
SELECT jwt.close_sessions('43');
INSERT INTO token VALUES ('ed', jwt.sign('{"sub": "42"}', 'ed')), ('taken', jwt.sign('{"sub": "42"}')), ('void', jwt.sign('{"sub": "void"}'));
INSERT INTO token VALUES ('theirs', jwt.sign_with('{"iss": "https://idp.example", "aud": "api", "sub": "42"}',
                             jwt.jwk_from_secret('01234567890123456789012345678901', 'HS256', 'theirs'), expires_in => '1 hour'));
SELECT jwt.revoke(value) FROM token WHERE name = 'taken';
SELECT jwt.revoke_subject('void');
CREATE TABLE note (owner text);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON note USING (owner = jwt.subject());
SQL

# All that makes up the extension in a database: objects, and who may do what.
my $catalog = <<'SQL';
SELECT 'class', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relacl::text, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid), NULL
  FROM pg_class c WHERE c.relnamespace = 'jwt'::regnamespace
UNION ALL
SELECT 'proc', p.oid::regprocedure::text, p.provolatile, p.proisstrict, p.prosecdef, p.proconfig, p.proacl::text, pg_get_userbyid(p.proowner), p.probin, p.proparallel::text
  FROM pg_proc p WHERE p.pronamespace = 'jwt'::regnamespace
UNION ALL
SELECT 'trigger', t.tgrelid::regclass || '.' || t.tgname, t.tgenabled, NULL, NULL, NULL, pg_get_triggerdef(t.oid), NULL, NULL, NULL
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'jwt'::regnamespace AND NOT t.tgisinternal
UNION ALL
SELECT 'column', a.attrelid::regclass || '.' || a.attname, a.attnum::text::"char", a.attnotnull, NULL, NULL, a.attacl::text, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation::text, a.attnum::text
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'jwt'::regnamespace AND a.attnum > 0
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname, contype, convalidated, NULL, NULL, pg_get_constraintdef(oid), NULL, NULL, NULL
  FROM pg_constraint WHERE connamespace = 'jwt'::regnamespace
UNION ALL
SELECT 'schema', nspname, NULL, NULL, NULL, NULL, nspacl::text, pg_get_userbyid(nspowner), NULL, NULL FROM pg_namespace WHERE nspname = 'jwt'
UNION ALL
SELECT 'init', pg_describe_object(i.classoid, i.objoid, i.objsubid), i.privtype, NULL, NULL, NULL, i.initprivs::text, NULL, NULL, NULL
  FROM pg_init_privs i
  JOIN pg_depend e ON e.classid = i.classoid AND e.objid = i.objoid AND e.deptype = 'e'
 WHERE e.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'jwt_auth')
UNION ALL
SELECT 'config', unnest(extconfig)::regclass::text, NULL, NULL, NULL, extcondition, extversion, NULL, NULL, NULL FROM pg_extension WHERE extname = 'jwt_auth'
ORDER BY 1, 2, 3
SQL
my $rows = <<'SQL';
SELECT 'key', to_jsonb(k) FROM jwt.key_store k
UNION ALL SELECT 'issuer', to_jsonb(i) FROM jwt.issuers i
UNION ALL SELECT 'session', to_jsonb(s) FROM jwt.session_store s
UNION ALL SELECT 'token', to_jsonb(t) FROM jwt.revoked_tokens t
UNION ALL SELECT 'subject', to_jsonb(s) FROM jwt.revoked_subjects s
UNION ALL SELECT 'event', to_jsonb(e) FROM jwt.event_store e
ORDER BY 1, 2
SQL
my $fresh = $node->safe_psql('fresh', $catalog);
my $old_rows = $node->safe_psql('old', $rows);
my %token = $node->safe_psql('old', 'SELECT name, value FROM token') =~ /^(\w+)\|(\S+)$/mg;

my @triggers = $fresh =~ /^trigger\|.*ON jwt\.(?:key_store|issuers|session_store|revoked_tokens|revoked_subjects) .*$/mg;
my @always = grep { /^trigger\|[^|]*\|A\|/ } $fresh =~ /^(trigger\|.*ON jwt\.(?:key_store|issuers|session_store|revoked_tokens|revoked_subjects) .*)$/mg;
cmp_ok(scalar @always, '>=', 7, 'a fresh install has the triggers of its tables ENABLE ALWAYS');
is(scalar @always, scalar @triggers, 'all of them');

sub check_restored
{
	my ($db, $how) = @_;
	my $error = sub {
		my ($code, $out, $err) = $node->psql($db, "\\set VERBOSITY sqlstate\nSELECT $_[0]");
		return $err =~ /ERROR:\s+(\w{5})/ ? $1 : $out;
	};

	is($node->safe_psql($db, $catalog), $fresh, "$how: catalogs as of a fresh install");
	is($node->safe_psql($db, $rows), $old_rows, "$how: all rows");
	is($error->("jwt.verify('$token{access1}')->>'sub'"), '42', "$how: a token signed before verifies");
	is($error->("jwt.verify('$token{ed}')->>'sub'"), '42', "$how: likewise of another key");
	is($error->("jwt.verify('$token{theirs}')->>'sub'"), '42', "$how: likewise of another issuer");
	is($error->("jwt.verify('$token{access2}')->>'sub'"), '28J09', "$how: a closed session is refused");
	is($error->("jwt.verify('$token{taken}')->>'sub'"), '28J09', "$how: a revoked token");
	is($error->("jwt.verify('$token{void}')->>'sub'"), '28J09', "$how: a revoked subject");
	is($error->("jwt.refresh('$token{refresh2}')->>'error'"), 'invalid_grant', "$how: refresh token of a closed session");
	is($error->("jwt.refresh('$token{refresh1}') ? 'refresh_token'"), 't', "$how: refreshing goes on");
	is($error->("jwt.refresh('$token{refresh1}') ->> 'error'"), 'invalid_grant', "$how: once");
	is($error->("jwt.refresh('$token{refresh3}') ->> 'error'"), 'invalid_grant', "$how: a replay is refused");
	is($error->("jwt.refresh('$token{next3}') ->> 'error'"), 'invalid_grant', "$how: and closes the session");
	is($error->("jwt.rotate_key() IS NOT NULL"), 't', "$how: rotating");
	is($error->("jwt.open_session('45') ? 'refresh_token'"), 't', "$how: opening");
	is($error->("count(*) FROM pg_policy WHERE polname = 'owner'"), '1', "$how: a policy that asks");
}

# psql
$node->command_ok([ 'pg_dump', '-f', "$dir/old.sql", $node->connstr('old') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE new_plain');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/old.sql", $node->connstr('new_plain') ], 'psql');
check_restored('new_plain', 'psql');

# pg_restore, in parallel
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', "$dir/old.dir", $node->connstr('old') ], 'pg_dump -Fd -j2');
$node->safe_psql('postgres', 'CREATE DATABASE new_parallel');
$node->command_ok([ 'pg_restore', '-j2', '-e', '-d', $node->connstr('new_parallel'), "$dir/old.dir" ], 'pg_restore -j2');
check_restored('new_parallel', 'pg_restore -j2');

# Into a cluster whose default privileges give everything away.
$node->safe_psql('postgres', 'CREATE DATABASE new_lax');
$node->safe_psql('new_lax', <<SQL);
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO plain;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO plain;
SQL
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('new_lax'), "$dir/old.dir" ], 'pg_restore under lax default privileges');
is($node->safe_psql('new_lax', $rows), $old_rows, 'lax: all rows');
is($node->safe_psql('new_lax', $catalog), $fresh, 'lax: privileges as of a fresh install');

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
is($node->safe_psql('new_schema', $catalog), $fresh, 'schema only: catalogs as of a fresh install');
is($node->safe_psql('new_schema', $rows), '', 'schema only: no rows');

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
