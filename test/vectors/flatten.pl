# flatten.pl FILE...: the vectors as lines "name value" for test/unit, which
# has no JSON parser.  A vector ends with a line "end".
#
# What src/core can judge is the token's shape, the signature's spelling, the
# key and the signature.  "core 1" says that the verdict is decided there;
# else a valid vector must still be valid, but an invalid one may pass.

use strict;
use warnings;

use B ();
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);

my @members = qw(kty crv alg use k n e x y d p q dp dq qi);

# What the tags say that JSON, or the caller of the core, refuses.
my $above = qr/^(?:header|payload|json|duplicate|crit|utf8|time|claim|encoding|jwks|alg-string|none)$/;

# A JWK's lines; false if it is for JSON to refuse.
sub key_lines
{
	my ($jwk) = @_;
	my $text = '';

	foreach my $name (grep { exists $jwk->{$_} } @members)
	{
		return if !defined $jwk->{$name} || ref $jwk->{$name} || B::svref_2object(\$jwk->{$name})->FLAGS & (B::SVf_IOK | B::SVf_NOK);
		$text .= "key.$name $jwk->{$name}\n";
	}
	return if exists $jwk->{oth};
	if (exists $jwk->{key_ops})
	{
		my $ops = $jwk->{key_ops};
		my %bit = (sign => 1, verify => 2);
		my $bits = 0;
		return if ref $ops ne 'ARRAY';
		foreach my $op (@$ops) { return if ref $op || $op !~ /^[a-zA-Z]+\z/; $bits |= $bit{$op} // 4; }
		return if grep { my $op = $_; $bit{$op} && 1 < grep { $_ eq $op } @$ops } @$ops;
		$text .= "ops $bits\n";
	}
	return $text;
}

foreach my $file (@ARGV)
{
	open(my $in, '<', $file) or die "$file: $!";
	while (my $line = <$in>)
	{
		my $row = decode_json($line);
		my ($key, $allowed) = @$row{qw(key alg_expected)};
		my $token = $row->{token};
		utf8::encode($token);
		my ($head) = split /\./, $token;
		my $header = eval { decode_json(decode_base64url($head // '')) };
		my $alg = ref $header eq 'HASH' ? $header->{alg} : undef;
		my $lines;
		my $core = !grep { /$above/ } @{ $row->{tags} };

		if (!ref $key)
		{
			utf8::encode($key);
			$lines = 'pem ' . encode_base64url($key) . "\n";
		}
		elsif (!exists $key->{keys}) { $lines = key_lines($key); }
		next unless defined $lines && $lines !~ /[^\x00-\x7f]/;
		$alg = '' unless defined $alg && !ref $alg && $alg =~ /^[!-~]+\z/;
		# The algorithm is for the caller to allow, and RS256 and HS256 are
		# meant where nobody says.
		my $default = { RSA => 'RS256', oct => 'HS256' }->{ ref $key ? $key->{kty} // '' : $key =~ /RSA/ ? 'RSA' : '' };
		$core = 0 if $row->{id} =~ /expired$/;
		$core = 0 if defined $allowed && !grep { $_ eq $alg } @$allowed;
		$core = 0 if !defined $allowed && !(ref $key && exists $key->{alg}) && $alg ne ($default // $alg);
		printf "id %s\nexpect %s\ncore %d\nalg %s\n%stoken %s\nend\n", $row->{id}, $row->{expect}, $core, $alg,
			$lines, encode_base64url($token);
	}
	close $in;
}
