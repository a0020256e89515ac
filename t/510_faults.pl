# libcrypto fails under a server: each of these functions at its first calls,
# in every operation.  An answer is the right one or an error that says so;
# never a token believed, never a key half made; and the next answer is right.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $shim = PostgreSQL::Test::Utils::tempdir() . '/shim.so';
plan skip_all => 'no C compiler'
  if system("cc -shared -fPIC -w -o $shim $FindBin::Bin/lib/fault_shim.c >/dev/null 2>&1") != 0;

my $file = PostgreSQL::Test::Utils::tempdir() . '/order';
append_to_file($file, "\0" x 64);
append_to_file("$file.key", "0123456789abcdef0123456789abcdef\n");
chmod 0600, "$file.key" or die $!;
my $node;
{
	local $ENV{LD_PRELOAD} = join ':', grep { defined } $ENV{LD_PRELOAD}, $shim;
	local $ENV{JWT_AUTH_FAULT_FILE} = $file;
	$node = start_node('faults', "jwt_auth.encryption_key_file = '$file.key'\n"
		. "session_preload_libraries = 'jwt_auth'\n", without_extension => 1);
}
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key(alg, alg) FROM unnest('{RS256,HS256,EdDSA,ES256}'::text[]) alg;
CREATE TABLE good AS SELECT alg, jwt.sign('{"sub":"bob"}', alg, '1 day') AS token FROM unnest('{RS256,HS256,EdDSA,ES256}'::text[]) alg;
CREATE TABLE forged AS SELECT alg, regexp_replace(token, '\.[^.]*\.', '.' || rtrim(translate(encode('{"sub":"eve","exp":4000000000}', 'base64'), '+/', '-_'), '=') || '.') AS token FROM good;
CREATE TABLE held (jwk jsonb, pem text);
INSERT INTO held SELECT jwk, jwt.jwk_to_pem(jwk) FROM (SELECT '{"kty":"EC","crv":"P-256","d":"E2sJCNO3n_XnUuv6SkpvUG6g8YZp47Hf_P9-vVXGESc","x":"J2F6J-J6tkaZPgtK1Zf1cacrgAaMl16VeWlfpBLHBz0","y":"vn5G1QodFvYllX20V_0yA3krnJtRFD-hk7d7PlkDgcI"}'::jsonb) j (jwk);
CREATE FUNCTION forget_keys() RETURNS void LANGUAGE sql AS $$UPDATE jwt.key_store SET status = status$$;
SQL

# Each in a transaction that is rolled back, all keys forgotten before.
my %operations = (
	(map { ("verify $_" => [ "SELECT jwt.verify(token)->>'sub' FROM good WHERE alg = '$_'", 'bob' ]) } qw(RS256 HS256 EdDSA ES256)),
	(map { ("forged $_" => [ "SELECT jwt.verify(token)->>'sub' FROM forged WHERE alg = '$_'", 'ERROR:  28J03' ]) } qw(RS256 HS256 EdDSA ES256)),
	(map { ("sign $_" => [ "SELECT jwt.verify(jwt.sign('{\"sub\":\"bob\"}', '$_'))->>'sub'", 'bob' ]) } qw(RS256 HS256 EdDSA ES256)),
	'try_verify' => [ "SELECT valid, claims->>'sub' FROM forged, jwt.try_verify(token) WHERE alg = 'ES256'", 'f|' ],
	'sign_with' => [ "SELECT jwt.verify_with(jwt.sign_with('{\"sub\":\"bob\"}', jwk), jwk)->>'sub' FROM held", 'bob' ],
	'PEM' => [ "SELECT jwt.jwk_from_pem(pem) @> jwk FROM held", 't' ],
	'to PEM' => [ "SELECT jwt.jwk_to_pem(jwk) = pem FROM held", 't' ],
	'thumbprint' => [ "SELECT jwt.jwk_thumbprint(jwk) FROM held", 'f5XlGaHYCzxJ6Kd2v_zeF8kTK2mQRqTtHXfFrD6VQbs' ],
	'jwks' => [ "SELECT bool_and(k ? 'x' OR k ? 'n' AND k ? 'e'), count(*) FROM jsonb_array_elements(jwt.jwks()->'keys') k", 't|3' ],
	'import' => [ "SELECT jwt.import_key(jwk, 'new') FROM held; SELECT jwt.verify_with(jwt.sign('{\"sub\":\"bob\"}', 'new'), jwk)->>'sub' FROM held", "new\nbob" ],
	'generate HS256' => [ "SELECT jwt.generate_key('HS256', 'new'); SELECT jwt.verify(jwt.sign('{\"sub\":\"bob\"}', 'new'))->>'sub'", "new\nbob" ],
	'generate ES256' => [ "SELECT jwt.generate_key('ES256', 'new'); SELECT jwt.verify(jwt.sign('{\"sub\":\"bob\"}', 'new'))->>'sub'", "new\nbob" ],
	'session' => [ "SELECT jwt.verify(jwt.refresh(jwt.open_session('bob')->>'refresh_token')->>'access_token')->>'sub'", 'bob' ],
	'identity' => [ "SELECT FROM set_config('jwt_auth.token', (SELECT token FROM good WHERE alg = 'ES256'), true) \\g /dev/null\nSELECT jwt.subject()", 'bob' ],
	'reseal' => [ "SELECT jwt.reseal() IS NOT NULL; SELECT jwt.verify(jwt.sign('{\"sub\":\"bob\"}', 'ES256'))->>'sub'", "t\nbob" ]);
