# jwt.advise() and jwt.check() where it takes a whole server: pg_hba.conf, TLS,
# the file that seals keys, standbys, statistics.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('advise', <<'CONF', init => { allows_streaming => 1 });
shared_preload_libraries = 'jwt_auth'
jwt_auth.trusted_gateways = 'gateway, "Gate way"'
CONF
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE gateway LOGIN;
CREATE ROLE "Gate way" LOGIN PASSWORD 'x';
CREATE ROLE gateways;
GRANT gateways TO gateway;
SELECT jwt.generate_key('ES256', 'k2', 'standby');
SQL

sub advice { return $node->safe_psql('postgres', "SELECT rule, object FROM jwt.advise() WHERE rule ~ '$_[0]'"); }

# The part of check() that says it: the rest makes keys of every algorithm.
my %part = (gateways => 'peers', standbys => 'peers', keys => 'keys', TLS => 'server', preload => 'server', clock => 'server');

sub check
{
	my ($area, $where) = @_;

	$where //= $node;
	return $where->safe_psql('postgres', "SELECT item, status, detail FROM jwt.check_$part{$area}() WHERE area = '$area'");
}

# pg_hba.conf: who is let in unasked, the first line that fits deciding.
sub hba
{
	my ($lines) = @_;

	unlink $node->data_dir . '/pg_hba.conf';
	append_to_file($node->data_dir . '/pg_hba.conf', "local all postgres trust\nlocal replication postgres trust\n$lines\n");
	$node->reload;
	return advice('gateway');
}

my $first = "gateway_without_password|role gateway";
my $both = qq{gateway_without_password|role "Gate way"\n$first};
my $tcp = $PostgreSQL::Test::Utils::windows_os || $node->safe_psql('postgres', 'SHOW listen_addresses') ne '';

is(hba('local all all trust'), $both, 'trust lets gateways in');
like(check('gateways'), qr/^gateway\|error\|logs in without a password: line 3 of pg_hba.conf \(local\)$/m, 'check() says where');
is(hba('local all all scram-sha-256'), '', 'a password does not');
like(check('gateways'), qr/^gateway\|ok\|/m, 'and check() is content');
is(hba("local all all peer\nlocal all all trust"), '', 'nor a line that an earlier one precedes');
is(hba("local all gateway reject\nlocal all all trust"), $both =~ s/\n.*//r, 'which may be about one role only');
is(hba("local other all peer\nlocal all all trust"), $both, 'or about another database');
is(hba("local postgres gateway trust"), $first, 'by name');
is(hba("local other gateway trust"), '', 'but not into this database');
is(hba("local sameuser gateway trust"), '', 'nor into one of its name');
is(hba("local all +gateways trust"), $first, 'by a role it is a member of');
is(hba("local all \"Gate way\" trust"), $both =~ s/\n.*//r, 'by a name in quotes');
is(hba("local replication all trust"), '', 'replication is not this database');
is(hba("local all gateway trust") . advice('superuser'), $first, 'no superuser is among them');
is(hba("host all all 127.0.0.1/32 trust"), $tcp ? $both : '', 'a line for TCP counts where the server listens');
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
$node->restart;
is(hba("host all all 127.0.0.1/32 trust"), $both, 'now it does');
is(hba("host all all 127.0.0.0/8 scram-sha-256\nhost all all 127.0.0.1/32 trust"), '', 'a wider net before it');
is(hba("host all all 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.0/8 trust"), $both, 'a narrower one does not cover it');
is(hba("host all all 10.0.0.0 255.0.0.0 scram-sha-256\nhost all all 127.0.0.1/32 trust"), $both, 'nor another');
is(hba("host all all ::1/128 scram-sha-256\nhost all all 0.0.0.0/0 trust"), $both, 'nor one of the other family');
is(hba("host all all cafe.de scram-sha-256\nhost all all 127.0.0.1/32 trust"), $both, 'nor a name, though it looks like a number');
is(hba("host all all all scram-sha-256\nhost all all samenet trust"), '', 'everybody, before the neighbours');
is(hba("hostnossl all all all scram-sha-256\nhost all all all trust"), $both, 'some, before everybody');
is(hba("hostssl all all all trust"), '', 'a line for TLS counts for nothing without it');
# What we show to others is in order ourselves.
is(hba(qq{local all gateway,"Gate way" reject\nlocal all all trust}), '', 'a line about several');
foreach my $example ('demo', 'login')
{
	my $file = "$FindBin::Bin/../examples/$example.sql";

	$node->safe_psql('postgres', "CREATE DATABASE $example");
	$node->psql($example, "\\i $file", on_error_stop => 0);
	is($node->safe_psql($example, q{SELECT severity, rule, object FROM jwt.advise() WHERE severity <> 'info'}), '',
		"examples/$example.sql: nothing of weight");
	cmp_ok($node->safe_psql($example, 'SELECT count(*) FROM jwt.web_roles()'), '>', 0, 'though web roles are found');
	cmp_ok($node->safe_psql($example, 'SELECT count(*) FROM pg_policy'), '>', 0, 'and policies');
	$node->safe_psql('postgres', "DROP DATABASE $example WITH (FORCE)");
	$node->safe_psql('postgres', 'DROP ROLE IF EXISTS web_user, anon, authenticator, auth_owner');
}

hba('local all all scram-sha-256');

# A value that is no longer stored is not what the next session gets.
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET jwt_auth.access_token_lifetime = 7200');
my $running = session($node, user => 'postgres');
my $lifetimes = q{SELECT count(*) FROM jwt.advise() WHERE rule = 'long_access_tokens';};
is($running->ask($lifetimes), '1', 'a long lifetime that is stored');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET jwt_auth.access_token_lifetime');
is($running->ask($lifetimes), '0', 'and one that only a running session still has');
$node->append_conf('postgresql.conf', "jwt_auth.access_token_lifetime = '1.5h'");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('jwt_auth.access_token_lifetime') = '90min'}) or die;
is($running->ask($lifetimes), '1', 'which then gets the value of the file');
$node->append_conf('postgresql.conf', "jwt_auth.access_token_lifetime = '15min'");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('jwt_auth.access_token_lifetime') = '15min'}) or die;
is($running->ask($lifetimes), '0', 'whatever that is');
$running->quit;

