# What a copy of a database with the extension must be, whichever way it was
# copied: dumped and restored, upgraded.

package CopyTest;

use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(fill_database catalog_of rows_of tokens_of check_copy);

# fill_database(NODE, DATABASE, VERSION = '1.0'): the extension with something
# of everything, and a table "token" with tokens.  Needs a role "plain".
sub fill_database
{
	my ($node, $db, $version) = @_;

	$version //= '1.0';
	$node->safe_psql($db, <<SQL);
CREATE EXTENSION jwt_auth VERSION '$version';
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
	return;
}

# All that makes up the extension in a database: objects, and who may do what.
# (An upgrade says nothing of privileges that are the default.)
my $catalog = <<'SQL';
CREATE FUNCTION pg_temp.acl(aclitem[]) RETURNS text LANGUAGE sql
AS $$ SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C") FROM unnest($1) a $$;
SELECT 'class', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, pg_temp.acl(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))), pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid), NULL
  FROM pg_class c WHERE c.relnamespace = 'jwt'::regnamespace
UNION ALL
SELECT 'proc', p.oid::regprocedure::text, p.provolatile, p.proisstrict, p.prosecdef, p.proconfig, pg_temp.acl(coalesce(p.proacl, acldefault('f', p.proowner))), pg_get_userbyid(p.proowner), p.probin, p.proparallel::text
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

# catalog_of(NODE, DATABASE): as text
sub catalog_of { my ($node, $db) = @_; return $node->safe_psql($db, $catalog); }

# The rows of all our tables.
sub rows_of { my ($node, $db) = @_; return $node->safe_psql($db, $rows); }

# tokens_of(NODE, DATABASE): name => token
sub tokens_of
{
	my ($node, $db) = @_;

	return $node->safe_psql($db, 'SELECT name, value FROM token') =~ /^(\w+)\|(\S+)$/mg;
}

# check_copy(NODE, DATABASE, HOW, { catalog, rows, token }): is it what that
# says, and does it work as what was copied did?
sub check_copy
{
	my ($node, $db, $how, $was) = @_;
	my %token = %{ $was->{token} };
	my $error = sub {
		my ($code, $out, $err) = $node->psql($db, "\\set VERBOSITY sqlstate\nSELECT $_[0]");
		return $err =~ /ERROR:\s+(\w{5})/ ? $1 : $out;
	};

	# Privileges at installation that are the default go unsaid in an upgrade.
	my ($is, $fresh) = map { $how eq 'pg_upgrade' ? s/^init\|.*\n//mgr : $_ } catalog_of($node, $db), $was->{catalog};
	is($is, $fresh, "$how: catalogs as of a fresh install");
	is(rows_of($node, $db), $was->{rows}, "$how: all rows");
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
	return;
}

1;
