# A replay rings a bell, NOTIFY jwt_auth, when and if its transaction commits,
# and keeps no transaction from being prepared.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('bell');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
max_prepared_transactions = 2
jwt_auth.refresh_reuse_interval = 0
session_preload_libraries = 'jwt_auth'
CONF
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION jwt_auth;
SELECT jwt.generate_key('HS256');
SQL

# A session with a spent token: its sid and that token.
sub spent
{
	return split /\|/, $node->safe_psql('postgres', <<SQL);
CREATE TEMP TABLE s AS SELECT jwt.open_session('42') AS o;
SELECT jwt.verify(o->>'access_token')->>'sid', o->>'refresh_token', jwt.refresh(o->>'refresh_token') ? 'access_token' FROM s;
SQL
}

# What whoever listens hears of those statements, how often, and whether the
# session is closed afterwards.  TOKEN stands for the spent token.
sub heard
{
	my ($sql) = @_;
	my ($sid, $token) = spent();

	$sql =~ s/REPLAY/SELECT jwt.refresh('$token')->>'error'/g;
	my ($code, $out, $err) = $node->psql('postgres', "LISTEN jwt_auth;\n$sql\nSELECT 1;");
	is("$code $err", '0 ', "no error: $sql" =~ s/'jrt_[^']*'/token/gr);
	my @bells = $out =~ /"jwt_auth" with payload "(.*)" received/g;
	my $mine = grep { $_ eq qq({"event":"replay","sid":"$sid"}) } @bells;
	is($mine, scalar @bells, 'nothing else is heard');
	return "$mine " . $node->safe_psql('postgres', "SELECT closed_why FROM jwt.sessions WHERE sid = '$sid'");
}

is(heard('REPLAY;'), '1 replay', 'a replay');
is(heard('BEGIN; REPLAY; COMMIT;'), '1 replay', 'in a transaction');
is(heard('BEGIN; REPLAY; REPLAY; COMMIT;'), '1 replay', 'twice: closed is closed');
is(heard('BEGIN; REPLAY; ROLLBACK;'), '0 ', 'rolled back');
is(heard('BEGIN; SAVEPOINT a; REPLAY; ROLLBACK TO a; COMMIT;'), '0 ', 'rolled back to a savepoint');
is(heard('BEGIN; SAVEPOINT a; REPLAY; RELEASE a; COMMIT;'), '1 replay', 'a savepoint released');
is(heard('BEGIN; SAVEPOINT a; SAVEPOINT b; REPLAY; RELEASE b; ROLLBACK TO a; COMMIT;'), '0 ', 'released, and rolled back with the one around it');
is(heard('BEGIN; SAVEPOINT a; REPLAY; ROLLBACK TO a; REPLAY; COMMIT;'), '1 replay', 'rolled back, and again');
is(heard("BEGIN; REPLAY; ROLLBACK; BEGIN; SELECT 1; COMMIT;"), '0 ', 'nothing is left for the next transaction');

# LISTEN is what cannot be prepared, then: in a connection of its own.
my ($sid, $token) = spent();
my ($code, $out, $err) = $node->psql('postgres', "BEGIN; SELECT jwt.refresh('$token')->>'error'; PREPARE TRANSACTION 'replay'; SELECT 1;");
is("$code $out $err", "0 invalid_grant\n1 ", 'the transaction can be prepared');
is($node->safe_psql('postgres', "SELECT is_open FROM jwt.sessions WHERE sid = '$sid'"), 't', 'and has closed nothing yet');
$node->safe_psql('postgres', "COMMIT PREPARED 'replay'");
is($node->safe_psql('postgres', "SELECT is_open, closed_why FROM jwt.sessions WHERE sid = '$sid'"), 'f|replay', 'until it commits');

$node->stop;
done_testing();