# Who locks a table keeps nobody waiting.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE held (id integer, owner text, team uuid) PARTITION BY LIST (id);
CREATE TABLE held_1 PARTITION OF held FOR VALUES IN (1);
CREATE TABLE held_too (owner text, team uuid);
CREATE INDEX ON held_1 ((team::text));
CREATE VIEW held_view AS SELECT * FROM held_too;
ALTER TABLE held ENABLE ROW LEVEL SECURITY;
ALTER TABLE held_too ENABLE ROW LEVEL SECURITY;
CREATE POLICY a ON held USING (owner = jwt.subject() AND team::text = jwt.subject());
CREATE POLICY b ON held_1 USING (team::text = jwt.subject() OR owner IN (SELECT t.owner FROM held_too t WHERE t.team::text = jwt.subject()));
CREATE POLICY c ON held_too USING (owner = current_setting('request.jwt.claim.sub', true) OR owner IN (SELECT jwt.subject()));
GRANT SELECT, DELETE ON held, held_1, held_too, held_view TO gateway;
SQL
my $held = q{SELECT rule, object, fix FROM jwt.advise() WHERE object ~ 'held'};
my $free = $node->safe_psql('postgres', $held);
my $holder = session($node, user => 'postgres');
$holder->ask('SET ROLE gateway; BEGIN; LOCK TABLE held, held_1, held_too IN ACCESS EXCLUSIVE MODE;');
my $waits = $node->safe_psql('postgres', "SET statement_timeout = '60s'; $held");
is($waits, $free =~ s/DO .*/-- ALTER POLICY c ON public.held_too ...: a table in it is locked, ask again later/gr,
	'a locked table: the same advice, but for the text of its policies');
like($free, qr/^claims_setting_in_policy\|policy c on public.held_too\|DO /m, 'which is there otherwise');
like($free, qr/^no_index\|public.held.owner\|CREATE INDEX/m, 'as other findings are');
$holder->quit;
$node->safe_psql('postgres', 'DROP TABLE held, held_too CASCADE');

