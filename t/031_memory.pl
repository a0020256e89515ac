# What a core dump of a backend, a dump of the database and a logical slot
# show of secrets, once the keys are sealed.
#
# Promised: our own buffers are wiped.  Not promised, and not looked for:
# what the server keeps of statements, parameters, rows and settings; what
# jsonb is built in, and so the tokens that are handed out; keys that are in
# use, which libcrypto holds as numbers.  So the tokens here come from a table
# and are judged without a copy, the keys are sealed by another backend, and
# what is looked for are bytes that only our own code makes of them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use MIME::Base64 qw(decode_base64url);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('memory', "wal_level = logical\n", without_extension => 1);
my $file = $node->data_dir . '/seal_file';
my $file_bytes = 'file-canary ' . join '', map { chr(33 + ($_ * 37) % 90) } 1 .. 100;

append_to_file($file, $file_bytes);
chmod 0600, $file or die;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION jwt_auth;
ALTER SYSTEM SET jwt_auth.encryption_key_file = 'seal_file';
ALTER SYSTEM SET jwt_auth.cache_size = 16;
ALTER SYSTEM SET jwt_auth.refresh_reuse_interval = 0;
SELECT pg_reload_conf();
SQL
$node->restart;

# Keys whose private half is known here, and tokens of them.
my $hmac = 'hmac-canary ' . 'q7Zw' x 10;
$node->safe_psql('postgres', <<SQL);
CREATE TABLE made (kid text, jwk jsonb);
INSERT INTO made VALUES ('hs', jwt.jwk_from_secret('$hmac', 'HS256')),
  ('ec', '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}');
SELECT jwt.import_key(jwk, kid) FROM made;
CREATE TABLE tokens (name text, token text);
INSERT INTO tokens SELECT kid, jwt.sign('{"sub":"42"}', kid) FROM made;
INSERT INTO tokens SELECT 'forged', overlay(token placing 'canarycanarycanary' from length(token) - 30) FROM tokens WHERE name = 'hs';
INSERT INTO tokens SELECT 'other', jwt.sign('{"sub":"42"}', 'hs') FROM generate_series(1, 20);
INSERT INTO tokens SELECT 'refresh', jwt.open_session('42')->>'refresh_token';
INSERT INTO tokens SELECT 'broken', overlay(token placing 'AAAA' from length(token) - 3) FROM tokens WHERE name = 'refresh';
CHECKPOINT;
SQL
my $pem = $node->safe_psql('postgres', "SELECT jwt.jwk_to_pem(jwk) FROM made WHERE kid = 'ec'");
my %token = map { split /\|/ } split /\n/, $node->safe_psql('postgres', "SELECT name || '|' || token FROM tokens WHERE name <> 'other'");
my $tag_key = pack 'H*', $node->safe_psql('postgres', "SELECT encode(tag_key, 'hex') FROM jwt.session_store");

sub signature
{
	my ($name) = @_;
	return (split /\./, $token{$name})[2];
}

# Of a refresh token: the secret behind prefix, sid and generation.
sub refresh_secret
{
	my ($text) = @_;
	return substr(decode_base64url(substr($text, 4)), 20, 32);
}

is($node->safe_psql('postgres', 'SELECT count(*) FROM jwt.key_store WHERE sealed_by IS NULL'), '0', 'the keys are sealed');

# The private memory of a process: heap, stack, its copies of what is mapped.
sub memory
{
	my ($pid) = @_;
	my $all = '';

	open my $maps, '<', "/proc/$pid/maps" or return undef;
	open my $mem, '<:raw', "/proc/$pid/mem" or return undef;
	while (<$maps>)
	{
		my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) rw.p / or next;
		my ($start, $size) = (hex $from, hex($to) - hex $from);

		sysseek($mem, $start, 0) or next;
		while ($size > 0)
		{
			my $got = sysread($mem, my $chunk, $size);
			last unless $got;
			$all .= $chunk;
			$size -= $got;
		}
	}
	return length $all ? $all : undef;
}

sub count_of
{
	my ($where, $what) = @_;
	my $count = () = $where =~ /\Q$what\E/g;
	return $count;
}

my $backend = session($node, user => 'postgres');
my $pid = $backend->ask('SELECT pg_backend_pid();');

