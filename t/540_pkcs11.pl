# Private keys in a token of PKCS#11, SoftHSM's, which OpenSSL opens by
# pkcs11-provider: the server signs with them, each backend for itself, others
# verify that, and the PIN is seen nowhere.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use MIME::Base64 'decode_base64url';
use PostgreSQL::Test::Utils;
use Test::More;

my $pin = '8643197502';
my $module = '/usr/lib/softhsm/libsofthsm2.so';
my ($provider) = map { "$_/pkcs11.so" } `openssl version -m 2>/dev/null` =~ /^MODULESDIR: "(.*)"/m;

plan skip_all => 'SoftHSM is not installed (softhsm2)'
  unless -e $module && system('softhsm2-util --version >/dev/null 2>&1') == 0;
plan skip_all => "OpenSSL has no provider for PKCS#11 (pkcs11-provider)"
  unless defined $provider && -e $provider;

my $dir = PostgreSQL::Test::Utils::tempdir();
my ($old_conf, $old_module) = @ENV{qw(OPENSSL_CONF SOFTHSM2_CONF)};

# A token with two keys, made in the clear so that there is something to
# compare with.
mkdir "$dir/tokens" or die $!;
append_to_file("$dir/softhsm2.conf", "directories.tokendir = $dir/tokens\nobjectstore.backend = file\n");
append_to_file("$dir/openssl.cnf", <<CONF);
openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
pkcs11 = pkcs11_sect
[default_sect]
activate = 1
[pkcs11_sect]
pkcs11-module-path = $module
pkcs11-module-quirks = no-deinit
activate = 1
CONF
$ENV{SOFTHSM2_CONF} = "$dir/softhsm2.conf";
run_log([ qw(softhsm2-util --init-token --free --label app --pin), $pin, '--so-pin', '1' . $pin ]);
run_log([ qw(openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out), "$dir/ec.pem" ]);
run_log([ qw(openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out), "$dir/rsa.pem" ]);
my $number = 0;
foreach my $key (qw(ec rsa))
{
	$number++;
	run_log([ 'softhsm2-util', '--import', "$dir/$key.pem", qw(--token app --label), $key, '--id', "0$number", '--pin', $pin ]);
	run_log([ qw(openssl pkey -in), "$dir/$key.pem", '-pubout', '-out', "$dir/$key.pub" ]);
}

# The PIN may stand in a statement, which is its sender's to keep out of logs.
$ENV{OPENSSL_CONF} = "$dir/openssl.cnf";
my $node = start_node('pkcs11', "log_statement = none\nlog_min_error_statement = panic\nsession_preload_libraries = 'jwt_auth'");

$node->safe_psql('postgres', q{SELECT jwt.generate_key('EdDSA', 'own')});