# SQL's own functions are no casts; its own way to read JSON is one.
SKIP:
{
	skip 'SYSTEM_USER is of PostgreSQL 16, JSON_VALUE() of 17', 3 if $node->pg_version < 17;
	$node->safe_psql('postgres', 'CREATE TABLE connected (a text); CREATE POLICY a ON connected USING (SYSTEM_USER = jwt.subject() AND a = SYSTEM_USER)');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM jwt.advise() WHERE object ~ 'connected'}), '0', 'SYSTEM_USER is no column');
	my $json = q{SELECT rule, fix FROM jwt.advise() WHERE object ~ 'connected'};
	$node->safe_psql('postgres', q{ALTER POLICY a ON connected USING (JSON_VALUE(jwt.claims(), '$.user_metadata.id') = a)});
	like($node->safe_psql('postgres', $json), qr/^user_metadata_in_policy\|DO .*JSON_VALUE\(jwt\.claims\(\), '\$\."app_metadata"\."id"'/, 'JSON_VALUE() reads user_metadata');
	$node->safe_psql('postgres', q{ALTER POLICY a ON connected USING (JSON_VALUE(to_jsonb(a), '$.user_metadata.id') = a)});
	is($node->safe_psql('postgres', $json), '', 'that of the claims');
	$node->safe_psql('postgres', 'DROP TABLE connected');
}

# TLS: without a certificate here, t/260_tls.pl has one.
is(check('TLS'), <<'END' =~ s/\n\z//r, 'an open wire');
ssl|warning|off: over TCP, tokens are readable on the wire
jwt_auth.require_tls|warning|off: a token is accepted from an open wire, too
END
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET jwt_auth.require_tls = on');
is(check('TLS'), <<'END' =~ s/\n\z//r, 'on which no token is accepted');
ssl|error|off, and jwt_auth.require_tls refuses every token that comes over TCP
jwt_auth.require_tls|ok|on
END
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET jwt_auth.require_tls');
is(check('preload'), 'library|ok|by shared_preload_libraries', 'preloaded');

# The file that seals keys.
my $file = $node->data_dir . '/seal';
append_to_file($file, 'x' x 40);
chmod 0600, $file or die $!;
like(check('keys'), qr/^jwt_auth.encryption_key_file\|warning\|not set; 2 private keys are stored in the clear$/m, 'no file');
$node->append_conf('postgresql.conf', "jwt_auth.encryption_key_file = 'seal'");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('jwt_auth.encryption_key_file') = 'seal'}) or die;
like(check('keys'), qr/^jwt_auth.encryption_key_file\|warning\|readable and private; 2 private keys are still stored in the clear$/m, 'a file, not yet used');
$node->safe_psql('postgres', 'SELECT jwt.reseal()');
like(check('keys'), qr/^jwt_auth.encryption_key_file\|ok\|readable and private$/m, 'sealed');
chmod 0644, $file or die $!;
like(check('keys'), qr/^jwt_auth.encryption_key_file\|error\|encryption key file cannot be used. It has group or world access/m, 'the file is not private');
chmod 0600, $file or die $!;
append_to_file($file, 'another');
like(check('keys'), qr/^jwt_auth.encryption_key_file\|error\|2 keys are sealed with another file, and cannot be used$/m, 'another file');
unlink $file;
like(check('keys'), qr/^jwt_auth.encryption_key_file\|error\|could not read encryption key file/m, 'no file any more');
append_to_file($file, 'x' x 40);
chmod 0600, $file or die $!;
like(check('keys'), qr/^jwt_auth.encryption_key_file\|ok\|/m, 'back again');

# Standbys.
is(check('standbys'), 'revocations|ok|no standby is connected', 'none');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('behind');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
# Something that is flushed, or the wait is for a background process.
$node->safe_psql('postgres', 'CREATE TABLE synced ()');
$node->wait_for_catchup($standby);
like(check('standbys'), qr/^behind\|ok\|Revocations take effect there [0-9:.]+ later\.$/, 'one that follows, seen from the primary');
like(check('standbys', $standby), qr/^this standby\|ok\|/, 'and from itself');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'}) or die;
like(check('standbys', $standby), qr/^this standby\|error\|Its replay is paused\./, 'replay is paused');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
$standby->append_conf('postgresql.conf', "recovery_min_apply_delay = '1min'");
$standby->reload;
$standby->poll_query_until('postgres', q{SELECT current_setting('recovery_min_apply_delay') = '1min'}) or die;
like(check('standbys', $standby), qr/^this standby\|warning\|Revocations take effect there 00:01:00 later\.$/, 'a standby that waits');
$standby->append_conf('postgresql.conf', "recovery_min_apply_delay = '1h'");
$standby->reload;
$standby->poll_query_until('postgres', q{SELECT current_setting('recovery_min_apply_delay') = '1h'}) or die;
like(check('standbys', $standby), qr/^this standby\|error\|Revocations take effect there 01:00:00 later\.$/, 'longer than a token lives');
is($standby->safe_psql('postgres', q{SELECT count(*) > 0 FROM jwt.check() WHERE area = 'algorithms'}), 't', 'a standby can be checked');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM jwt.advise()'),
	$node->safe_psql('postgres', 'SELECT count(*) FROM jwt.advise()'), 'a standby gives the same advice');
