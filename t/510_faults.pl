# What fails under a server: each function of libcrypto that the library calls,
# and each of the server's that may want memory, at its first calls, in every
# operation.  An answer is the right one or an error that says so:
# never a token believed, never a key half made; the next answer is right; and
# nothing is left behind.
#
# JWT_AUTH_FAULT_CALLS: so many calls of each function fail in each operation
# (1; all of them, in "make faults").

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $most = $ENV{JWT_AUTH_FAULT_CALLS} // 1;
my $may_want_memory = join '|', qw(
  palloc palloc0 repalloc pstrdup pnstrdup MemoryContextAlloc\w* MemoryContextStrdup AllocSetContextCreateInternal
  initStringInfo appendBinaryStringInfo appendStringInfo(?:Char|String) cstring_to_text\w* text_to_cstring uuid_out timestamptz_to_str
  heap_\w*tuple\w* construct_array\w* deconstruct_array\w* lappend datumCopy
  pushJsonbValue JsonbValueToJsonb JsonbIteratorInit JsonbIteratorNext jsonb_in json_in pg_parse_json numeric_\w+ int64_to_numeric
  hash_create hash_search pg_detoast_datum\w* systable_beginscan systable_getnext SearchSysCache\d table_open
  RegisterSnapshot GetLatestSnapshot SPI_connect SPI_prepare_cursor SPI_execute_\w+ SPI_getvalue set_config_option
  GetUserNameFromId get_extension_oid get_namespace_oid get_role_oid getExtensionOfObject LockDatabaseObject
  BlessTupleDesc get_call_result_type tuplestore_putvalues);

# The library that lets them fail, made for the one that servers load.
my $build = PostgreSQL::Test::Utils::tempdir();
my @functions = build();
plan skip_all => 'no nm, no C compiler, or a machine whose calls are not known' unless @functions;

sub build
{
	chomp(my $module = `pg_config --pkglibdir`);
	chomp(my $include = `@{[ $ENV{PG_CONFIG} // 'pg_config' ]} --includedir-server`);
	my @imported = map { /^\s+U\s+(\S+)/ ? $1 : () } `nm -uD $module/jwt_auth.so 2>/dev/null`;
	append_to_file("$build/imported", join "\n", @imported, '');
	chomp(my @crypto = `$FindBin::Bin/../test/fault/functions.sh <$build/imported`);
	my @server = grep { /^(?:$may_want_memory)$/ } @imported;
	append_to_file("$build/functions.h", join '', (map { "CRYPTO_CALL($_)\n" } @crypto), (map { "SERVER_CALL($_)\n" } @server));
	return if !@crypto || !@server || system("cc -shared -fPIC -w -O1 -I$include -I$build -o $build/fault.so"
		. " $FindBin::Bin/lib/fault.c -lcrypto >$build/log 2>&1") != 0;
	return (@crypto, @server);
}

# Of libcrypto's functions, to tell apart what may come of their failure.
sub is_crypto { return $_[0] =~ /^(?:[A-Z0-9]+_|d2i_|i2d_)/ && $_[0] !~ /^SPI_/; }

my $vectors = "$FindBin::Bin/../test/unit/vectors";
append_to_file("$build/file.key", "0123456789abcdef0123456789abcdef\n");
append_to_file("$build/uri.pem", slurp_file("$vectors/p384_pkcs8.pem"));
chmod 0600, "$build/file.key", "$build/uri.pem" or die $!;
# malloc() counts as used what it keeps for the same thread.
local $ENV{GLIBC_TUNABLES} = 'glibc.malloc.tcache_count=0';
my $node = start_node('faults', "shared_preload_libraries = 'jwt_auth'\nautovacuum = off\nlog_min_messages = error\njwt_auth.cache_size = 16\n"
	. "jwt_auth.encryption_key_file = '$build/file.key'\n", without_extension => 1);
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION jwt_auth;
CREATE EXTENSION jwt_auth_pgjwt;
LOAD '$build/fault';
CREATE FUNCTION fault_arm(name text, n int) RETURNS void LANGUAGE c AS '$build/fault';
CREATE FUNCTION fault_hit() RETURNS boolean LANGUAGE c AS '$build/fault';
CREATE FUNCTION fault_calls(name text) RETURNS int LANGUAGE c AS '$build/fault';
CREATE FUNCTION fault_malloced() RETURNS bigint LANGUAGE c AS '$build/fault';
CREATE FUNCTION forget_keys() RETURNS void LANGUAGE sql AS \$\$UPDATE jwt.key_store SET status = status\$\$;

