# No secret, private key or token in a message, a log line or a view.
#
# A server logs all it can, plans and inner statements included, while keys
# are made, used and misused; then its log, pg_stat_statements and every view
# are searched.  What the user writes into a statement is the server's to log
# and no promise of ours: here secrets never stand in one, and tokens travel
# as parameters that log_parameter_max_length cuts off.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use MIME::Base64 qw(encode_base64 encode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('secrets', <<'CONF', without_extension => 1);
shared_preload_libraries = 'auto_explain, pg_stat_statements'
pg_stat_statements.track = all
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_verbose = on
auto_explain.log_nested_statements = on
log_statement = all
log_min_duration_statement = 0
log_min_messages = debug5
log_min_error_statement = debug5
log_error_verbosity = verbose
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
debug_print_parse = on
debug_print_rewritten = on
debug_print_plan = on
CONF
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION jwt_auth;
CREATE EXTENSION pg_stat_statements;
CREATE ROLE app LOGIN;
CREATE ROLE web_user;
GRANT web_user TO app;
LOAD 'jwt_auth';
SELECT format('ALTER SYSTEM SET %s = on', name) FROM pg_settings WHERE name = 'jwt_auth.log_rejected' \gexec
SELECT pg_reload_conf();
SQL

# What is looked for, as bytes: an HMAC secret, the private members of other
# keys (all of a PEM is not secret), what sessions keep, parts of tokens.
my %canary;
sub look_for_keys
{
	my %stored = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT kid || '|' || encode(secret, 'hex') FROM jwt.key_store WHERE kty = 'oct' AND secret IS NOT NULL
UNION ALL
SELECT kid || ', ' || key || '|' || encode(decode(rpad(translate(value, '-_', '+/'), (length(value) + 3) / 4 * 4, '='), 'base64'), 'hex')
  FROM jwt.key_store, jsonb_each_text(jwt.jwk_from_pem(convert_from(secret, 'UTF8')))
 WHERE kty <> 'oct' AND secret IS NOT NULL AND key IN ('d', 'p')
SQL
	$canary{$_} = pack('H*', $stored{$_}) foreach keys %stored;
	# lines of the PEM as such; the first ones of RSA are the modulus
	%stored = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT kid || ', PEM|' || substr(split_part(convert_from(secret, 'UTF8'), E'\n', CASE kty WHEN 'RSA' THEN 12 ELSE 2 END), 49, 16)
  FROM jwt.key_store WHERE kty <> 'oct' AND secret IS NOT NULL
SQL
	$canary{$_} = $stored{$_} foreach keys %stored;
	return;
}

$node->safe_psql('postgres', "SELECT jwt.generate_key('$_', 'key $_')")
  foreach qw(HS256 HS512 RS256 PS256 ES256 ES384 ES512 ES256K Ed25519 Ed448);
look_for_keys();

# Tokens, good and bad in every way, made and judged inside one function: no
# token is a literal of the client.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE tokens (name text PRIMARY KEY, token text);
INSERT INTO tokens SELECT 'of ' || kid, jwt.sign('{"sub":"canary-subject","role":"web_user","private_claim":"canary-claim"}', kid) FROM jwt.keys;
INSERT INTO tokens SELECT 'expired', jwt.sign('{"sub":"canary-subject","exp":1}');
INSERT INTO tokens SELECT 'early', jwt.sign('{"sub":"canary-subject","nbf":9999999999}');
INSERT INTO tokens SELECT 'no role', jwt.sign('{"sub":"canary-subject","role":"nobody_of_that_name"}');
INSERT INTO tokens SELECT 'wrong role', jwt.sign('{"sub":"canary-subject","role":"postgres"}');
INSERT INTO tokens SELECT 'foreign', jwt.sign('{"sub":"canary-subject","iss":"https://elsewhere.example"}');
INSERT INTO tokens SELECT 'wrong type', regexp_replace(token, '^[^.]*', 'eyJhbGciOiJub25lIn0') FROM tokens WHERE name = 'of key ES256';
INSERT INTO tokens SELECT 'tampered', regexp_replace(token, '\.[^.]([^.]*)$', CASE WHEN token ~ '\._[^.]*$' THEN '.A\1' ELSE '._\1' END) FROM tokens WHERE name = 'of key HS256';
INSERT INTO tokens SELECT 'other kid', regexp_replace(token, '^[^.]*', 'eyJhbGciOiJFUzI1NiIsImtpZCI6ImNhbmFyeS1raWQifQ') FROM tokens WHERE name = 'of key ES256';
INSERT INTO tokens SELECT 'four parts', token || '.canary-part' FROM tokens WHERE name = 'of key ES256';
INSERT INTO tokens SELECT 'white space', token || ' ' FROM tokens WHERE name = 'of key ES256';
INSERT INTO tokens SELECT 'too long', token || repeat('A', 20000) FROM tokens WHERE name = 'of key ES256';
INSERT INTO tokens SELECT 'no JSON', regexp_replace(token, '\.[^.]*\.', '.Y2FuYXJ5LW5vdC1KU09O.') FROM tokens WHERE name = 'of key ES256';
GRANT SELECT ON tokens TO app;
SQL

