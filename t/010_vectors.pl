# The vectors of test/vectors through SQL, as a role without privileges, in
# databases of several encodings and collations.
#
# Verdict and claims must be the files'; a refusal must be one of ours or a
# complaint about the key, and name the time only where time is under test.
# A claim that the database's encoding cannot represent is 28J00.  Rows tagged
# policy:either are judged as the file does, but for those named here
# (test/vectors/README.md).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP;
use JwtAuthTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('vectors', '', without_extension => 1);

# The rows as COPY wants them.  Strings are ASCII, but for payloads: those go
# as the bytes that the token carries.
sub field
{
	my ($value) = @_;

	return '\N' unless defined $value;
	$value =~ s/([\\\n\r\t])/sprintf('\\x%02x', ord $1)/eg;
	return $value;
}

# The file's answer is the other one; without claims to compare.
my %ours = ('gen-jwks-enc-neighbour' => 'valid');

my @files = map { "$FindBin::Bin/../test/vectors/$_.jsonl" } qw(open own);
my $json = JSON::PP->new->ascii;
my ($copy, $count, $verdicts) = ('', 0, 0);
foreach my $line (map { split /\n/, slurp_file($_) } @files)
{
	my $row = decode_json($line);
	my ($key, $payload, $tags) = @$row{qw(key payload tags)};
	my $algs = $row->{alg_expected};

	utf8::encode($payload) if defined $payload;
	$copy .= join("\t", map { field($_) } $row->{id}, $ours{ $row->{id} } // $row->{expect},
		ref $key ? ($json->encode($key), undef) : (undef, $key),
		defined $algs ? '{' . join(',', @$algs) . '}' : undef,
		$row->{token}, $row->{now},
		defined $payload ? '\x' . unpack('H*', $payload) : undef,
		'{' . join(',', map { "\"$_\"" } @$tags) . '}') . "\n";
	$count++;
}
is($count, 459 + 864, 'the files are whole');

my $setup = <<'SQL';
CREATE EXTENSION jwt_auth;
CREATE TABLE vectors (id text, expect text, jwk jsonb, pem text, algorithms text[],
	token text, now float8, payload bytea, tags text[]);
GRANT SELECT ON vectors TO PUBLIC;

-- "now": null asks for no check of times: in 2011 all of those pass.
CREATE FUNCTION claims(v vectors) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	key jsonb := v.jwk;
BEGIN
	IF key IS NULL THEN
		key := jwt.jwk_from_pem(v.pem);
	END IF;
	IF v.tags @> '{jws-layer}' THEN
		PERFORM jwt.jws_verify(v.token, key, v.algorithms);
		RETURN NULL;
	END IF;
	RETURN jwt.verify_with(v.token, key, algorithms => v.algorithms,
		as_of => coalesce(to_timestamp(v.now), '2011-01-01 UTC'));
END
$$;

CREATE FUNCTION problem(v vectors) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	wanted jsonb;
	wanted_error text := CASE v.expect WHEN 'valid' THEN '00000' ELSE '28J..|22023' END;
	got jsonb;
	error text := '00000';
	message text;
BEGIN
	BEGIN
		wanted := convert_from(v.payload, 'UTF8')::jsonb;
	EXCEPTION WHEN untranslatable_character OR feature_not_supported THEN
		wanted_error := '28J00';
	END;
	BEGIN
		got := claims(v);
	EXCEPTION WHEN OTHERS THEN
		error := SQLSTATE;
		message := SQLERRM;
	END;
	IF error !~ ('^(' || wanted_error || ')$') THEN
		RETURN format('%s: %s, but got %s %s', v.id, v.expect, error, message);
	ELSIF error = '00000' AND got IS DISTINCT FROM coalesce(wanted, got) THEN
		RETURN format('%s: other claims', v.id);
	ELSIF error ~ '^28J0[12]$' AND v.id !~ 'time|expired' THEN
		RETURN format('%s: refused because of the time', v.id);
	END IF;
	RETURN NULL;
END
$$;
SQL

$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; CREATE EXTENSION jwt_auth');

# What a claim looks like where its encoding has the letter, and where not.
my $secret = q(jwt.jwk_from_secret('0123456789abcdef0123456789abcdef'));
my $e_acute = $node->safe_psql('postgres', qq(SELECT jwt.sign_with('{"sub":"\\u00e9"}', $secret)));
my $euro = $node->safe_psql('postgres', qq(SELECT jwt.sign_with('{"sub":"\\u20ac"}', $secret)));
my %letters = (
	utf8 => "c3a9\ne282ac",
	latin1 => "e9\nERROR:  28J00",
	# of no encoding: the bytes as they are
	sql_ascii => "c3a9\ne282ac",
	icu => "c3a9\ne282ac");

foreach my $database (
	[ utf8 => "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'" ],
	[ latin1 => "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'" ],
	[ sql_ascii => "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'" ],
	# every case is the same to this one
	[ icu => "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'und-u-ks-level2' LC_COLLATE 'C' LC_CTYPE 'C'" ])
{
	my ($name, $options) = @$database;

	SKIP:
	{
		my ($status, undef, $error) = $node->psql('postgres',
			"CREATE DATABASE $name TEMPLATE template0 $options");
		skip "$name: this server has no ICU", 3 if $error =~ /ICU is not supported|option "locale_provider" not recognized/;
		is($error, '', "$name: database");
		$node->safe_psql($name, $setup . "COPY vectors FROM STDIN;\n$copy\\.\n");
		$verdicts += $count;
		is(ask($node, 'SELECT p FROM vectors v, problem(v) p WHERE p IS NOT NULL', db => "dbname=$name", verbosity => 'verbose'),
			'', "$name: verdicts and claims of all vectors");
		is(ask($node, join('', map {
				"SELECT encode(convert_to(jwt.verify_with('$_', $secret)->>'sub', getdatabaseencoding()), 'hex');\n"
			} $e_acute, $euro), db => "dbname=$name"),
			$letters{$name}, "$name: letters beyond ASCII");
	}
}

# For the summary, see scripts/test_server.sh.
note("proof vectors: $count vectors, $verdicts verdicts through SQL");
$node->stop;
done_testing();