SELECT jwt.generate_key(alg, alg) FROM unnest('{HS256,EdDSA,RS256,ES256}'::text[]) alg;
SELECT jwt.add_key_uri('file:$build/uri.pem', 'ES384', 'ES384');
CREATE TABLE token AS SELECT alg, jwt.sign('{"sub":"bob","x":1.5}', alg, '1 day') AS good, '' AS forged FROM unnest('{HS256,EdDSA,RS256,ES256,ES384}'::text[]) alg;
UPDATE token SET forged = regexp_replace(good, '\\.[^.]*\\.', '.' || rtrim(translate(encode('{"sub":"eve","exp":4000000000}', 'base64'), '+/', '-_'), '=') || '.');

CREATE TABLE held AS SELECT name, pg_read_file('$vectors/' || file) AS pem, NULL::jsonb AS jwk
  FROM (VALUES ('RSA', 'rsa_pkcs1.pem'), ('EC', 'p256_sec1_with_text.pem'), ('OKP', 'ed25519_pkcs8.pem'), ('public RSA', 'rsa_spki.pem'), ('certificate', 'rsa_certificate.pem')) v (name, file);
UPDATE held SET jwk = jwt.jwk_from_pem(pem, CASE WHEN name LIKE '%RSA' THEN 'RS256' END);
INSERT INTO held SELECT 'oct', NULL, jwt.jwk_from_secret('0123456789abcdef0123456789abcdef');
SELECT jwt.trust_issuer('https://issuer.example', '{*}');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_build_array(jwk - 'd' || '{"kid":"k"}')), 'https://issuer.example') FROM held WHERE name = 'EC';
CREATE TABLE theirs AS SELECT jwt.sign_with('{"sub":"bob","iss":"https://issuer.example","aud":"us"}', jwk || '{"kid":"k"}', '1 day') AS good FROM held WHERE name = 'EC';
CREATE TABLE notes AS SELECT 'bob' AS owner;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = jwt.subject());
CREATE ROLE web;
CREATE FUNCTION hook(subject text, sid uuid, claims jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT claims || ''{"hooked":"t"}''';
GRANT SELECT ON notes TO web;
SQL

# SQL and its answer; each in a transaction that is rolled back, in which all
# keys were forgotten before.
my $claims = q('{"sub":"bob","exp":4000000000}');
my $sub = q(->>'sub');
my %operations = (
	(map { ("verify $_" => [ "SELECT jwt.verify(good)$sub FROM token WHERE alg = '$_'", 'bob' ]) } qw(RS256 HS256 EdDSA ES256)),
	(map { ("forged $_" => [ "SELECT jwt.verify(forged)$sub FROM token WHERE alg = '$_'", 'ERROR:  28J03' ]) } qw(RS256 HS256 EdDSA ES256)),
	(map { ("sign $_" => [ "SELECT jwt.verify(jwt.sign($claims, '$_'))$sub", 'bob' ]) } qw(RS256 HS256 EdDSA ES256 ES384)),
	(map { ("sign_with $_" => [ "SELECT jwt.verify_with(jwt.sign_with($claims, jwk), jsonb_build_object('keys', jsonb_build_array(jwk)))$sub FROM held WHERE name = '$_'", 'bob' ]) } qw(RSA EC OKP oct)),
	(map { ("PEM $_" => [ "SELECT jwt.jwk_from_pem(pem) \@> (jwk - 'alg'), jwt.jwk_from_pem(jwt.jwk_to_pem(jwk)) \@> (jwk - 'alg') FROM held WHERE name = '$_'", 't|t' ]) } 'RSA', 'EC', 'OKP', 'public RSA', 'certificate'),
	(map { ("import $_" => [ "SELECT jwt.import_key(jwk, 'new') FROM held WHERE name = '$_'; SELECT jwt.verify(jwt.sign($claims, 'new'))$sub", "new\nbob" ]) } qw(RSA EC OKP oct)),
	'RSA without primes' => [ "SELECT jwt.verify_with(jwt.sign_with($claims, jwk - '{p,q,dp,dq,qi}'::text[]), jwk)$sub FROM held WHERE name = 'RSA'", 'bob' ],
	'import by URI' => [ "SELECT jwt.add_key_uri('file:$build/uri.pem', 'ES384', 'new'); SELECT jwt.verify(jwt.sign($claims, 'new'))$sub", "new\nbob" ],
	(map { ("generate $_" => [ "SELECT jwt.generate_key('$_', 'new'); SELECT jwt.verify(jwt.sign($claims, 'new'))$sub", "new\nbob" ]) } qw(HS256 ES256 EdDSA RS256)),
	'forged ES384' => [ "SELECT jwt.verify(forged) FROM token WHERE alg = 'ES384'", 'ERROR:  28J03' ],
	'expired' => [ "SELECT jwt.verify(good, as_of => '2100-01-01') FROM token WHERE alg = 'ES256'", 'ERROR:  28J01' ],
	'try_verify' => [ "SELECT valid, claims$sub FROM token, jwt.try_verify(forged) WHERE alg = 'ES256'", 'f|' ],
	'try_verify good' => [ "SELECT valid, claims$sub FROM token, jwt.try_verify(good) WHERE alg = 'ES256'", 't|bob' ],
	'introspect' => [ "SELECT jwt.introspect(good)->>'active' FROM token WHERE alg = 'ES256'", 'true' ],
	'renew' => [ "SELECT jwt.verify(jwt.renew(good))$sub FROM token WHERE alg = 'ES256'", 'bob' ],
	'sign_with PS256' => [ "SELECT jwt.verify_with(jwt.sign_with($claims, jwk || '{\"alg\":\"PS256\"}'), jwk - 'alg', algorithms => '{PS256}')$sub FROM held WHERE name = 'RSA'", 'bob' ],
	'decode' => [ "SELECT (jwt.decode_unverified(forged)).claims$sub FROM token WHERE alg = 'ES256'", 'eve' ],
	'jws' => [ "SELECT jwt.jws_verify(jwt.jws_sign('\\x00ff', jwk), jwk) FROM held WHERE name = 'EC'", '\\x00ff' ],
	'thumbprint' => [ "SELECT jwt.jwk_thumbprint(jwk) = jwt.jwk_thumbprint(jwk - 'd') FROM held WHERE name = 'EC'", 't' ],
	'jwks' => [ "SELECT bool_and(k ? 'x' OR k ? 'n' AND k ? 'e'), count(*) FROM jsonb_array_elements(jwt.jwks()->'keys') k", 't|4' ],
	'rotate' => [ "SELECT FROM jwt.rotate_key('ES256') \\g /dev/null\nSELECT jwt.verify(jwt.sign($claims))$sub", 'bob' ],
	'status' => [ "SELECT jwt.set_key_status('ES256', 'previous'); SELECT status FROM jwt.keys WHERE kid = 'ES256'", "\nprevious" ],
	'drop' => [ "SELECT jwt.drop_key('ES256'); SELECT count(*) FROM jwt.keys WHERE kid = 'ES256'", "\n0" ],
	'issuer' => [ "SELECT jwt.trust_issuer('https://issuer.example', '{us}', subject_prefix => 'x:'); SELECT jwt.verify(good)$sub FROM theirs", "\nbob" ],
	'import_jwks' => [ "SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_agg(jwk - '{d,p,q,dp,dq,qi}'::text[] || jsonb_build_object('kid', name))), 'https://issuer.example') FROM held WHERE jwk ? 'd'", 3 ],
	'session' => [ "SELECT jwt.verify(jwt.refresh(jwt.open_session('bob')->>'refresh_token')->>'access_token')$sub", 'bob' ],
	'hook' => [ "SET LOCAL jwt_auth.claims_hook = 'public.hook'; SELECT jwt.verify(jwt.open_session('bob')->>'access_token')->>'hooked'", 't' ],
	'role of another' => [ "SELECT jwt.trust_issuer('https://issuer.example', '{us}', subject_prefix => 'x:', role_claim => '\$.groups[*]', allowed_roles => '{web}', default_role => 'web'); SELECT jwt.authenticate(good)$sub FROM theirs; SELECT current_user", "\nbob\nweb" ],
	'close' => [ "SELECT FROM jwt.open_session('bob') \\g /dev/null\nSELECT jwt.close_sessions('bob')", 1 ],
	'revoke' => [ "SELECT jwt.revoke(good) FROM token WHERE alg = 'ES256'; SELECT jwt.verify(good) FROM token WHERE alg = 'ES256'", "t\nERROR:  28J09" ],
	'revoke forged' => [ "SELECT jwt.revoke(forged) FROM token WHERE alg = 'ES256'", 'f' ],
	'revoke_subject' => [ "SELECT jwt.revoke_subject('bob'); SELECT jwt.verify(good) FROM token WHERE alg = 'ES256'", "0\nERROR:  28J09" ],
	'purge' => [ "SELECT jwt.purge()", 0 ],
	'identity' => [ "SELECT FROM set_config('jwt_auth.token', (SELECT good FROM token WHERE alg = 'ES256'), true) \\g /dev/null\nSELECT jwt.subject(), jwt.claim('sub'), jwt.uid(), jwt.has_scope('x'), jwt.claims()$sub", 'bob|bob||f|bob' ],
	'authenticate' => [ "SELECT jwt.authenticate(jwt.sign('{\"sub\":\"bob\",\"role\":\"web\"}'))$sub; SELECT owner FROM notes", "bob\nbob" ],
	'explain_access' => [ "SELECT FROM jwt.impersonate('{\"sub\":\"bob\"}', 'web') \\g /dev/null\nRESET role; SELECT count(*) FROM jwt.explain_access('notes')", 1 ],
	'reseal' => [ "SELECT jwt.reseal() IS NOT NULL; SELECT jwt.verify(jwt.sign($claims, 'ES256'))$sub", "t\nbob" ],
	'pgjwt' => [ "SELECT valid FROM public.verify(public.sign('{}', 'secret'), 'secret')", 't' ],
	'pgjwt forged' => [ "SELECT valid FROM public.verify(public.sign('{}', 'secret'), 'other')", 'f' ],
	'pgjwt bytes' => [ "SELECT public.url_decode('-w=='), public.url_encode('\\xfb')", '\\xfb|-w' ],
	'self_test' => [ "SELECT bool_and(works), count(*) > 15 FROM jwt.self_test()", 't|t' ],
	'stats' => [ "SELECT jwt.verify(good)$sub, jwt.verify(jwt.sign($claims, 'RS256'))$sub FROM token WHERE alg = 'ES256'; SELECT count(*) FROM jwt.stats_rows() WHERE kid = 'ES256'", "bob|bob\n1" ],
	'library' => [ "SELECT fips FROM jwt.library_info()", 'f' ]);

# A session in which functions can fail.
sub fault_session
{
	my $made = session($node, user => 'postgres');
	$made->ask("LOAD '$build/fault';");
	return $made;
}

my $session = fault_session();
my $pid = $session->ask('SELECT pg_backend_pid();');
my ($hit, $grown, $malloced, %failed_at, @problems) = (0, 0, 0);

# The answer to an operation in which that fails, if anything.  Sets $hit, if
# it did, and $grown, the bytes that the process has more than after the last.
sub answer
{
	my ($operation, $function, $n) = @_;

	$session->send("BEGIN;\nSET LOCAL jwt_auth.min_rsa_bits = 2047;\nSELECT FROM forget_keys() \\g /dev/null\n"
		. "SELECT FROM fault_arm('$function', $n) \\g /dev/null\n$operation->[0];\n");
	my $said = $session->wait;
	($hit, my $now) = split /\|/, $session->ask('ROLLBACK; SELECT fault_hit(), fault_malloced();');
	($grown, $malloced) = ($now - $malloced, $now);
	return $said;
}

# Much is made once and kept, and a cache of 16 fills; what is left behind each
# time is a leak.
sub leaks
{
	foreach (1 .. 20)
	{
		return 0 if $grown <= 0;
		answer(@_);
	}
	return $grown > 0;
}

# What may be said where a function failed.  A failure inside libcrypto may be
# made good there, and is then none; what was forged stays refused, whatever
# the reason.
sub is_good
{
	my ($name, $function, $said, $right) = @_;
	my $error = is_crypto($function) ? qr/ERROR:  (?:XX00[01]|0A000|22023|28J03|28J04|55000)/ : qr/ERROR:  53200/;

	return 1 if $said eq $right;
	return 0 if $said =~ /eve/ && $name ne 'decode';
	return 1 if $said =~ /^(?:[\w|]*\n)?$error(?:\nERROR:  25P02)*$/;
	# No error, but a verdict; a key that libcrypto does not make, or does not
	# find the signature good of, is none.
	return is_crypto($function) && ($said =~ s/\n\{.*//sr) eq ({ 'try_verify' => 'f|', 'try_verify good' => 'f|', 'self_test' => 'f|t', 'introspect' => 'false',
		'import_jwks' => "NOTICE:  00000\n2", 'revoke' => $function =~ /^(?:EVP_PKEY|EVP_MD_fetch|OSSL_PARAM)/ ? 'f' : '-' }->{$name} // '-');
}

# What a session has called since it was armed: name => calls
sub calls
{
	return map { split /\|/ } split /\n/,
	  $session->ask("SELECT name, fault_calls(name) FROM unnest('{@{[ join ',', @functions ]}}'::text[]) name WHERE fault_calls(name) > 0;");
}

sub try_all
{
	my ($name) = @_;
	my $operation = $operations{$name};
	my $right = $operation->[1];
	my $said = answer($operation, '', 0);
	my %calls = calls();
	my $limit = $name eq 'self_test' ? 1 : $most;
	my $hits = 0;

	push @problems, "$name: $said" if $said ne $right;
	foreach my $function (sort keys %calls)
	{
		foreach my $n (1 .. ($calls{$function} < $limit ? $calls{$function} : $limit))
		{
			$said = answer($operation, $function, $n);
			# What is made once a session may take its calls along.
			next unless $hit eq 't';
			$hits++;
			$failed_at{$function}++;
			push @problems, "$name, call $n of $function failed: $said" unless is_good($name, $function, $said, $right);
			push @problems, "$name, call $n of $function failed: left $grown bytes" if leaks($operation, $function, $n);
		}
	}
	$said = answer($operation, '', 0);
	push @problems, "$name, afterwards: $said" if $said ne $right;
	push @problems, "$name, afterwards: left $grown bytes" if leaks($operation, '', 0);
	return $hits;
}

# These make an RSA key each time.
my %slow = map { $_ => delete $operations{$_} } 'self_test', 'generate RS256';
%operations = (%operations, %slow) if $most > 1;
my $hits = 0;
$hits += try_all($_) foreach sort keys %operations;
%operations = (%operations, %slow);
is($session->ask('SELECT pg_backend_pid();'), $pid, 'in one backend that lives');

# No randomness: an error that says so, wherever it is needed.
foreach my $what ("SELECT jwt.generate_key('HS256', 'r')", "SELECT jwt.open_session('bob')", "SELECT jwt.import_key(jwk, 'r') FROM held WHERE name = 'EC'")
{
	like($session->ask("SELECT FROM fault_arm('RAND_priv_bytes', 1) \\g /dev/null\n\\set VERBOSITY default\n$what;\n\\set VERBOSITY sqlstate"),
		qr/^ERROR:  could not generate random bytes$/, "no randomness: $what");
}
is($session->ask("SELECT count(*) FROM jwt.keys WHERE kid = 'r'; SELECT count(*) FROM jwt.sessions;"), "0\n0", 'and nothing was made');
$session->quit;

# What a session calls once, or nothing else calls: in new ones.
foreach my $name ('session', 'authenticate', 'generate RS256')
{
	my $operation = $operations{$name};

	$session = fault_session();
	answer($operation, '', 0);
	my %calls = calls();
	$session->quit;
	foreach my $function (grep { $calls{$_} } @functions)
	{
		next if $failed_at{$function};
		$session = fault_session();
		my $said = answer($operation, $function, 1);
		$hits++, $failed_at{$function}++ if $hit eq 't';
		push @problems, "$name, first call of $function failed: $said" unless is_good($name, $function, $said, $operation->[1]);
		$said = answer($operation, '', 0);
		push @problems, "$name, after the first call of $function failed: $said" if $said ne $operation->[1];
		$session->quit;
	}
}

is(join("\n", @problems), '', 'the right answer or an error, and nothing left behind');
cmp_ok($hits, '>', 1000, "$hits failures");
# These are called where another one has failed, or for keys in hardware.
my %seldom = map { $_ => 1 } qw(EC_GROUP_new_by_curve_name EVP_PKEY_todata OSSL_PARAM_get_octet_string_ptr);
is(join(' ', grep { !$failed_at{$_} && !$seldom{$_} } @functions), '', @functions . ' functions, and each failed');

note("proof server-faults: $hits failures in a server, of " . keys(%failed_at) . " functions, nothing left behind");
$node->stop;
done_testing();