SKIP:
{
	my $before = memory($pid);
	skip "the memory of a backend cannot be read here: $!", 1 unless defined $before;

	like($backend->ask("SELECT jwt.verify(token)->>'sub' FROM tokens WHERE name IN ('hs', 'ec');"), qr/^42\n42$/, 'tokens are verified');
	is($backend->ask("SELECT (jwt.try_verify(token)).error_code FROM tokens WHERE name IN ('forged');"), '28J03', 'or refused');
	like($backend->ask("SELECT count(jwt.sign('{}', kid)) FROM made, generate_series(1, 3);"), qr/^6$/, 'tokens are signed');
	is($backend->ask("SELECT jwt.refresh(token)->>'error' FROM tokens WHERE name = 'broken';"), 'invalid_grant', 'a broken refresh token is refused');
	is(count_of(memory($pid), $tag_key), 0, 'no tag key of a session that was only looked at');
	is($backend->ask("SELECT jwt.refresh(token) ? 'access_token' FROM tokens WHERE name = 'refresh';"), 't', 'a good one is not');
	is($backend->ask("SELECT jwt.refresh(token)->>'error' FROM tokens WHERE name = 'refresh';"), 'invalid_grant', 'but once');

	# In the cache until it is full.
	my $used = memory($pid);
	cmp_ok(count_of($used, $token{hs}), '>', 0, 'a token is found in the cache');
	cmp_ok(count_of($used, $hmac), '>', 0, 'and the secret of a key in use: the search sees what is there');

	my @lines = split /\n/, $pem;
	is(count_of($used, $lines[1]), 0, 'no PEM of a sealed key');
	is(count_of($used, substr($file_bytes, 0, 32)), 0, 'nothing of the file that seals');
	is(count_of($used, decode_base64url(signature('hs'))), 0, 'no signature of a token that was verified');
	is(count_of($used, decode_base64url(signature('forged'))), 0, 'none of one that was refused');
	is(count_of($used, refresh_secret($token{refresh})), 0, 'no secret of a refresh token that was spent');

	$backend->ask("SELECT count(jwt.verify(token)) FROM tokens WHERE name = 'other';");
	$backend->ask("SELECT jwt.drop_key('hs');");
	is($backend->ask("SELECT (jwt.try_verify(token)).error_code FROM tokens WHERE name = 'hs';"), '28J04', 'the key is gone');
	my $after = memory($pid);
	is(count_of($after, $token{hs}), 0, 'no token that has left the cache');
	is(count_of($after, $hmac), 0, 'no secret of a key that was dropped');
}
$backend->quit;

# A dump, and what a logical slot makes of changes: sealed keys, and what the
# tables hold of sessions, with which nobody continues one.
$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('s', 'test_decoding'); DROP TABLE made");
my $opened = $node->safe_psql('postgres', "SELECT jwt.generate_key('ES256', 'in the slot'); SELECT jwt.import_key(jwt.jwk_from_secret('$hmac', 'HS256'), 'hs again'); SELECT jwt.open_session('43')->>'refresh_token'");
my ($refresh) = $opened =~ /(jrt_\S+)/;
my $continued = $node->safe_psql('postgres', "SELECT jwt.refresh('$refresh')->>'refresh_token'");
my $slot = $node->safe_psql('postgres', "SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL)");
my ($dump) = run_command([ 'pg_dump', '-d', $node->connstr('postgres'), '-U', 'postgres', '--exclude-table=public.*' ]);

like($slot, qr/table jwt\.key_store: INSERT.*in the slot/, 'the slot shows keys');
like($slot, qr/table jwt\.session_store: UPDATE/, 'and sessions');
like($dump, qr/COPY jwt\.key_store .*\n.*hs again/s, 'the dump has keys');
foreach my $where ([ 'slot', $slot ], [ 'dump', $dump ])
{
	my ($name, $text) = @$where;
	my $plain = $text =~ s/\\\\x([0-9a-f]+)|\\x([0-9a-f]+)/pack 'H*', $1 \/\/ $2/ger;

	is(count_of($text, $hmac) + count_of($plain, $hmac) + count_of($text, unpack 'H*', $hmac), 0, "$name: no secret");
	is(count_of($plain, 'PRIVATE KEY'), 0, "$name: no private key");
	foreach my $token ($refresh, $continued)
	{
		is(count_of($text, $token), 0, "$name: no refresh token");
		is(count_of($plain, refresh_secret($token)) + count_of($text, unpack 'H*', refresh_secret($token)), 0, "$name: nor its secret");
	}
}

$node->stop;
done_testing();
