# A hot standby reads what its primary knows, obeys what its primary takes
# back, writes nothing, and goes on where the primary stopped.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What a psql says that stays connected, errors included.
sub say_in
{
	my ($session, $sql) = @_;
	my $out = $session->query($sql);
	my $err = $session->{stderr};

	$session->{stderr} = '';
	return $err =~ /ERROR:  (.*)/ ? "ERROR: $1" : $out;
}

sub sqlstate_of
{
	my ($node, $sql) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");

	return $err =~ /ERROR:\s+(\w{5})/ ? $1 : "no error: $out";
}

for my $wal_level ('replica', 'logical')
{
	my $primary = PostgreSQL::Test::Cluster->new("primary_$wal_level");
	$primary->init(allows_streaming => 1);
	$primary->append_conf('postgresql.conf', <<CONF);
wal_level = $wal_level
jwt_auth.refresh_reuse_interval = 0
CONF
	$primary->start;
	$primary->safe_psql('postgres', <<SQL);
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('ES256', 'own');
SELECT jwt.import_key(jwt.jwk_from_secret('01234567890123456789012345678901', 'HS256', 'theirs'), issuer => 'https://idp.example');
SELECT jwt.trust_issuer('https://idp.example', '{api}', subject_prefix => 'idp:');
CREATE TABLE token (name text, value text);
CREATE TABLE note (owner text, body text);
INSERT INTO note SELECT o, 'of ' || o FROM unnest('{42,43,idp:42}'::text[]) o;
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON note USING (owner = jwt.subject());
CREATE ROLE web_user;
GRANT SELECT ON note TO web_user;
INSERT INTO token SELECT unnest('{access1,refresh1}'::text[]), unnest(ARRAY[o->>'access_token', o->>'refresh_token'])
  FROM jwt.open_session('42', '{"role": "web_user"}') o;
INSERT INTO token SELECT unnest('{access2,refresh2}'::text[]), unnest(ARRAY[o->>'access_token', o->>'refresh_token'])
  FROM jwt.open_session('43', '{"role": "web_user"}') o;
INSERT INTO token VALUES
    ('plain', jwt.sign('{"sub": "42", "role": "web_user"}')),
    ('theirs', jwt.sign_with('{"iss": "https://idp.example", "aud": "api", "sub": "42"}',
                             jwt.jwk_from_secret('01234567890123456789012345678901', 'HS256', 'theirs'),
                             expires_in => '1 hour'));
SQL
	my %token = $primary->safe_psql('postgres', 'SELECT name, value FROM token') =~ /^(\w+)\|(\S+)$/mg;

	$primary->backup('b');
	my $standby = PostgreSQL::Test::Cluster->new("standby_$wal_level");
	$standby->init_from_backup($primary, 'b', has_streaming => 1);
	$standby->start;
	$primary->wait_for_catchup($standby);

	# Reading works.
	is($standby->safe_psql('postgres', "SELECT jwt.verify('$token{access1}')->>'sub'"), '42', "$wal_level: verify()");
	is($standby->safe_psql('postgres', "SELECT jwt.verify('$token{theirs}')->>'sub'"), '42', "$wal_level: verify() of another issuer's");
	is( $standby->safe_psql('postgres', "SELECT valid, error_code FROM jwt.try_verify('$token{access1}x')"),
		'f|28J00', "$wal_level: try_verify()");
	is($standby->safe_psql('postgres', "SELECT jsonb_array_length(jwt.jwks()->'keys')"), '1', "$wal_level: jwks()");
	is( $standby->safe_psql('postgres', <<SQL), "42|of 42|web_user", "$wal_level: authenticate(), readers and policies");
BEGIN;
DO \$\$ BEGIN PERFORM jwt.authenticate('$token{access1}'); END \$\$;
SELECT jwt.subject(), body, current_user FROM note;
COMMIT;
SQL
	is($standby->safe_psql('postgres', "SELECT jwt.sign_with('{}', jwt.jwk_from_secret(repeat('x', 32))) IS NOT NULL"),
		't', "$wal_level: sign_with()");

	# sign() needs no write.
	is($standby->safe_psql('postgres', "SELECT jwt.verify(jwt.sign('{\"sub\": \"7\"}'))->>'sub'"), '7', "$wal_level: sign()");

	# Nor does renewing a token without a session.
	is($standby->safe_psql('postgres', "SELECT jwt.verify(jwt.renew('$token{plain}'))->>'sub'"), '42', "$wal_level: renew()");

	# Writing says 25006: a client knows from it to go to the primary.
	for my $sql (
		"jwt.open_session('42')",
		"jwt.refresh('$token{refresh1}')",
		"jwt.refresh('nonsense')",
		"jwt.renew('$token{access1}')",
		"jwt.close_session((jwt.verify('$token{access1}')->>'sid')::uuid)",
		"jwt.close_sessions('42')",
		"jwt.revoke('$token{access1}')",
		"jwt.revoke('$token{plain}')",
		"jwt.revoke('$token{refresh1}')",
		"jwt.revoke_subject('42')",
		"jwt.generate_key()",
		"jwt.rotate_key()",
		"jwt.set_key_status('own', 'revoked')",
		"jwt.set_key_status('own', 'current')",
		"jwt.drop_key('own')",
		"jwt.import_key(jwt.jwk_from_secret(repeat('x', 32)))",
		"jwt.import_jwks('{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"kid\": \"k\", \"x\": \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}', 'https://idp.example')",
		"jwt.set_key_status('theirs', 'revoked', 'https://idp.example')",
		"jwt.drop_key('theirs', 'https://idp.example')",
		"jwt.set_key_times('own', NULL, NULL)",
		"jwt.add_key_uri('file:/nonexistent')",
		"jwt.reseal()",
		"jwt.trust_issuer('https://other.example', '{api}')",
		"jwt.distrust_issuer('https://idp.example')",
		"jwt.purge()")
	{
		my $name = $sql =~ s/'ey[^']*'/token/gr =~ s/\('[\w-]{50,}'/(token/gr;
		is(sqlstate_of($standby, "SELECT $sql"), '25006', "$wal_level: $name");
	}

	# What the primary takes back is obeyed at the next statement.
	for my $case (
		[ 'access1', '42', "SELECT jwt.close_sessions('42')", 'token has been revoked' ],
		[ 'plain', '42', "SELECT jwt.revoke_subject('42')", 'token has been revoked' ],
		[ 'theirs', 'idp:42', "SELECT jwt.trust_issuer('https://idp.example', '{other}')", 'token is not meant for this audience' ],
		[ 'access2', '43', "SELECT jwt.set_key_status('own', 'revoked')", 'token has been revoked', "SELECT jwt.set_key_status('own', 'current')" ])
	{
		my ($name, $subject, $sql, $error, $undo) = @$case;
		my %asks;

		for my $level ('none', 'READ COMMITTED', 'REPEATABLE READ')
		{
			my $s = $asks{$level} = $standby->background_psql('postgres', on_error_stop => 0);

			$s->query("BEGIN ISOLATION LEVEL $level") if $level ne 'none';
			$s->query("SET jwt_auth.token = '$token{$name}'");
			$s->query('PREPARE ask AS SELECT jwt.subject()');
			is(say_in($s, 'SELECT jwt.subject()'), $subject, "$wal_level, $name, $level: before") for 1 .. 2;
		}
		$primary->safe_psql('postgres', $sql);
		$primary->wait_for_catchup($standby);
		for my $level (sort keys %asks)
		{
			my $s = $asks{$level};

			is(say_in($s, $level eq 'none' ? 'EXECUTE ask' : 'SELECT jwt.subject()'),
				"ERROR: $error", "$wal_level, $name, $level: after");
			$s->query('ROLLBACK') if $level ne 'none';
			if (defined $undo && $level eq 'none')
			{
				$primary->safe_psql('postgres', $undo);
				$primary->wait_for_catchup($standby);
				is(say_in($s, 'SELECT jwt.subject()'), $subject, "$wal_level, $name: and taken back again");
			}
			$s->quit;
		}
	}

	# Why: without the trigger nothing would be heard.
	$primary->safe_psql('postgres', 'ALTER TABLE jwt.session_store DISABLE TRIGGER invalidate_update');
	$primary->wait_for_catchup($standby);
	my $s = $standby->background_psql('postgres', on_error_stop => 0);
	$s->query("BEGIN ISOLATION LEVEL REPEATABLE READ");
	$s->query("SET jwt_auth.token = '$token{access2}'");
	is(say_in($s, 'SELECT jwt.subject()'), '43', "$wal_level, no trigger: before");
	my $spare = $primary->safe_psql('postgres', <<SQL);
