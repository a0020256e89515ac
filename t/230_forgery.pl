# An ordinary role with any SQL at its hands reads no foreign row, and hears
# a clear error where it forged a claim.  And who is believed about claims:
# superusers and jwt_auth.trusted_gateways, by name, of the session user.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use MIME::Base64 qw(encode_base64url);
use Test::More;

my $node = start_node('forgery');
my $release = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
my $force_parallel = $release >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE ROLE gate LOGIN;
CREATE ROLE "odd, name" LOGIN;
CREATE ROLE odd LOGIN;
CREATE ROLE "Upper" LOGIN;
CREATE ROLE upper LOGIN;
CREATE ROLE member LOGIN IN ROLE gate;
CREATE ROLE reads_all LOGIN IN ROLE pg_read_all_data;
CREATE ROLE writes_all LOGIN IN ROLE pg_write_all_data;
CREATE ROLE ddl LOGIN CREATEROLE;
CREATE DATABASE ddl OWNER ddl;
CREATE TABLE notes (id int PRIMARY KEY, owner text NOT NULL, body text);
INSERT INTO notes SELECT i, (ARRAY['alice', 'bob', 'carol'])[1 + i % 3], 'of ' || (ARRAY['alice', 'bob', 'carol'])[1 + i % 3]
	FROM generate_series(0, 29) i;
CREATE INDEX ON notes (owner);
ANALYZE notes;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON notes USING (owner = jwt.subject());
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO PUBLIC;
GRANT CREATE ON SCHEMA public TO app;
SQL
my %token = (
	bob => sign($node, '{"sub":"bob"}'),
	alice => sign($node, '{"sub":"alice"}'),
	expired => sign($node, '{"sub":"bob"}', q{expires_in => '-1 hour'}));

# is_run(NAME, SQL, EXPECTED, ...): "look;" asks whose rows are seen.
sub is_run
{
	my ($name, $sql, $expected, %opt) = @_;

	$sql =~ s/\blook;/SELECT coalesce(string_agg(DISTINCT owner, ','), 'none') FROM notes;/g;
	$sql =~ s/:bob\b/'$token{bob}'/g;
	$expected =~ s/^(28J\d\d|42\w{3}|3F000|22023)$/ERROR:  $1/mg;
	is(ask($node, $sql, %opt), $expected, $name);
	return;
}

# ---- Settings that anyone can write

