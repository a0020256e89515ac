# In a database whose owner is no superuser and put names of ours everywhere:
# CREATE EXTENSION makes what it makes elsewhere, the owner gets nothing from
# it, and DROP EXTENSION leaves the catalogs as they were.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use CopyTest;
use JwtAuthTest;
use Test::More;

my $node = start_node('drop', '', without_extension => 1);
my $db = q(a "quoted" one's);
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE plain LOGIN;
CREATE ROLE "the Owner" LOGIN;
CREATE DATABASE "a ""quoted"" one's" OWNER "the Owner";
CREATE DATABASE fresh;
SQL
$node->safe_psql('fresh', 'CREATE EXTENSION jwt_auth');

# As the owner, first on everybody's path in this database.
$node->safe_psql($db, <<'SQL');
SET ROLE "the Owner";
CREATE SCHEMA "we""ird; jwt";
SET search_path = "we""ird; jwt", pg_catalog;
CREATE TABLE key_store (secret bytea);
CREATE TABLE issuers (issuer text, audiences text[]);
CREATE FUNCTION format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'the owner''s'; END $$;
CREATE FUNCTION quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'the owner''s'; END $$;
CREATE FUNCTION equal(name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'the owner''s'; END $$;
CREATE OPERATOR = (LEFTARG = name, RIGHTARG = text, FUNCTION = equal);
CREATE DOMAIN timestamptz AS text CHECK (value = 'never');
CREATE FUNCTION verify(text) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DATABASE "a ""quoted"" one's" SET search_path = "we""ird; jwt", pg_catalog;
SQL

# The number of rows of each catalog, the shared ones included, but for the
# schemas of temporary objects, which stay; the function that counts is there
# at both times.
sub catalogs
{
	return $node->safe_psql($db, <<'SQL');
SET search_path = pg_catalog;
CREATE FUNCTION pg_temp.rows(relation regclass) RETURNS bigint LANGUAGE plpgsql
AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %s x WHERE x::text !~ %L', relation, '^\(\d+,pg_(toast_)?temp_') INTO n; RETURN n; END $$;
SELECT c.oid::regclass, pg_temp.rows(c.oid) FROM pg_class c
 WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND relname !~ '^pg_statistic' ORDER BY 1
SQL
}

# refused(SQL): what the owner is told
sub refused
{
	my ($sql) = @_;
	my (undef, undef, $error) = $node->psql($db, qq(SET ROLE "the Owner"; $sql));

	return $error =~ /ERROR:\s+(.*)/ ? $1 : 'nothing';
}

catalogs();
my $before = catalogs();
like($before, qr/^pg_proc\|\d+$/m, 'catalogs are counted');

like(refused('CREATE EXTENSION jwt_auth'), qr/permission denied to create extension/, 'the owner cannot install');
$node->safe_psql($db, 'CREATE EXTENSION jwt_auth');
isnt(catalogs(), $before, 'installed');
is(catalog_of($node, $db), catalog_of($node, 'fresh'), 'as elsewhere');
my $used = $node->safe_psql($db, <<'SQL');
SELECT jwt.generate_key('HS256', 'k');
SELECT jwt.open_session('42') ? 'access_token';
SELECT jwt.verify(jwt.sign('{"sub":"42"}'))->>'sub';
CREATE TABLE public.notes (owner text);
CREATE POLICY p ON public.notes USING (owner OPERATOR(pg_catalog.=) jwt.subject());
GRANT EXECUTE ON FUNCTION jwt.sign(jsonb, text, interval, jsonb) TO plain;
SQL
is($used, "k\nt\n42", 'and works');

like(refused($_), qr/^permission denied|^must be owner/, $_) foreach (
	'SELECT * FROM jwt.key_store', 'SELECT jwt.sign($${}$$)', 'CREATE TABLE jwt.mine (x int)',
	'CREATE FUNCTION jwt.verify(text) RETURNS jsonb LANGUAGE sql RETURN NULL',
	'DROP EXTENSION jwt_auth', 'DROP SCHEMA jwt CASCADE', 'ALTER EXTENSION jwt_auth UPDATE',
	'ALTER EXTENSION jwt_auth DROP FUNCTION jwt.subject()', 'ALTER TABLE jwt.key_store DISABLE ROW LEVEL SECURITY',
	'ALTER SCHEMA jwt RENAME TO mine', 'GRANT ALL ON ALL TABLES IN SCHEMA jwt TO PUBLIC');
is(refused('SELECT jwt.subject()'), 'nothing', 'what is for everybody is for the owner, too');

my (undef, undef, $error) = $node->psql($db, 'DROP EXTENSION jwt_auth');
like($error, qr/policy p on table (public\.)?notes depends on function jwt\.subject\(\)/, 'a policy that asks holds it');
$node->safe_psql($db, 'DROP TABLE public.notes; DROP EXTENSION jwt_auth');
is(catalogs(), $before, 'dropped: the catalogs as they were');

$node->safe_psql($db, 'CREATE EXTENSION jwt_auth');
is($node->safe_psql($db, 'SELECT count(*) FROM jwt.keys'), '0', 'made again: no keys');
is(catalog_of($node, $db), catalog_of($node, 'fresh'), 'as elsewhere');
$node->safe_psql($db, 'DROP EXTENSION jwt_auth');
is(catalogs(), $before, 'and dropped again');

$node->stop;
done_testing();