BEGIN;
SELECT jwt.close_sessions('43');
COMMIT;
SQL
	$primary->wait_for_catchup($standby);
	is(say_in($s, 'SELECT jwt.subject()'), '43', "$wal_level, no trigger: the stale verdict survives");
	$s->query('ROLLBACK');
	$s->quit;
	$primary->safe_psql('postgres', 'ALTER TABLE jwt.session_store ENABLE ALWAYS TRIGGER invalidate_update');

	# After promotion: nothing spent works again, and refreshing goes on.
	my $first = $primary->safe_psql('postgres', "SELECT jwt.open_session('44')->>'refresh_token'");
	my $second = $primary->safe_psql('postgres', "SELECT jwt.refresh('$first')->>'refresh_token'");
	my $spent = $primary->safe_psql('postgres', "SELECT jwt.open_session('45')->>'refresh_token'");
	my $live = $primary->safe_psql('postgres', "SELECT jwt.refresh('$spent')->>'refresh_token'");
	my $still = $standby->background_psql('postgres', on_error_stop => 0);
	my $access = $primary->safe_psql('postgres', "SELECT jwt.open_session('46')->>'access_token'");
	$primary->wait_for_catchup($standby);
	$still->query("SET jwt_auth.token = '$access'");
	is(say_in($still, 'SELECT jwt.subject()'), '46', "$wal_level: before promotion");
	$primary->stop('immediate');
	$standby->promote;

	my $third = $standby->safe_psql('postgres', "SELECT jwt.refresh('$second')->>'refresh_token'");
	like($third, qr/^[\w-]{50,}$/, "$wal_level, promoted: refresh goes on");
	is($standby->safe_psql('postgres', "SELECT jwt.refresh('$first')->>'error'"), 'invalid_grant', "$wal_level, promoted: a replay is refused");
	is($standby->safe_psql('postgres', "SELECT jwt.refresh('$third')->>'error'"), 'invalid_grant', "$wal_level, promoted: and has closed the session");
	is($standby->safe_psql('postgres', "SELECT jwt.refresh('$spent')->>'error'"), 'invalid_grant', "$wal_level, promoted: what was spent before is refused");
	is($standby->safe_psql('postgres', "SELECT jwt.refresh('$live')->>'error'"), 'invalid_grant', "$wal_level, promoted: likewise");
	is(say_in($still, 'SELECT jwt.subject()'), '46', "$wal_level, promoted: an old connection asks on");
	is(say_in($still, "SELECT jwt.close_session(jwt.session_id())"), 't', "$wal_level, promoted: and may write");
	is(say_in($still, 'SELECT jwt.subject()'), 'ERROR: token has been revoked', "$wal_level, promoted: and obeys");
	is($standby->safe_psql('postgres', "SELECT jwt.refresh(jwt.open_session('47')->>'refresh_token') ? 'access_token'"), 't', "$wal_level, promoted: new sessions");
	$still->quit;
	$standby->stop;
}

done_testing();