$operations{thumbprint}[1] = $node->safe_psql('postgres', 'SELECT jwt.jwk_thumbprint(jwk) FROM held');

my @functions = qw(RAND_priv_bytes EVP_MD_fetch EVP_MAC_fetch EVP_MAC_init EVP_MAC_final EVP_DigestFinal_ex
  EVP_MD_CTX_new EVP_PKEY_sign EVP_PKEY_verify EVP_DigestSign EVP_DigestVerify EVP_PKEY_fromdata EVP_PKEY_get_bn_param
  EVP_CipherFinal_ex OSSL_ENCODER_to_data EVP_Q_digest CRYPTO_zalloc);

my $session = session($node, user => 'postgres');
my $pid = $session->ask('SELECT pg_backend_pid();');
my ($hits, $hit, %failed_at) = (0, 0);

# What the order file says.
sub order
{
	my ($countdown, $name) = @_;
	open(my $out, '+<', $file) or die "$file: $!";
	binmode $out;
	syswrite $out, pack('l l l Z52', $countdown ? $pid : 0, $countdown, 0, $name);
	close $out;
	return;
}

# An answer; $hit says whether something failed on the way.
sub answer
{
	my ($sql) = @_;
	my $said = $session->ask("BEGIN; SELECT FROM forget_keys() \\g /dev/null\n$sql;");
	$hit = unpack('x8 l', slurp_file($file));
	order(0, '');
	my $rolled_back = $session->ask('ROLLBACK;');
	return $said . $rolled_back;
}

my @problems;
foreach my $name (sort keys %operations)
{
	my ($sql, $right) = @{ $operations{$name} };
	my $said = answer($sql);
	push @problems, "$name: $said" if $said ne $right;
	foreach my $function (@functions)
	{
		foreach my $n (1 .. ($ENV{JWT_AUTH_FAULT_CALLS} // 4))
		{
			order($n, $function);
			my $said = answer($sql);
			last unless $hit;
			$hits++;
			$failed_at{$function}++;
			# A failure inside libcrypto may be made good there, and is then none;
			# what was forged stays refused, whatever the reason.
			my $error = qr/ERROR:  (?:XX00[01]|0A000|22023|28J03|28J04)(?:\nERROR:  25P02)*$/;
			my $good = $said eq $right || ($name =~ /^try/ ? $said =~ /^f\|$|^$error/ : $said =~ /^(?:\w+\n)?$error/);
			push @problems, "$name, call $n of $function failed: $said" unless $good && $said !~ /eve/;
		}
	}
	$said = answer($sql);
	push @problems, "$name, afterwards: $said" if $said ne $right;
}
is(join("\n", @problems), '', 'the right answer or an error');
cmp_ok($hits, '>', 100, "$hits failures");
is(join(' ', grep { !$failed_at{$_} } @functions), '', 'each function failed');
is($session->ask('SELECT pg_backend_pid();'), $pid, 'in one backend that lives');

# No randomness: an error that says so, wherever it is needed.
foreach my $what ("SELECT jwt.generate_key('HS256', 'r')", "SELECT jwt.open_session('bob')", "SELECT jwt.import_key(jwk, 'r') FROM held")
{
	order(1, 'RAND_priv_bytes');
	like($session->ask("\\set VERBOSITY default\n$what;\n\\set VERBOSITY sqlstate"), qr/^ERROR:  could not generate random bytes$/, "no randomness: $what");
}
order(0, '');
is($session->ask("SELECT count(*) FROM jwt.keys WHERE kid = 'r'; SELECT count(*) FROM jwt.sessions;"), "0\n0", 'and nothing was made');

note("proof server-faults: $hits failures in a server");
$session->quit;
$node->stop;
done_testing();