$node->stop;
like(check('standbys', $standby), qr/^this standby\|error\|It is not connected to its primary\./, 'the primary is gone');
$standby->stop;
$node->start;

# What statistics show.  Each has a neighbour just below.
my $admin = session($node, user => 'postgres');
my $use = 'small_cache|expired_tokens|unknown_kids|replays|sessions_not_refreshed';

sub used
{
	my ($sql) = @_;

	$node->safe_psql('postgres', 'SELECT jwt.stats_reset()');
	$admin->ask("$sql;");
	return advice($use);
}

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE token (n integer, good text, old text, guessed text);
INSERT INTO token SELECT n, jwt.sign('{"sub": "42"}'), jwt.sign('{"sub": "42"}', expires_in => '-1 hour'),
       jwt.sign_with('{"sub": "42", "exp": 9999999999}', jwt.jwk_from_secret(repeat('x', 32), kid => 'k' || n || 'x'))
  FROM generate_series(1, 1200) n;
SQL
my $judge = 'SELECT count((jwt.try_verify(%s)).valid) FROM token, generate_series(1, %d) s WHERE n <= %d';

is(used('SELECT 1'), '', 'nothing happened, nothing to say');
is(used(sprintf $judge, 'good', 1, 1200), "small_cache|jwt_auth.cache_size of every session", 'more tokens than the cache holds');
my $fix = $node->safe_psql('postgres', q{SELECT fix FROM jwt.advise() WHERE rule = 'small_cache'});
is($fix, q{ALTER DATABASE postgres SET jwt_auth.cache_size = '1024'; SELECT jwt.stats_reset();}, 'and what to do');
$node->safe_psql('postgres', $fix);
is(advice($use), '', 'done');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET jwt_auth.cache_size');
is(used(sprintf $judge, 'good', 1, 900), '', 'too few to tell');
is(used(sprintf $judge, 'good', 12, 100), '', 'a cache that serves');

is(used(sprintf $judge, 'old', 1, 100), 'expired_tokens|clients', 'clients that do not refresh');
is(used(sprintf $judge, 'old', 1, 99), '', 'a few that come too late');
is(used(sprintf($judge, 'old', 1, 100) . ';' . sprintf($judge, 'good', 10, 100)), '', 'among many that do not');

is(used(sprintf $judge, 'guessed', 1, 100), 'unknown_kids|our own tokens', 'unknown keys');
is(used(sprintf $judge, 'guessed', 1, 99), '', 'a few');
is(used(sprintf($judge, 'guessed', 1, 100) . ';' . sprintf($judge, 'good', 10, 100)), '', 'among many that are known');

