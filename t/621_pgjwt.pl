# jwt_auth_pgjwt answers as pgjwt 0.2.0 does: the 23 things that pgjwt's own
# tests look at, in words of ours.
#
# Where pgTAP is installed and PGJWT_DIR is a checkout of pgjwt, its test file
# itself runs too.  In it "CREATE EXTENSION pgjwt" becomes ours, and the words
# of the two errors that it quotes.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('pgjwt', '', without_extension => 1);
$node->safe_psql('postgres', 'CREATE EXTENSION jwt_auth; CREATE EXTENSION jwt_auth_pgjwt');

# The answer to an expression or a query, or "ERROR:  " and the SQLSTATE.
sub answer { my ($sql) = @_; return ask($node, $sql =~ /^SELECT/ ? $sql : "SELECT $sql", user => 'postgres'); }

# A well-known token: its payload, and its parts as made with "secret".
my $payload = '{"sub":"1234567890","name":"John Doe","admin":true}';
my $encoded = 'eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiYWRtaW4iOnRydWV9';
my %token = (
	HS256 => "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.$encoded.TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
	HS384 => "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.$encoded.DtVnCyiYCsCbg8gUP-579IC2GJ7P3CtFw6nfTTPw-0lZUzqgWAo9QIQElyxOpoRm",
	HS512 => "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.$encoded.YI0rUGDq5XdRw8vW2sDLRNFMN8Waol03iSFH8I4iLzuYK7FKHaQYWzPt0BJFGrAmKJ6SjY0mJIMZqNQJFVpkuw");

# What verify() says of a token: header, payload, valid.
sub verdict
{
	my ($token, @how) = @_;
	return answer("SELECT * FROM verify('$token', " . join(', ', map { "'$_'" } @how) . ')');
}

# 1: an algorithm that is not named is HS256; 2, 9, 12: the same bytes
is(answer("sign('$payload', 'secret')"), $token{HS256}, 'signs with HS256 by default');
is(answer("sign('$payload', 'secret', '$_')"), $token{$_}, "signs with $_") foreach sort keys %token;

# 3, 4: what is no algorithm
is(answer("sign('$payload', 'secret', 'bogus')"), 'ERROR:  22023', 'signs with no other');
is(verdict($token{HS256}, 'secret', 'bogus'), 'ERROR:  22023', 'nor verifies');

# 5, 6: what does not decode to JSON is an error, and no verdict
like(verdict($token{HS256} =~ s/NiIsInR5/NiIBOGUScC/r, 'secret', 'HS256'), qr/^ERROR:  22/, 'a header that is not JSON');
like(verdict($token{HS256} =~ s/aG4gRG/aBOGUS/r, 'secret', 'HS256'), qr/^ERROR:  22/, 'a payload that is not JSON');

# 7, 8, 10, 11, 13, 14: header and payload as they stand, whatever the verdict
foreach my $alg (sort keys %token)
{
	my $said = "{\"alg\":\"$alg\",\"typ\":\"JWT\"}|$payload";
	my @how = $alg eq 'HS256' ? () : $alg;
	is(verdict($token{$alg}, 'secret', @how), "$said|t", "verifies $alg");
	is(verdict($token{$alg}, 'badsecret', @how), "$said|f", "not with another secret: $alg");
}

# 15, 16: times that are no numbers are no limits (unless it is strict)
my $header = '{"alg":"HS512","typ":"JWT"}';
is(verdict('eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJuYmYiOiJuby1kb3VibGUifQ.6TDHvMKq3Z67KaexRMuhoQ20sYSj9jConcUCO3g2bGyHXACq-FPkJIRAsy1xX90fWKieIAW_tz-4bbFLwwOTPg', 'secret', 'HS512'),
	"$header|{\"nbf\":\"no-double\"}|t", 'nbf that is no number');
is(verdict('eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJleHAiOiI3NXoifQ.nfXYiSNNdYNsLrQp5Zry9p0xDCh_CkMSY1dOdqDCLc1YrDxrItwEmZIlTi3BBO8_9OCameSKMyGysYGDCNoaRg', 'secret', 'HS512'),
	"$header|{\"exp\":\"75z\"}|t", 'exp that is no number');

# 17 to 23: limits, in seconds from the beginning of the transaction
foreach my $case (
	[ { nbf => 1 }, 'f', 'before nbf' ], [ { nbf => -1 }, 't', 'after nbf' ],
	[ { exp => -1 }, 'f', 'after exp' ], [ { exp => 1 }, 't', 'before exp' ],
	[ { nbf => -3, exp => -1 }, 'f', 'outside of nbf and exp' ], [ { nbf => -3, exp => 3 }, 't', 'between nbf and exp' ])
{
	my ($limits, $valid, $name) = @$case;
	my $claims = join ', ', map { "'$_', extract(epoch FROM current_timestamp) + $limits->{$_}" } sort keys %$limits;
	is(answer("(verify(sign(json_build_object($claims), 'secret', 'HS512'), 'secret', 'HS512')).valid"), $valid, $name);
}

SKIP:
{
	skip 'PGJWT_DIR does not point to a checkout of pgjwt', 1 unless $ENV{PGJWT_DIR} && -r "$ENV{PGJWT_DIR}/test.sql";
	skip 'pgTAP is not installed', 1 unless $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgtap'");
	skip 'pgcrypto is not installed', 1 unless $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgcrypto'");
	my $theirs = slurp_file("$ENV{PGJWT_DIR}/test.sql");
	my ($count) = $theirs =~ /\bplan\((\d+)\)/;

	$theirs =~ s/^CREATE EXTENSION pgjwt;/CREATE EXTENSION jwt_auth; CREATE EXTENSION jwt_auth_pgjwt;/m or die 'no such line';
	my ($message) = ask($node, "SELECT sign('{}', 'x', 'bogus')", user => 'postgres', verbosity => 'default') =~ /^ERROR:  (.*)/;
	my $words = $theirs =~ s/'Cannot use "": No such hash algorithm'/\$m\$$message\$m\$/g;
	is($words, 2, 'two errors are quoted');
	$node->safe_psql('postgres', 'CREATE DATABASE theirs');
	my $said = ask($node, $theirs, user => 'postgres', db => 'dbname=theirs', verbosity => 'default');
	is(scalar(() = $said =~ /^ok /mg), $count, "$count tests of pgjwt pass");
	unlike($said, qr/^not ok|ERROR:/m, 'and none fails') or diag($said);
}

$node->stop;
done_testing();
