# Tokens and keys to and from other people's code: jose, and node's own crypto
# module for what jose does not have.  Needs node; see JwtAuthNode.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use JwtAuthNode;
use JwtAuthTest;
use Test::More;

my ($scripts, $why_not) = node_scripts("$FindBin::Bin/../test/interop");
plan skip_all => "interoperability with jose: $why_not" unless defined $scripts;

my $json = JSON::PP->new->ascii->canonical;
my $node = start_node('jose', '', without_extension => 1);
$node->safe_psql('postgres', 'CREATE EXTENSION jwt_auth');

my @cases = map { { name => $_, alg => $_ } } qw(HS256 HS384 HS512
  RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K EdDSA Ed25519 Ed448);
push @cases, { name => 'EdDSA with Ed448', alg => 'EdDSA', crv => 'Ed448' };

# Which of them jose left to node's own module.
my $made = run_node("$scripts/make.mjs", \@cases);
foreach my $c (grep { $_->{by} ne 'jose' } @$made)
{
	SKIP: { skip "$c->{name}: jose does not have it, $c->{by} takes its place", 1; }
}

# Theirs, judged by us.  A verdict is the subject or the SQLSTATE.
my $literal = $json->encode($made);
$node->safe_psql('postgres', <<SQL);
CREATE TABLE made AS
	SELECT m->>'name' AS name, m->>'alg' AS alg, m->>'by' AS by,
		m->>'token' AS token, m->>'tampered' AS tampered,
		m->'private_jwk' AS private_jwk, m->'public_jwk' AS public_jwk,
		m->>'private_pem' AS private_pem, m->>'public_pem' AS public_pem, m->>'old_pem' AS old_pem,
		jsonb_build_object('name', m->'name', 'alg', m->'alg', 'crv', m->'crv') AS c
	  FROM jsonb_array_elements(\$json\$$literal\$json\$) m;
SELECT jwt.trust_issuer('https://node.example', '{db}', subject_prefix => 'node:');
SELECT jwt.import_jwks(jsonb_build_object('keys', jsonb_agg(public_jwk || jsonb_build_object('kid', name))),
	'https://node.example') FROM made WHERE public_jwk IS NOT NULL;

CREATE FUNCTION verdict(INOUT result text, made) LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE 'SELECT (' || result || ')->>''sub'' FROM (SELECT (\$1).*) m' INTO result USING \$2;
EXCEPTION WHEN OTHERS THEN
	result := SQLSTATE;
END
\$\$;
SQL

my %by_key = (
	'JWK' => 'jwt.verify_with(token, coalesce(public_jwk, private_jwk))',
	'private JWK' => 'jwt.verify_with(token, private_jwk)',
	'PEM' => 'jwt.verify_with(token, jwt.jwk_from_pem(public_pem, alg))',
	'PEM without alg' => "jwt.verify_with(token, jwt.jwk_from_pem(public_pem), algorithms => ARRAY[alg])",
	'store' => 'jwt.verify(token)');