my $claims = q('{"sub":"alice"}');
foreach my $attack (
	[ 'SET', "SET request.jwt.claims = $claims; look;" ],
	[ 'SET LOCAL', "BEGIN; SET LOCAL request.jwt.claims = $claims; look;" ],
	[ 'set_config', "SELECT set_config('request.jwt.claims', $claims, false) \\g /dev/null\nlook;" ],
	[ 'set_config in WHERE', "SELECT owner FROM notes WHERE set_config('request.jwt.claims', $claims, false) IS NOT NULL; look;", "28J10\nnone" ],
	[ 'a function that sets', "CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE sql SET request.jwt.claims = $claims AS 'SELECT owner FROM notes'; SELECT * FROM pg_temp.f();", "42501\n3F000" ],
	[ 'in a worker', "SET request.jwt.claims = $claims; SET $force_parallel = on; look;" ],
	[ 'under a generic plan', "PREPARE q AS SELECT owner FROM notes; SET plan_cache_mode = force_generic_plan; EXECUTE q; SET request.jwt.claims = $claims; EXECUTE q;" ],
	[ 'after SET ROLE', "SET request.jwt.claims = $claims; SET ROLE gate; look;", undef, user => 'member' ],
	[ 'PGOPTIONS', 'look;', undef, options => '-c request.jwt.claims={"sub":"alice"}' ],
	[ 'a SECURITY DEFINER function', "CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET request.jwt.claims = $claims AS 'SELECT owner FROM notes'; SELECT * FROM pg_temp.f();", "42501\n3F000" ],
	[ 'invalid JSON', "SET request.jwt.claims = '{'; look;" ],
	[ 'with a token before', "SET jwt_auth.token = :bob; look; SET jwt_auth.token = ''; SET request.jwt.claims = $claims; look;", "bob\n28J10" ])
{
	my ($name, $sql, $expected, %opt) = @$attack;
	is_run("forged claims: $name", $sql, $expected // '28J10', %opt);
}
is_run('forged claims: a token in force comes first', "SET jwt_auth.token = :bob; SET request.jwt.claims = $claims; look; SELECT jwt.subject();", "bob\nbob");
foreach my $name ('request.jwt.claim.sub', 'jwt.claims.sub', 'jwt.claims', 'app.user_id', 'request.header.x', 'jwt_auth_x.sub')
{
	is_run("another setting: $name", "SET $name = 'alice'; look; SELECT jwt.is_authenticated();", "none\nf");
}
is_run('settings of a role and a database', <<"SQL", "42501\n42501\n42501\n42501\nnone", user => 'app');
ALTER ROLE app SET request.jwt.claims = $claims;
ALTER ROLE app SET jwt_auth.trusted_gateways = 'app';
SELECT FROM jwt.subject() \\g /dev/null
ALTER ROLE app SET jwt_auth.trusted_gateways = 'app';
ALTER DATABASE postgres SET jwt_auth.claims_setting = 'x.y'; look;
SQL

# ---- Settings of ours, before the library is loaded and after

my @privileged = split /\s+/, $node->safe_psql('postgres', <<'SQL');
LOAD 'jwt_auth'; SELECT string_agg(name, ' ') FROM pg_settings WHERE name LIKE 'jwt\_auth.%' AND context <> 'user'
SQL
cmp_ok(scalar @privileged, '>=', 15, 'settings that need a superuser');
is($node->safe_psql('postgres', q{LOAD 'jwt_auth'; SELECT string_agg(name, ' ') FROM pg_settings WHERE name LIKE 'jwt\_auth.%' AND context <> 'superuser'}),
	'', 'the rest is the token alone');
my %value = map { $_ => /gateways/ ? 'app' : /setting|hook/ ? 'my.claims' : /require/ ? 'on' : '299' } @privileged;
is_run('settings made before the library is loaded are dropped',
	join('', map { "SET $_ = '$value{$_}';\n" } @privileged) . <<'SQL', "WARNING:  42501\n" x @privileged . "\nnone");
SELECT jwt.subject();
SELECT name, setting FROM pg_settings WHERE name LIKE 'jwt\_auth.%' AND setting <> boot_val; look;
SQL
is_run('and refused after it', 'SELECT jwt.subject();' . join('', map { <<"SQL" } @privileged), "\n" . "42501\n" x (3 * @privileged) . 'none');
SET $_ = '$value{$_}';
SELECT set_config('$_', '$value{$_}', true);
CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql SET $_ = '$value{$_}' AS '';
@{[ $_ eq $privileged[-1] ? 'look;' : '' ]}
SQL
is_run('trusted_gateways by SET before the library', "SET jwt_auth.trusted_gateways = 'app'; SET request.jwt.claims = $claims; look; look;", "WARNING:  42501\n28J10\n28J10");
is_run('by SET in a sub-transaction', "BEGIN; SAVEPOINT a; SET LOCAL jwt_auth.trusted_gateways = 'app'; SET LOCAL request.jwt.claims = $claims; look;", "WARNING:  42501\n28J10");
is_run('by PGOPTIONS', "SET request.jwt.claims = $claims; look; look;", "WARNING:  42501\n28J10\n28J10", options => '-c jwt_auth.trusted_gateways=app');
is_run('by a database\'s owner', 'ALTER DATABASE ddl SET jwt_auth.trusted_gateways = \'ddl\'; SELECT jwt.subject(); ALTER DATABASE ddl SET jwt_auth.trusted_gateways = \'ddl\';',
	"42501\n\n42501", user => 'ddl');
is_run('by CREATEROLE', 'ALTER ROLE app SET jwt_auth.trusted_gateways = \'app\'; SELECT jwt.subject(); ALTER ROLE app SET jwt_auth.trusted_gateways = \'app\';',
	"42501\n\n42501", user => 'ddl');
is_run('by the role itself, of a database', 'ALTER ROLE ddl IN DATABASE ddl SET jwt_auth.trusted_gateways = \'ddl\';', "42501", user => 'ddl');
is_run('GRANT SET lets one', <<"SQL", "42501\nalice");
SELECT FROM jwt.subject() \\g /dev/null
SET jwt_auth.trusted_gateways = 'app';
\\c - postgres
SET client_min_messages = error;
SELECT FROM jwt.subject() \\g /dev/null
GRANT SET ON PARAMETER jwt_auth.trusted_gateways TO app;
\\c - app
SELECT FROM jwt.subject() \\g /dev/null
SET jwt_auth.trusted_gateways = 'app'; SET request.jwt.claims = $claims; look;
\\c - postgres
REVOKE SET ON PARAMETER jwt_auth.trusted_gateways FROM app;
SQL

# ---- Forged tokens

my ($header, $payload, $signature) = split /\./, $token{bob};
my $alice = encode_base64url('{"sub":"alice","exp":4000000000}');
my $jwks = $node->safe_psql('postgres', 'SELECT jwt.jwks()');
my $public = $node->safe_psql('postgres', q{SELECT jwt.jwk_to_pem(jwt.jwks()->'keys'->0)});

sub forge
{
	my ($head, $secret) = @_;
	my $input = encode_base64url($head) . ".$alice";
	return "$input." . encode_base64url(hmac_sha256($input, $secret));
}
foreach my $forgery (
	[ 'own payload', "$header.$alice.$signature", '28J03' ],
	[ 'no signature', "$header.$alice.", '28J03' ],
	[ 'alg none', encode_base64url('{"alg":"none"}') . ".$alice.", '28J05' ],
	[ 'alg None', encode_base64url('{"alg":"None"}') . ".$alice.", '28J05' ],
	[ 'alg none, known kid', encode_base64url('{"alg":"none","kid":"k1"}') . ".$alice.", '28J05' ],
	[ 'own secret', forge('{"alg":"HS256"}', 'x' x 32), '28J04' ],
	[ 'own secret, known kid', forge('{"alg":"HS256","kid":"k1"}', 'x' x 32), '28J05' ],
	[ 'the public key as a secret', forge('{"alg":"HS256","kid":"k1"}', $public), '28J05' ],
	[ 'the key set as a secret', forge('{"alg":"HS256","kid":"k1"}', $jwks), '28J05' ],
	[ 'own key in the header', forge('{"alg":"HS256","kid":"k2","jwk":{"kty":"oct","k":"' . encode_base64url('x' x 32) . '"}}', 'x' x 32), '28J04' ],
	[ 'zero signature', "$header.$alice." . ('A' x 86), '28J03' ],
	[ 'no token at all', 'alice', '28J00' ],
	[ 'claims for a token', '{"sub":"alice"}', '28J00' ],
	[ 'expired', $token{expired}, '28J01' ])
{
	my ($name, $token, $code) = @$forgery;
	is_run("forged token: $name", <<"SQL", "$code\n$code\n$code\n$code\nbob\n$code\nbob");
SET jwt_auth.token = '$token'; look; SELECT jwt.subject();
BEGIN; SELECT jwt.authenticate('$token'); ROLLBACK;
SET $force_parallel = on; look; RESET $force_parallel;
SET jwt_auth.token = :bob; look;
BEGIN; SET LOCAL jwt_auth.token = '$token'; look; ROLLBACK; look;
SQL
}
foreach my $call (q{sign('{"sub":"alice"}')}, q{sign_with('{}', '{}')}, q{impersonate('{"sub":"alice"}')}, q{open_session('alice')},
	q{generate_key()}, q{renew('x')}, q{import_key('{}')}, q{trust_issuer('x', '{*}')}, q{close_sessions('alice')}, q{set_key_status('k1', 'revoked')})
{
	is_run("jwt.$call", "SELECT jwt.$call; look;", "42501\nnone");
}

# ---- Objects in front

is_run('schema jwt is taken', "CREATE SCHEMA jwt; CREATE FUNCTION jwt.subject(int) RETURNS text LANGUAGE sql AS ''; look;", "42501\n42501\nnone");
is_run('functions of ours are not theirs to change', <<'SQL', "42501\n42501\n42501\n42501\n42501\nbob");
CREATE OR REPLACE FUNCTION jwt.subject() RETURNS text LANGUAGE sql AS 'SELECT ''alice''';
ALTER FUNCTION jwt.subject() SET search_path = public;
ALTER FUNCTION jwt.subject() LEAKPROOF;
DROP FUNCTION jwt.subject();
ALTER EXTENSION jwt_auth DROP FUNCTION jwt.subject();
SET jwt_auth.token = :bob; look;
SQL
my $in_front = <<'SQL';
CREATE FUNCTION pg_temp.subject() RETURNS text LANGUAGE sql AS 'SELECT ''alice''';
CREATE FUNCTION public.subject() RETURNS text LANGUAGE sql AS 'SELECT ''alice''';
CREATE FUNCTION public.yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.yes);
CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''alice''';
CREATE FUNCTION public.evil(jsonb, jsonb) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN RAISE ''evil''; END';
CREATE OPERATOR public.|| (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = public.evil);
CREATE FUNCTION public.jsonb_build_object(text, text) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN RAISE ''evil''; END';
CREATE TABLE public.key_store AS SELECT 1 AS a;
CREATE TEMP TABLE key_store AS SELECT 1 AS a;
CREATE TEMP TABLE issuers AS SELECT 1 AS a;
CREATE TEMP TABLE pg_class AS SELECT 1 AS a;
CREATE TEMP TABLE pg_extension AS SELECT 1 AS a;
SET search_path = pg_temp, public, pg_catalog;
SQL
is_run('objects in front of the search_path', "$in_front look; SET jwt_auth.token = :bob; look; PREPARE q AS SELECT DISTINCT owner FROM notes; EXECUTE q; SELECT jwt.subject();",
	"none\nbob\nbob\nbob");
is_run('a superuser is not lured', <<"SQL", "1\nbob\nt\n\n1", user => 'postgres');
SET client_min_messages = error;
SET search_path = public, pg_catalog;
BEGIN; SELECT 1 FROM jwt.impersonate('{"sub":"bob"}', 'app'); look; ROLLBACK;
SELECT jwt.sign('{"sub":"bob"}') LIKE 'eyJ%'; SELECT jwt.trust_issuer('https://x', '{*}', subject_prefix => 'x:');
SELECT count(DISTINCT 1) FROM jwt.explain_access('notes');
SQL
$node->safe_psql('postgres', 'DROP OWNED BY app; GRANT CREATE ON SCHEMA public TO app');

# ---- Functions that tell what they are shown

my $leak = <<'SQL';
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
	AS 'BEGIN RAISE NOTICE ''saw %'', $1; RETURN true; END';
CREATE OPERATOR pg_temp.<<< (RIGHTARG = text, FUNCTION = pg_temp.leak);
SQL
my $n = 0;
foreach my $query (
	q{SELECT 1 FROM notes WHERE pg_temp.leak(body)},
	q{SELECT 1 FROM notes WHERE OPERATOR(pg_temp.<<<) body},
	q{SET enable_seqscan = off; SELECT 1 FROM notes WHERE pg_temp.leak(body) AND owner > 'a'},
	q{SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT 1 FROM notes WHERE pg_temp.leak(body)},
	q{SELECT 1 FROM (SELECT * FROM notes OFFSET 0) n WHERE pg_temp.leak(body)},
	q{SELECT 1 FROM notes a JOIN notes b ON pg_temp.leak(a.body) AND pg_temp.leak(b.body)},
	q{SELECT 1 FROM notes a, LATERAL (SELECT 1 WHERE pg_temp.leak(a.body)) b},
	q{SELECT count(*) FILTER (WHERE pg_temp.leak(body)) FROM notes},
	q{SELECT 1 FROM notes GROUP BY body HAVING pg_temp.leak(body)},
	q{SELECT 1 FROM notes ORDER BY pg_temp.leak(body)},
	q{SELECT 1 FROM notes WHERE CASE WHEN pg_temp.leak(body) THEN true END},
	q{UPDATE notes SET body = body WHERE pg_temp.leak(body)},
	q{DELETE FROM notes WHERE pg_temp.leak(body) AND false},
	q{PREPARE q AS SELECT 1 FROM notes WHERE pg_temp.leak(body); SET plan_cache_mode = force_generic_plan; EXECUTE q})
{
	my $got = ask($node, "$leak SET jwt_auth.token = '$token{bob}'; BEGIN; $query; ROLLBACK;", verbosity => 'terse');
	like($got, qr/saw of bob|^$/, "leaky function is asked: $query") unless $query =~ /false/;
	unlike($got, qr/alice|carol|ERROR/, "and is shown own rows: $query");
}
is_run('an error tells nothing', "SET jwt_auth.token = :bob; SELECT 1 FROM notes WHERE 1 / (CASE WHEN owner = 'alice' THEN 0 ELSE 1 END) = 1 GROUP BY 1;", '1');
is_run('row_security = off is refused', 'SET row_security = off; SET jwt_auth.token = :bob; look;', '42501');
is_run('a policy asked in the middle of a forgery', <<"SQL", "28J10\nbob");
SET jwt_auth.token = :bob;
CREATE FUNCTION pg_temp.swap() RETURNS boolean LANGUAGE plpgsql AS \$\$
BEGIN
	PERFORM set_config('request.jwt.claims', $claims, false);
	PERFORM set_config('jwt_auth.token', '', false);
	RETURN true;
END \$\$;
SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT owner FROM notes WHERE pg_temp.swap(); look;
SQL
foreach my $role ('app', 'reads_all', 'writes_all')
{
	my $got = ask($node, join('', map { "SELECT count(*) FROM jwt.$_; DELETE FROM jwt.$_; INSERT INTO jwt.$_ DEFAULT VALUES;" } qw(key_store issuers session_store revoked_tokens)), user => $role);
	unlike($got, qr/^[1-9]/m, "$role sees no row of our tables");
	is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM jwt.key_store), (SELECT count(*) FROM jwt.issuers)'), '1|1', "$role changes none");
}

# ---- Who is trusted

$node->append_conf('postgresql.conf', q{jwt_auth.trusted_gateways = 'gate, "odd, name", "Upper"'});
$node->reload;
my $as_alice = "SET request.jwt.claims = $claims; look; SELECT jwt.subject(), jwt.is_authenticated(), jwt.uid(), jwt.issuer();";
foreach my $user ('gate', 'odd, name', 'Upper')
{
	is_run("trusted: $user", $as_alice, "alice\nalice|t||", user => $user);
}
is_run('trusted, in a worker', "SET $force_parallel = on; $as_alice", "alice\nalice|t||", user => 'gate');
is_run('trusted, after SET ROLE', "SET ROLE gate; $as_alice", "alice\nalice|t||", user => 'gate');
foreach my $user ('app', 'odd', 'upper', 'member')
{
	is_run("not trusted: $user", "$as_alice SET $force_parallel = on; look;", "28J10\n28J10\n28J10", user => $user);
}
is_run('membership does not help', "SET ROLE gate; $as_alice", "28J10\n28J10", user => 'member');
is_run('nor does a role of the gateway hurt', "SET SESSION AUTHORIZATION app; $as_alice", '42501' . "\nalice\nalice|t||", user => 'gate');
is_run('superusers are trusted', "SET request.jwt.claims = $claims; SELECT jwt.subject(); SET ROLE app; look;", "alice\nalice", user => 'postgres');
foreach my $parallel ('off', 'on')
{
	is_run("not as somebody else, parallel $parallel", "SET request.jwt.claims = $claims; SET SESSION AUTHORIZATION app; SET $force_parallel = $parallel; look; SELECT jwt.subject(); RESET SESSION AUTHORIZATION; SELECT jwt.subject();",
		"28J10\n28J10\nalice", user => 'postgres');
	is_run("but as a gateway, parallel $parallel", "SET request.jwt.claims = $claims; SET SESSION AUTHORIZATION gate; SET $force_parallel = $parallel; look;", 'alice', user => 'postgres');
}
is_run('a change of the session user within one statement', <<"SQL", "28J10", user => 'postgres');
SET request.jwt.claims = $claims;
DO \$\$
BEGIN
	IF jwt.subject() <> 'alice' THEN RAISE 'not trusted'; END IF;
	PERFORM set_config('session_authorization', 'gate', true);
	IF jwt.subject() <> 'alice' THEN RAISE 'not trusted'; END IF;
	PERFORM set_config('session_authorization', 'app', true);
	PERFORM jwt.subject();
END \$\$;
SQL
my $hint = ask($node, "SET request.jwt.claims = $claims; SELECT jwt.subject()", user => 'odd', verbosity => 'default');
like($hint, qr/^ERROR:  session user is not trusted to set claims\nDETAIL:.*request\.jwt\.claims.*\nHINT:.*odd.*trusted_gateways/, 'the hint names the session user and the setting');
unlike($hint, qr/alice/, 'and shows no claim');

is_run('unset and empty', <<'SQL', "none|f\n28J10\nnone|f\nnone|f");
SET request.jwt.claims = ''; SELECT coalesce(jwt.subject(), 'none'), jwt.is_authenticated();
BEGIN; SET LOCAL request.jwt.claims = '{"sub":"alice"}'; SELECT jwt.subject(); COMMIT;
SELECT coalesce(jwt.subject(), 'none'), jwt.is_authenticated(); RESET request.jwt.claims; SELECT coalesce(jwt.subject(), 'none'), jwt.is_authenticated();
SQL
is_run('one request after the other', <<'SQL', "alice\nbob\nnone\ncarol\nnone", user => 'gate');
BEGIN; SET LOCAL request.jwt.claims = '{"sub":"alice"}'; look; COMMIT;
BEGIN; SET LOCAL request.jwt.claims = '{"sub":"bob"}'; look; COMMIT; look;
BEGIN; SET LOCAL request.jwt.claims = '{"sub":"carol"}'; look; ROLLBACK; look;
SQL
is_run('changes within a transaction and a statement', <<'SQL', "alice\nbob\nalice\n{bob,alice,bob,NULL}", user => 'gate');
BEGIN; SET LOCAL request.jwt.claims = '{"sub":"alice"}'; look; SAVEPOINT a; SET LOCAL request.jwt.claims = '{"sub":"bob"}'; look; ROLLBACK TO a; look;
WITH s AS MATERIALIZED (SELECT set_config('request.jwt.claims', CASE c WHEN '' THEN '' ELSE format('{"sub":"%s"}', c) END, true), jwt.subject() AS got
	FROM unnest(ARRAY['bob', 'alice', 'bob', '']) c) SELECT array_agg(got) FROM s;
SQL
foreach my $bad ('{', '[]', '"alice"', '1', 'null', '{"sub":"alice","sub":"bob"}', '{"sub":"alice"} x', '{"sub":alice}', ' ', '{"a":' x 100)
{
	my $got = ask($node, "SET request.jwt.claims = '$bad'; SELECT jwt.subject(); SELECT count(*) FROM notes;", user => 'gate', verbosity => 'verbose');
	is(scalar(() = $got =~ /^ERROR:  22023: setting "request.jwt.claims" is not a JSON object with distinct members$/mg), 2, 'not claims: ' . substr($bad, 0, 30));
}
is_run('a claim of the wrong shape is nobody\'s', q{SET request.jwt.claims = '{"sub":1}'; SELECT jwt.subject() IS NULL, jwt.is_authenticated(); look;}, "t|t\nnone", user => 'gate');

# A token in force has the only word.
my $set_claims = "SET request.jwt.claims = $claims;";
is_run('a token comes before the setting', "$set_claims SET jwt_auth.token = :bob; look; SET jwt_auth.token = ''; look; BEGIN; SELECT FROM jwt.authenticate(:bob) \\g /dev/null\nlook; COMMIT; look;", "bob\nalice\nbob\nalice", user => 'gate');
foreach my $bad ([ $token{expired}, '28J01' ], [ "$header.$alice.$signature", '28J03' ], [ 'x', '28J00' ], [ ' ', '28J00' ])
{
	is_run("no falling back: $bad->[1]", "$set_claims SET jwt_auth.token = '$bad->[0]'; look; SELECT jwt.subject(); SELECT jwt.is_authenticated();", join("\n", ($bad->[1]) x 3), user => 'gate');
}

# ---- Where claims are looked for

is_run('claims_setting off', "$set_claims look; SET jwt_auth.claims_setting = ''; look; SET request.jwt.claims = '{'; look;\nSET SESSION AUTHORIZATION app; $set_claims look;", "alice,bob,carol\n" x 3 . 'none', user => 'postgres');
is_run('claims_setting of another name', "SET jwt_auth.claims_setting = 'my.claims'; $set_claims SELECT jwt.subject(); SET my.claims = '{\"sub\":\"bob\"}'; SELECT jwt.subject(); SET SESSION AUTHORIZATION app; look;", "\nbob\n28J10", user => 'postgres');
is_run('a setting a claim', <<"SQL", "\nalice|x|\n{\"a.b\": \"1\", \"sub\": \"alice\", \"role\": \"x\"}\nalice\n28J10\nalice", user => 'postgres');
SELECT FROM jwt.subject() \\g /dev/null
SET jwt_auth.claims_setting = 'jwt.claims.*'; SELECT jwt.subject();
SET jwt.claims.sub = 'alice'; SET jwt.claims.role = 'x'; SET jwt.claims.a.b = '1'; SET jwt.claimsx.y = 1; SET jwt.claims.empty = '';
SELECT jwt.subject(), jwt.role(), jwt.claim('empty'); SELECT jwt.claims();
SET SESSION AUTHORIZATION gate; look; SET SESSION AUTHORIZATION app; look;
SET SESSION AUTHORIZATION gate; SET $force_parallel = on; look;
SQL

# The list: what may stand in it, and that a change is heard.
is_run('lists', <<'SQL', "22023\n22023\n28J10\n28J10\nalice\n28J10\nalice", user => 'postgres');
SELECT FROM jwt.subject() \g /dev/null
SET jwt_auth.trusted_gateways = 'a,,b'; SET jwt_auth.trusted_gateways = '"a';
SET request.jwt.claims = '{"sub":"alice"}';
BEGIN; SET LOCAL jwt_auth.trusted_gateways = '*'; SET LOCAL SESSION AUTHORIZATION app; look; ROLLBACK;
BEGIN; SET LOCAL jwt_auth.trusted_gateways = '"app, gate"'; SET LOCAL SESSION AUTHORIZATION app; look; ROLLBACK;
BEGIN; SET LOCAL jwt_auth.trusted_gateways = 'APP'; SET LOCAL SESSION AUTHORIZATION app; look; ROLLBACK;
BEGIN; SET LOCAL jwt_auth.trusted_gateways = '"APP"'; SET LOCAL SESSION AUTHORIZATION app; look; ROLLBACK;
BEGIN; SET LOCAL jwt_auth.trusted_gateways = ' x ,app , "y"'; SET LOCAL SESSION AUTHORIZATION app; look; ROLLBACK;
SQL
my $session = session($node, user => 'gate');
$session->ask($set_claims);
is($session->ask('SELECT jwt.subject();'), 'alice', 'a gateway is trusted');
$node->append_conf('postgresql.conf', q{jwt_auth.trusted_gateways = 'app'});
$node->reload;
my $answer = '';
for (1 .. 100)
{
	$answer = $session->ask('SELECT jwt.subject();');
	last if $answer ne 'alice';
	select(undef, undef, undef, 0.05);
}
is($answer, 'ERROR:  28J10', 'until the list changes');
$session->quit;

done_testing();