# What each road says about each of them, as the log and the client see it.
my $roads = <<'SQL';
SELECT format($q$SELECT count(x) FROM tokens t, LATERAL %s x WHERE name = %L;$q$, call, name)
  FROM tokens, (VALUES ('jwt.verify(token)'), ('jwt.verify(token, audience => ''canary-audience'')'),
	('jwt.try_verify(token)'), ('jwt.authenticate(token)'), ('jwt.decode_unverified(token)'),
	('set_config(''jwt_auth.token'', token, false)'), ('jwt.subject()'), ('jwt.claims()'),
	('set_config(''jwt_auth.token'', '''', false)'),
	('jwt.verify_with(token, (SELECT jsonb_build_object(''keys'', jsonb_agg(public_jwk)) FROM ks))')) c (call)
 ORDER BY name \gexec
SQL
$node->safe_psql('postgres', 'CREATE TABLE ks AS SELECT public_jwk FROM jwt.keys; GRANT SELECT ON ks TO app');
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my $client = ask($node, "SET client_min_messages = notice;\n$roads", verbosity => 'verbose', user => $superuser);
$client .= ask($node, "SET client_min_messages = notice;\n$roads", user => 'app', verbosity => 'verbose');
like($client, qr/28J03/, 'bad tokens were refused')
;

# Only for whom it may concern: what signs and opens sessions, and what fails.
$client .= ask($node, <<'SQL', user => $superuser, verbosity => 'verbose');
SET client_min_messages = notice;
INSERT INTO tokens SELECT 'session ' || k, jwt.open_session('canary-subject')->>k2 FROM (VALUES ('a', 'access_token'), ('r', 'refresh_token')) v (k, k2);
INSERT INTO tokens SELECT 'refreshed', (SELECT jwt.refresh(token)->>'refresh_token' FROM tokens WHERE name = 'session r');
INSERT INTO tokens SELECT 'refreshed again', (SELECT jwt.refresh(token)->>'refresh_token' FROM tokens WHERE name = 'refreshed');
SELECT jwt.refresh(token)->>'error' FROM tokens WHERE name IN ('session r', 'refreshed');
SELECT jwt.refresh(token || 'A')->>'error' FROM tokens WHERE name LIKE 'refreshed%';
SELECT jwt.refresh(token)->>'error' FROM tokens;
SELECT jwt.revoke(token) FROM tokens WHERE name LIKE 'session%';
SELECT length(jwt.introspect(token)::text) FROM tokens;
SELECT jwt.renew(token) IS NULL FROM tokens WHERE name = 'session a';
INSERT INTO tokens SELECT 'renewed', jwt.renew(token) FROM tokens WHERE name = 'of key HS256';
-- failing signatures, and keys that are none
SELECT jwt.sign('{"exp":1}', 'key HS256', '1 hour');
SELECT jwt.sign('{"sub":1}', 'no such key');
SELECT jwt.sign('{}', 'key RS256', header => '{"alg":"none"}');
SELECT jwt.sign_with('{}', jwt.jwk_from_secret(secret, 'HS512')) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.sign_with('{}', jsonb_build_object('kty', 'oct', 'k', encode(secret, 'base64') || '=')) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.jwk_from_secret(convert_from(secret, 'UTF8')) FROM jwt.key_store WHERE kid = 'key RS256';
SELECT jwt.jwk_from_pem(left(convert_from(secret, 'UTF8'), 200)) FROM jwt.key_store WHERE kid = 'key RS256';
SELECT jwt.jwk_from_pem(encode(secret, 'base64')) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.import_key(jsonb_build_object('kty', 'oct', 'alg', 'ES256', 'k', translate(encode(secret, 'base64'), E'+/=\n', '-_'))) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(jwt.jwk_from_secret(secret))), 'https://elsewhere.example') FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.import_key(jwt.jwk_from_pem(convert_from(secret, 'UTF8')) - 'x', 'broken') FROM jwt.key_store WHERE kid = 'key ES256';
SELECT jwt.verify('x', encode(secret, 'hex')) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.verify(token, encode(secret, 'hex'), encode(secret, 'hex')) FROM jwt.key_store k, tokens t WHERE k.kid = 'key HS256' AND name = 'of key HS256';
SELECT jwt.sign('{}', encode(secret, 'hex')) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.rotate_key('ES256') IS NULL, jwt.rotate_key('HS256') IS NULL;
SELECT jwt.set_key_status(encode(secret, 'hex'), 'revoked') FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.generate_key('ES256', 'key ES256');
SQL
like($client, qr/invalid_grant/, 'refresh tokens were refused');

# Writes that fail inside: by our own checks first, by the table's at last.
$client .= ask($node, <<'SQL', verbosity => 'verbose', user => $superuser);
SELECT jwt.generate_key('HS256', repeat('k', 600));
SELECT jwt.generate_key('HS256', '');
SELECT jwt.generate_key('HS256', 'k', 'no status');
SELECT jwt.generate_key('HS256', 'k', NULL);
SELECT jwt.import_key(jwt.jwk_from_secret(secret, NULL), 'k') FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.import_key(jwt.jwk_from_secret(secret) - 'alg', 'k') FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.import_key(jwt.jwk_from_pem(convert_from(secret, 'UTF8')) - 'alg', 'k2') FROM jwt.key_store WHERE kid = 'key RS256';
SELECT jwt.import_key(jwt.jwk_from_secret(secret), 'k', repeat('i', 2000)) FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.import_key(jwt.jwk_from_secret(secret), 'k', '') FROM jwt.key_store WHERE kid = 'key HS256';
SELECT jwt.open_session(NULL);
SELECT jwt.open_session('');
SELECT jwt.open_session('canary-subject', NULL);
SET default_transaction_read_only = on;
SELECT jwt.generate_key('HS256', 'read only');
SELECT jwt.open_session('canary-subject');
SELECT jwt.refresh(token) FROM tokens WHERE name = 'refreshed again';
SQL
unlike($client, qr/(42P01|42883|42601):/, 'the script is right');

# Tokens as parameters of the extended protocol.
my $dir = PostgreSQL::Test::Utils::tempdir();
append_to_file("$dir/bind.sql", 'SELECT (jwt.try_verify(:tok)).valid, (jwt.decode_unverified(:tok)).header, jwt.verify(:tok);');
foreach my $name ('of key RS256', 'tampered')
{
	my $token = $node->safe_psql('postgres', "SELECT token FROM tokens WHERE name = '$name'");
	my ($out, $err) = ('', '');

	# the plan of the client's own statement may hold its parameters
	$ENV{PGOPTIONS} = '-c debug_print_plan=off -c auto_explain.log_min_duration=-1';
	IPC::Run::run([ 'pgbench', '-n', '-M', 'prepared', '-t', '3', '-D', "tok=$token",
		'-f', "$dir/bind.sql", '-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(60));
	delete $ENV{PGOPTIONS};
	$client .= $err;
}
like($client, qr/signature of token is invalid/, 'a parameter was refused');

# What every user can turn on: the parameters of a statement that fails.  (Of
# the server's own messages for debugging, too, which are no promise of ours.)
append_to_file("$dir/refused.sql", 'SELECT jwt.authenticate(:tok);');
my $tampered = $node->safe_psql('postgres', "SELECT token FROM tokens WHERE name = 'tampered'");
{
	local $ENV{PGOPTIONS} = '-c debug_print_plan=off -c auto_explain.log_min_duration=-1 -c log_parameter_max_length_on_error=-1 -c log_min_messages=notice';
	IPC::Run::run([ 'pgbench', '-n', '-M', 'prepared', '-t', '1', '-D', "tok=$tampered",
		'-f', "$dir/refused.sql", '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', '/dev/null', '2>', '/dev/null', IPC::Run::timeout(60));
}

# A token that is stored with a role: a parallel worker restores it, and says
# nothing of which the context would be its value.
$node->safe_psql('postgres', 'CREATE TABLE many AS SELECT generate_series(1, 10000) AS i; GRANT SELECT ON many TO app');
$node->safe_psql('postgres', <<'SQL');
SET log_min_messages = panic; SET log_min_error_statement = panic; SET log_min_duration_statement = -1; SET log_statement = none;
SET pg_stat_statements.track_utility = off;
SELECT format('ALTER ROLE app SET jwt_auth.token = %L', token) FROM tokens WHERE name = 'of key HS256' \gexec
SQL
my $parallel = ask($node, <<'SQL', user => 'app', verbosity => 'verbose');
SET debug_parallel_query = on; SET force_parallel_mode = on;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM many WHERE jwt.is_authenticated();
SQL
like($parallel, qr/^10000$/m, 'workers have the token');
is(scalar(() = $parallel =~ /is stored as a setting/g), 1, 'of which the login has warned, and they do not');
$client .= $parallel;
$node->safe_psql('postgres', 'ALTER ROLE app RESET jwt_auth.token');

# Of every token, good or bad: the signature, and the payload as a whole.
my %tokens = map { split /\|/, $_, 2 } split /\n/,
  $node->safe_psql('postgres', "SELECT name || '|' || token FROM tokens WHERE name <> 'too long'");
foreach my $name (keys %tokens)
{
	my (undef, $payload, $signature) = split /\./, $tokens{$name};

	$canary{"$name: payload"} = $payload if defined $payload && $name ne 'no JSON';
	$canary{"$name: signature"} = $signature if defined $signature;
	$canary{"$name: refresh token"} = $tokens{$name} unless defined $payload;
}
look_for_keys();
my %stored = map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT 'tag key of ' || sid || '|' || encode(tag_key, 'hex') FROM jwt.session_store
UNION ALL SELECT 'live hash of ' || sid || '|' || encode(live_hash, 'hex') FROM jwt.session_store
SQL
$canary{$_} = pack('H*', $stored{$_}) foreach keys %stored;

# The ways in which bytes may show; the beginning of many is a leak, too.
sub spellings
{
	my ($bytes) = @_;
	my $start = substr($bytes, 0, 24);
	my $base64 = encode_base64($start, '') =~ s/=+$//r;
	my $base64url = encode_base64url($start);

	# a whole token part is text; its beginning is anybody's
	return $bytes if length $bytes > 16 && $bytes =~ /^[\w.-]+$/;
	chop($base64, $base64url) if length($start) % 3;
	return ($bytes, $start, $base64, $base64url, unpack('H*', $start), uc unpack('H*', $start),
		# a constant in a node dump: its bytes, signed
		join(' ', map { $_ > 127 ? $_ - 256 : $_ } unpack('C*', $start)));
}

sub leaks
{
	my ($where) = @_;
	my %found;

	foreach my $name (sort keys %canary)
	{
		foreach my $text (spellings($canary{$name}))
		{
			$found{$name} = 1 if index($where, $text) >= 0;
		}
	}
	return join(', ', sort keys %found);
}

sub lines_with
{
	my ($where, $pattern) = @_;

	return join "\n", grep { /$pattern/ && !/statement: / } split /\n/, $where;
}

# The search finds what is there.
like(leaks('x ' . unpack('H*', $canary{'key HS256'}) . ' x'), qr/key HS256/, 'a secret would be found');
like(leaks('x ' . encode_base64url($canary{'key ES256, d'}) . ' x'), qr/key ES256, d/, 'a private key would be found');
like(leaks('x ' . join(' ', map { $_ > 127 ? $_ - 256 : $_ } unpack('C*', $canary{'key HS512'}))),
	qr/key HS512/, 'a secret in a plan would be found');

is(leaks($client), '', 'nothing in what clients were told');
is(lines_with($client, qr/canary-/), '', 'no claim, kid or audience either');

my $views = $node->safe_psql('postgres', <<'SQL');
SELECT k::text FROM jwt.keys k;
SELECT s::text FROM jwt.sessions s;
SELECT e::text FROM jwt.events e;
SELECT i::text FROM jwt.issuers i;
SELECT jwt.jwks();
SELECT s::text FROM pg_settings s WHERE name LIKE 'jwt%';
SELECT query FROM pg_stat_statements;
SELECT a::text FROM pg_stat_activity a;
SQL
is(leaks($views), '', 'nothing in the views or pg_stat_statements');

my $log = slurp_file($node->logfile);
my $searched = length $log;
# node dumps break their lines in the middle of a number
my $joined = $log =~ s/\n[ \t]+//gr;
my $messages = join '', grep { /(ERROR|DETAIL|HINT|CONTEXT|WARNING|NOTICE|DEBUG): / } split /^/, $log;
is(leaks($messages), '', 'nothing in the messages of the log');
is(lines_with($messages, qr/canary-/), '', 'no claim, kid or audience in a message');
is(leaks($log), '', 'nothing anywhere in the log, what auto_explain says included');
is(leaks($joined), '', 'nothing in the plans of debug_print_plan');
cmp_ok(length $log, '>', 1_000_000, 'the log was there to be searched');

# A constraint that fails makes PostgreSQL show the row, but not of our tables.
my $shown = ask($node, <<'SQL', verbosity => 'verbose', user => $superuser);
ALTER TABLE jwt.key_store ADD CONSTRAINT never CHECK (kid <> 'never') NOT VALID;
SELECT jwt.import_key(jwt.jwk_from_secret(secret), 'never') FROM jwt.key_store WHERE kid = 'key HS256';
UPDATE jwt.key_store SET status = 'bad';
UPDATE jwt.key_store SET kty = NULL;
UPDATE jwt.session_store SET claims = NULL;
SQL
like($shown, qr/23514: .*23514: .*23502: .*23502: /s, 'constraints failed');
is(leaks($shown), '', 'and showed no row of ours');
is(leaks(slurp_file($node->logfile, $searched)), '', 'nor in the log');

$node->stop;
done_testing();