my (@ways, @names, @wanted);
foreach my $c (@$made)
{
	foreach my $key (sort keys %by_key)
	{
		next if $key =~ /PEM|store/ && !defined $c->{public_jwk};
		foreach my $token ('token', 'tampered')
		{
			(my $call = $by_key{$key}) =~ s/\(token/($token/;
			push @ways, "(" . @ways . ", '$c->{name}', '$call')";
			push @names, "$c->{name} by $c->{by}: $token judged with its $key";
			push @wanted, $token eq 'token' ? "$c->{name} \xc3\xa9 \xe2\x82\xac" : '28J03';
		}
	}
}
my $ways = join(', ', @ways);
my @verdicts = split /\n/, $node->safe_psql('postgres', qq{SET client_encoding = 'UTF8';
	SELECT verdict(call, m) FROM (VALUES $ways) w (i, name, call) JOIN LATERAL (
		SELECT made AS m FROM made WHERE made.name = w.name) x ON true ORDER BY i});
is($verdicts[$_], $wanted[$_], $names[$_]) foreach 0 .. $#names;

# Ours, judged by them: signed with keys of three origins, and the keys
# themselves after a way through us.
$node->safe_psql('postgres', <<'SQL');
SELECT jwt.import_key(private_jwk, 'imported ' || name, status => 'standby') FROM made;
SELECT jwt.set_key_status('imported ' || name, 'current') FROM made WHERE name <> 'EdDSA with Ed448';
CREATE TABLE checks (what text, name text, key jsonb, token text, sign_with jsonb);
SQL
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION claims(name text) RETURNS jsonb LANGUAGE sql
	AS $$SELECT jsonb_build_object('sub', name || U&' \00e9 \20ac')$$;

INSERT INTO checks SELECT 'imported JWK', name,
	jsonb_build_object('jwk', coalesce(public_jwk, private_jwk)),
	jwt.sign(claims(name), 'imported ' || name)
	FROM made WHERE name <> 'EdDSA with Ed448';
INSERT INTO checks SELECT 'JWK of the caller', name,
	jsonb_build_object('jwk', coalesce(public_jwk, private_jwk)),
	jwt.sign_with(claims(name), private_jwk)
	FROM made;
INSERT INTO checks SELECT 'PEM of the caller', name,
	jsonb_build_object('pem', public_pem),
	jwt.sign_with(claims(name), jwt.jwk_from_pem(private_pem, alg))
	FROM made WHERE private_pem IS NOT NULL;
INSERT INTO checks SELECT 'PKCS#1 or SEC1 of the caller', name,
	jsonb_build_object('pem', public_pem),
	jwt.sign_with(claims(name), jwt.jwk_from_pem(old_pem, alg))
	FROM made WHERE old_pem IS NOT NULL;
INSERT INTO checks SELECT 'public PEM by jwk_to_pem', name,
	jsonb_build_object('pem', jwt.jwk_to_pem(public_jwk)),
	jwt.sign_with(claims(name), private_jwk)
	FROM made WHERE public_jwk IS NOT NULL;
INSERT INTO checks SELECT 'public JWK by jwk_from_pem', name,
	jsonb_build_object('jwk', jwt.jwk_from_pem(public_pem, alg)),
	jwt.sign_with(claims(name), private_jwk)
	FROM made WHERE public_jwk IS NOT NULL;
INSERT INTO checks (what, name, key, sign_with)
	SELECT 'private PEM by jwk_to_pem', name,
	jsonb_build_object('jwk', public_jwk),
	jsonb_build_object('pem', jwt.jwk_to_pem(private_jwk))
	FROM made WHERE public_jwk IS NOT NULL;
INSERT INTO checks (what, name, key, sign_with)
	SELECT 'private JWK by jwk_from_pem', name,
	jsonb_build_object('jwk', public_jwk),
	jsonb_build_object('jwk', jwt.jwk_from_pem(private_pem, alg))
	FROM made WHERE public_jwk IS NOT NULL;

SELECT jwt.generate_key(alg, 'own ' || name) FROM made WHERE name <> 'EdDSA with Ed448';
INSERT INTO checks SELECT 'generated key, jwks()', name,
	jsonb_build_object('jwks', jwt.jwks()),
	jwt.sign(claims(name), 'own ' || name)
	FROM made WHERE public_jwk IS NOT NULL AND name <> 'EdDSA with Ed448';
INSERT INTO checks SELECT 'generated key, its PEM', name,
	jsonb_build_object('pem', jwt.jwk_to_pem(k.public_jwk)),
	jwt.sign(claims(name), k.kid)
	FROM made JOIN jwt.keys k ON k.kid = 'own ' || name WHERE k.public_jwk IS NOT NULL;
-- a superuser reads what nobody else does
INSERT INTO checks SELECT 'generated secret', name,
	jsonb_build_object('jwk', jwt.jwk_from_secret(k.secret, made.alg)),
	jwt.sign(claims(name), k.kid)
	FROM made JOIN jwt.key_store k ON k.kid = 'own ' || name WHERE k.kty = 'oct';
INSERT INTO checks (what, name, key, sign_with)
	SELECT 'generated private key', name,
	jsonb_build_object('jwks', jsonb_build_object('keys', jsonb_build_array(k.public_jwk - 'kid'))),
	jsonb_build_object('pem', convert_from(k.secret, 'UTF8'))
	FROM made JOIN jwt.key_store k ON k.kid = 'own ' || name WHERE k.kty <> 'oct' AND by = 'jose';
SQL

my $checks = $json->decode($node->safe_psql('postgres', q{
	SELECT jsonb_agg(jsonb_build_object('what', what, 'c', c, 'by', by, 'key', key) ||
		CASE WHEN checks.token IS NULL THEN jsonb_build_object('sign_with', sign_with)
			 ELSE jsonb_build_object('token', checks.token) END)
	  FROM checks JOIN made USING (name)}));
foreach my $v (@{ run_node("$scripts/judge.mjs", $checks) })
{
	is("$v->{subject}, forged: $v->{forged}", "$v->{c}{name} \x{e9} \x{20ac}, forged: refused",
		"$v->{c}{name}, $v->{by} judges: $v->{what}");
}

# jwks() has what others may see, whatever lies in the store.
my $jwks = $json->decode($node->safe_psql('postgres', 'SELECT jwt.jwks()'));
is_deeply([ grep { $_->{kty} eq 'oct' } @{ $jwks->{keys} } ], [], 'jwks() has no secret');
is_deeply([ map { grep { /^(d|p|q|dp|dq|qi|oth|k|priv)$/ } keys %$_ } @{ $jwks->{keys} } ],
	[], 'jwks() has no private member');
is($node->psql('postgres', q{SELECT jwt.jwk_to_pem(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef'))}),
	3, 'a secret has no PEM');

# Rotation, as a client with a remote JWK set sees it.
$node->safe_psql('postgres', q{CREATE DATABASE rotation});
$node->safe_psql('rotation', q{CREATE EXTENSION jwt_auth;
	ALTER DATABASE rotation SET jwt_auth.issuer = 'https://db.example'});
my $steps = run_node("$scripts/rotation.mjs",
	{ psql => [ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('rotation') ] });
my $gone = 'ERR_JWKS_NO_MATCHING_KEY';
my @expected = (
	[ 'before', { one => 'one' }, qw(usual fresh) ],
	[ 'standby is published', { one => 'one', stillOne => 'still one' }, qw(stale usual fresh) ],
	[ 'rotated to r2', { one => 'one', two => 'two' }, qw(stale usual fresh) ],
	[ 'rotated to a new key', { one => 'one', two => 'two', three => 'three' }, qw(usual) ],
	[ 'fetches that the new key cost', 1 ],
	[ 'later', { one => 'one', two => 'two', three => 'three' }, qw(usual fresh) ],
	[ 'first key revoked', { one => $gone, two => 'two', three => 'three' }, qw(fresh) ],
	[ 'second key dropped', { one => $gone, two => $gone, three => 'three' }, qw(fresh newcomer) ]);
foreach my $expected (@expected)
{
	my ($name, $said, @clients) = @$expected;
	my $step = shift @$steps // {};

	if (ref $said)
	{
		my %each;
		foreach my $client (@clients) { $each{"$client: $_"} = $said->{$_} foreach keys %$said; }
		$said = \%each;
	}
	is_deeply($step, { name => $name, said => $said }, "rotation: $name");
}

$node->stop;
done_testing();
