# examples/postgraphile, for real: PostGraphile 4 over HTTP hands the bearer
# token to row-level security.

use strict;
use warnings;

use FindBin;
use HTTP::Tiny;
use JSON::PP;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use NodeTest;
use Test::More;

need_commands('node', 'npm');
use_packages('postgraphile');
my $node = start_node('postgraphile', '', without_extension => 1);
set_up($node, 'postgraphile');
my $url = start_example('node', example('postgraphile/server.js'));
my $http = HTTP::Tiny->new(timeout => 60);

sub token
{
	my ($who) = @_;
	return $node->safe_psql('postgres', "SELECT jwt.open_session('$who') ->> 'access_token'");
}

# ask_graphql(QUERY, TOKEN): status and answer
sub ask_graphql
{
	my ($query, $token) = @_;
	my $response = $http->post($url, {
		content => encode_json({ query => $query }),
		headers => {
			'Content-Type' => 'application/json',
			defined $token ? (Authorization => "Bearer $token") : (),
		}});
	return ($response->{status}, eval { decode_json($response->{content}) } // $response->{content});
}

# The owners and bodies that a request sees, else its status and first error.
sub notes
{
	my ($status, $answer) = ask_graphql('{ allNotes { nodes { owner body } } }', @_);
	return "$status $answer->{errors}[0]{message}" if $status != 200 || $answer->{errors};
	return join '; ', map { "$_->{owner}: $_->{body}" } @{ $answer->{data}{allNotes}{nodes} };
}

my $alice = token('alice');
my $bob = token('bob');
is(notes($alice), 'alice: call bob', 'alice sees hers');
is(notes($bob), 'bob: do not call alice', 'bob sees his');
is(notes(), '', 'nobody sees none');

my ($status, $answer) = ask_graphql(
	'mutation { createNote(input: {note: {body: "new"}}) { note { owner } } }', $alice);
is($answer->{data}{createNote}{note}{owner}, 'alice', 'what alice writes is hers');
($status, $answer) = ask_graphql(
	'mutation { createNote(input: {note: {body: "new"}}) { note { owner } } }');
like($answer->{errors}[0]{message}, qr/permission denied/, 'nobody writes nothing');

# The pool has two connections; each serves all of them.
my %wrong;
for (1 .. 20)
{
	$wrong{alice}++ if notes($alice) ne 'alice: call bob; alice: new';
	$wrong{bob}++ if notes($bob) ne 'bob: do not call alice';
	$wrong{nobody}++ if notes() ne '';
}
is_deeply(\%wrong, {}, 'in turn, on shared connections');

my ($header, undef, $signature) = split /\./, $alice;
my $forged = join '.', $header, (split /\./, $bob)[1], $signature;
is(notes($forged), '401 token refused (28J03)', 'a forged token');
is(notes('x'), '401 token refused (28J00)', 'no token at all');
is(notes(''), '401 token refused (28J00)', 'an empty token');
my $expired = $node->safe_psql('postgres',
	q(SELECT jwt.sign('{"sub":"alice","exp":1000000000}')));
is(notes($expired), '401 token refused (28J01)', 'an expired token');
$node->safe_psql('postgres', "SELECT jwt.close_sessions('alice')");
is(notes($alice), '401 token refused (28J09)', 'a closed session');
is(notes($bob), 'bob: do not call alice', 'bob goes on');

# Whatever the server checked before: a bad token that is handed over the way
# PostGraphile does it reads nothing.
is( ask($node, <<"SQL", user => 'graphile_login'), "graphile_user|x\nERROR:  28J03\nERROR:  28J09", 'the database judges, too');
\\set ON_ERROR_STOP 0
BEGIN;
SELECT set_config('role', 'graphile_user', true), left(set_config('jwt_auth.token', '$forged', true), 0) || 'x';
SELECT * FROM api.notes;
ROLLBACK;
BEGIN;
DO \$\$BEGIN PERFORM set_config('role', 'graphile_user', true), set_config('jwt_auth.token', '$alice', true); END\$\$;
SELECT * FROM api.notes;
ROLLBACK;
SQL

$node->stop;
done_testing();