# An issuer's name stays inside the comment.
$node->safe_psql('postgres', q{SELECT jwt.trust_issuer(E'https://x\nSELECT 1/0; --', '{*}', algorithms => '{HS256}', subject_prefix => 'x:')});
is(used(<<'SQL' =~ s/\s+\z//r), "unknown_kids|issuer https://x\nSELECT 1/0; --", 'unknown keys of an issuer');
SELECT count((jwt.try_verify(jwt.sign_with(jsonb_build_object('iss', E'https://x\nSELECT 1/0; --', 'exp', 9999999999), jwt.jwk_from_secret(repeat('x', 32), kid => 'k' || n)))).valid)
  FROM generate_series(1, 100) n
SQL
is($node->safe_psql('postgres', q{SELECT fix FROM jwt.advise() WHERE rule = 'unknown_kids'}), q{-- SELECT jwt.import_jwks(..., 'https://x SELECT 1/0; --');}, 'whose fix is one line');
$node->safe_psql('postgres', q{SELECT jwt.distrust_issuer(E'https://x\nSELECT 1/0; --')});

# Spent refresh tokens, and sessions that are never refreshed.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION replay(sessions integer, refreshes integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    spent text;
    live text;
BEGIN
    FOR i IN 1 .. sessions LOOP
        spent := jwt.open_session('42') ->> 'refresh_token';
        live := spent;
        FOR j IN 1 .. refreshes LOOP
            live := jwt.refresh(live) ->> 'refresh_token';
        END LOOP;
        IF refreshes > 0 THEN
            PERFORM jwt.refresh(spent);
        END IF;
    END LOOP;
END
$$;
SQL
is(used('SELECT replay(10, 2)'), 'replays|refresh tokens', 'spent refresh tokens come back');
is($node->safe_psql('postgres', q{SELECT count(*) FROM jwt.events WHERE detail = 'replay'}), '10', 'whose they were is in the events');
is(used('SELECT replay(9, 2)'), '', 'a few');
is(used('SELECT replay(100, 0)'), 'sessions_not_refreshed|clients', 'sessions opened, never refreshed');
is(used('SELECT replay(99, 0)'), '', 'a few');
is(used('SELECT replay(91, 0); SELECT replay(9, 2)'), '', 'and some that are refreshed');

# The clock, against the newest iat of a token with a good signature.
$node->safe_psql('postgres', <<'SQL');
SELECT jwt.stats_reset();
SELECT jwt.trust_issuer('https://idp.example', '{*}', algorithms => '{HS256}', leeway => '5 min', subject_prefix => 'idp:');
CREATE FUNCTION ahead(secret text, seconds integer) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT (jwt.try_verify(jwt.sign_with(jsonb_build_object('iss', 'https://idp.example', 'sub', '42', 'exp', 9999999999, 'iat', extract(epoch FROM clock_timestamp())::bigint + seconds),
                                         jwt.jwk_from_secret(repeat(secret, 32), kid => 'shared')))).error_code
$$;
SQL
$node->safe_psql('postgres', q{SELECT jwt.import_key(jwt.jwk_from_secret(repeat('x', 32), kid => 'shared'), issuer => 'https://idp.example')});
my ($seen, $unseen) = (qr/^newest iat\|ok\|[-0-9]+ [0-9:.+]+, before now$/m, qr/^newest iat\|ok\|no token with a good signature was seen$/m);

sub issued
{
	my ($secret, $seconds) = @_;
	return $node->safe_psql('postgres', "SELECT ahead('$secret', $seconds)");
}

like(check('clock'), $unseen, 'no token yet');
is(issued('y', 3600), '28J03', 'a forged one');
like(check('clock'), $unseen, 'counts for nothing');
is(issued('x', -3600), '', 'an old one');
like(check('clock'), $seen, 'counts');
is(issued('x', 240), '', 'one that is ahead as far as it may');
like(check('clock'), qr{^newest iat\|ok\|https://idp.example issued a token at .*, in 00:0}m, 'is no fault');
is(issued('x', 3600), '28J02', 'one that is further ahead is refused');
like(check('clock'), qr{^newest iat\|error\|https://idp.example issued a token at .*, in (00:59:|01:00:00)}m, 'and told of');
like(check('clock'), qr/^newest record\|ok\|/m, 'our own records are not ahead');
is(issued('x', 0), '', 'a newer one');
like(check('clock'), qr/^newest iat\|error\|/m, 'does not hide it');
$node->restart;
like(check('clock'), qr/^newest iat\|error\|/m, 'nor a restart');
$node->safe_psql('postgres', 'SELECT jwt.stats_reset()');
like(check('clock'), $unseen, 'forgotten with the statistics');

# Without statistics there is nothing to say, and no error.
$node->append_conf('postgresql.conf', 'jwt_auth.track_stats = off');
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('jwt_auth.track_stats') = 'off'}) or die;
$node->safe_psql('postgres', 'SELECT jwt.stats_reset()');
$node->safe_psql('postgres', sprintf $judge, 'old', 1, 200);
is(advice($use), '', 'nothing counted');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
is(advice($use), '', 'nothing collected');
like(check('clock'), $node->pg_version < 17 ? qr/^newest iat\|ok\|not known: no statistics of tokens are collected$/m : $unseen, 'no iat is known');

$node->stop;
done_testing();