# uri(OBJECT, QUERY)
sub uri
{
	my ($object, $query) = @_;
	return "pkcs11:token=app;object=$object" . ($query // "?pin-value=$pin");
}

# verified(TOKEN, KEY): does the openssl program, which has no part in it, find
# the signature right?
sub verified
{
	my ($token, $key) = @_;
	my ($input, $signature) = $token =~ /^([^.]+\.[^.]+)\.([^.]+)$/ or return 'no token';

	$signature = decode_base64url($signature);
	if ($key eq 'ec')
	{
		# RFC 7518, Sec. 3.4: r and s; to openssl a SEQUENCE of INTEGERs
		my @numbers = map { s/^\0+(?!\z)//r } unpack('a32 a32', $signature);
		@numbers = map { ord($_) >= 128 ? "\0$_" : $_ } @numbers;
		my $body = join '', map { "\x02" . chr(length) . $_ } @numbers;
		$signature = "\x30" . chr(length $body) . $body;
	}
	foreach my $file ([ 'input', $input ], [ 'signature', $signature ])
	{
		open my $out, '>:raw', "$dir/$file->[0]" or die $!;
		print $out $file->[1];
		close $out or die $!;
	}
	my $said = `openssl dgst -sha256 -verify $dir/$key.pub -signature $dir/signature $dir/input 2>&1`;
	return $said =~ /^Verified OK/m ? 'ok' : $said;
}

# The published key, and what of it the openssl program reads in its own file.
sub published
{
	my ($kid, $member) = @_;
	return unpack('H*', decode_base64url($node->safe_psql('postgres', "SELECT k->>'$member' FROM jsonb_array_elements(jwt.jwks()->'keys') k WHERE k->>'kid' = '$kid'")));
}

my $text = `openssl pkey -pubin -in $dir/ec.pub -noout -text`;
my ($point) = $text =~ /pub:\s*([0-9a-f:\s]+)/;
$point =~ s/[^0-9a-f]//g;
my ($modulus) = `openssl rsa -pubin -in $dir/rsa.pub -noout -modulus` =~ /Modulus=([0-9A-F]+)/;

foreach my $case ([ 'ec', 'ES256' ], [ 'rsa', 'RS256' ], [ 'rsa', 'PS256' ])
{
	my ($key, $alg) = @$case;
	my $kid = lc "$key-$alg";
	my $added = ask($node, "SELECT jwt.add_key_uri('" . uri($key) . "', '$alg', '$kid')", user => 'postgres', verbosity => 'verbose');
	is($added, $kid, "$alg: a key of the token is added") or diag($added);
	my $token = ask($node, "SELECT jwt.sign('{\"sub\":\"42\"}', '$kid')", user => 'postgres');
	is(ask($node, "SELECT jwt.verify('$token')->>'sub'", user => 'postgres'), '42', "$alg: it signs, and the stored half verifies");
	is(verified($token, $key), 'ok', "$alg: openssl finds it right") if $alg ne 'PS256';
	is(ask($node, "SELECT secret IS NULL, public_jwk ? 'd' FROM jwt.key_store WHERE kid = '$kid'", user => 'postgres'), 't|f', "$alg: its private half is not stored");
}
is(published('ec-es256', 'x') . published('ec-es256', 'y'), substr($point, 2), 'what is published is the public half in the token: P-256');
is(uc published('rsa-rs256', 'n'), $modulus, 'and RSA');

# Each backend opens it for itself, one that signs with a key of ours too, and
# so do those after a crash and a restart.
my @sessions = map { session($node, user => 'postgres') } 1 .. 3;
foreach my $round (1 .. 2)
{
	is(join(' ', map { $_->ask(q{SELECT (jwt.verify(jwt.sign('{"sub":"a"}', 'ec-es256')) || jwt.verify(jwt.sign('{"sub":"b"}', 'rsa-rs256')) || jwt.verify(jwt.sign('{"sub":"c"}', 'own')))->>'sub';}) } @sessions),
		'c c c', "several sessions sign, round $round");
}
is($sessions[0]->ask(q{SELECT count(DISTINCT jwt.sign('{"sub":"a"}', 'ec-es256')) FROM generate_series(1, 200);}), '200', 'one session often');
$_->quit foreach @sessions;
$node->restart;
is(ask($node, q{SELECT jwt.verify(jwt.sign('{"sub":"42"}', 'ec-es256'))->>'sub'}, user => 'postgres'), '42', 'after a restart');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'jwt_auth'");
$node->restart;
is(ask($node, qq{SELECT jwt.verify(jwt.sign('{"sub":"42"}', '$_'))->>'sub'}, user => 'postgres'), '42', "preloaded: $_") foreach qw(ec-es256 rsa-rs256 own);

# What is not there, and who may not open it.
my $place = qr/^ERROR:  55000: could not open private key at its URI$/m;
my @wrong = (
	[ 'no such object', uri('none'), qr/No private key is there/ ],
	[ 'no such token', "pkcs11:token=none;object=ec?pin-value=$pin", qr/No private key is there|Nothing can be opened/ ],
	[ 'the wrong PIN', uri('ec', '?pin-value=1111222233'), qr/No private key is there, or its URI brings the wrong PIN/ ],
	[ 'no PIN', uri('ec', ''), qr/wants a passphrase or PIN|No private key is there/ ]);
foreach my $case (@wrong)
{
	my ($what, $uri, $detail) = @$case;
	my $said = ask($node, "SELECT jwt.add_key_uri('$uri', kid => 'no')", user => 'postgres', verbosity => 'verbose');
	like($said, $place, "$what: refused");
	like($said, $detail, "$what: and why");
	unlike($said, qr/pin-value|1111222233|$pin/, "$what: no PIN in the message");
}
like(ask($node, "SELECT jwt.add_key_uri('" . uri('ec') . "', 'ES384', 'no')", user => 'postgres', verbosity => 'verbose'), qr/22023: invalid key/, 'an algorithm that the key does not go with');
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; GRANT EXECUTE ON FUNCTION jwt.add_key_uri(text, text, text, text) TO app; GRANT pg_read_server_files TO app');
is(ask($node, "SELECT jwt.add_key_uri('" . uri('ec') . "', kid => 'no')"), 'ERROR:  42501', 'a scheme that loads a provider is for superusers');

# The PIN is in the table, which nobody reads, and nowhere else.
is($node->safe_psql('postgres', "SELECT count(*) FROM jwt.key_store WHERE key_uri LIKE '%$pin%'"), '3', 'the table holds the PIN');
my $views = join "\n", map { $node->safe_psql('postgres', "SELECT v FROM $_ v") } qw(jwt.keys jwt.events jwt.check() jwt.key_advice() jwt.advise());
like($views, qr/pkcs11:token=app;object=ec/, 'a view shows where the key is');
unlike($views, qr/$pin/, 'and no view its PIN');
unlike(slurp_file($node->logfile), qr/$pin|1111222233/, 'nor the log');

# The token goes while the key is in use: what was opened may go on, what was
# not may not, and other keys sign.
rename "$dir/tokens", "$dir/gone" or die $!;
like(ask($node, q{SELECT jwt.sign('{"sub":"42"}', 'ec-es256')}, user => 'postgres', verbosity => 'verbose'), $place, 'without the token it does not sign');
is(ask($node, q{SELECT jwt.verify(jwt.sign('{"sub":"42"}', 'own'))->>'sub'}, user => 'postgres'), '42', 'other keys do');
rename "$dir/gone", "$dir/tokens" or die $!;
is(ask($node, q{SELECT jwt.verify(jwt.sign('{"sub":"42"}', 'ec-es256'))->>'sub'}, user => 'postgres'), '42', 'with it again it signs');

$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'no backend has crashed');
done_testing();
