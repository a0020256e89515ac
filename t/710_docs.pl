# The documents hold what they say: each of their commands runs, on a server
# and a database of the document's own, and answers what the document shows;
# what they quote from a file of the repository stands there, and so do the
# files and sections that they link to.

use strict;
use warnings;

use Cwd ();
use FindBin;
use lib "$FindBin::Bin/lib";
use DocRunner;
use File::Basename;
use JwtAuthTest;
use NodeTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = Cwd::abs_path("$FindBin::Bin/..");
my @documents = $ENV{DOCUMENTS} ? split(' ', $ENV{DOCUMENTS}) : ('README.md', 'SECURITY.md', sort map { "docs/" . basename($_) } glob("$root/docs/*.md"));
my ($commands, $not_run, $checked) = (0, 0, 0);

# "sudo" of the documents: whoever runs the tests owns the server here.
my $bin = PostgreSQL::Test::Utils::tempdir();
append_to_file("$bin/sudo", <<'SH');
#!/bin/sh
while :
do
	case $1 in
		-u) shift 2 ;;
		-*) shift ;;
		*) break ;;
	esac
done
exec "$@"
SH
chmod 0755, "$bin/sudo" or die "sudo: $!";
$ENV{PATH} = "$bin:$ENV{PATH}:/usr/sbin";

# GitHub's name of a heading
sub anchor
{
	my ($heading) = @_;

	$heading = lc $heading;
	$heading =~ s/[^a-z0-9_ -]//g;
	$heading =~ tr/ /-/;
	return $heading;
}

# The links of a document that lead nowhere in this repository
sub dead_links
{
	my ($document) = @_;
	my $here = $document =~ m{^/} ? $document : "$root/$document";
	my $text = slurp_file($here);
	my @dead;

	$text =~ s/^```.*?^```$//msg;
	while ($text =~ /\]\(([^)\s]+)\)/g)
	{
		my ($file, $anchor) = $1 =~ /^([^#]*)(?:#(.*))?$/;
		next if $file =~ /^[a-z]+:/;
		my $path = $file eq '' ? $here : dirname($here) . "/$file";
		if (!-e $path) { push @dead, $file; next; }
		next unless defined $anchor;
		push @dead, "$file#$anchor"
		  unless grep { anchor($_) eq $anchor } slurp_file($path) =~ /^#+ (.+)$/mg;
	}
	return @dead;
}

my $node = start_node('docs', "wal_level = logical\nmax_connections = 30",
	without_extension => 1, init => { allows_streaming => 1 });
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGDATA} = $node->data_dir;
$ENV{DESTDIR} = $node->basedir . '/installed';
delete @ENV{qw(CI MAKEFLAGS MFLAGS MAKELEVEL)};

# The server as it was when it was new
sub forget
{
	$node->safe_psql('postgres', <<'SQL');
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname !~ '^(postgres|template[01])$' \gexec
ALTER SYSTEM RESET ALL;
SELECT pg_reload_conf();
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname !~ '^(pg_|postgres$)' \gexec
SQL
	return;
}

# Runs a document with an empty database "app", in a copy of the repository.
sub run
{
	my ($document, @blocks) = @_;
	my $folder = $node->basedir . '/' . basename($document, '.md');
	my $here = Cwd::getcwd();
	# One that makes the database itself starts beside it.
	my $makes = grep { $_->{text} =~ /\bcreatedb app\b/ } @blocks;

	system_or_bail('mkdir', $folder, "$folder/checkout", '-m', '700', "$folder/secrets");
	system_or_bail("cd '$root' && tar -cf - --exclude=./tmp_check --exclude=./results --exclude=./build . | tar -xf - -C '$folder/checkout'");
	$node->safe_psql('postgres', 'CREATE DATABASE app') unless $makes;
	$ENV{PGDATABASE} = $makes ? 'postgres' : 'app';
	$ENV{SECRETS} = "$folder/secrets";
	$ENV{FREE_PORT} = PostgreSQL::Test::Cluster::get_free_port();
	chdir "$folder/checkout" or die "$folder/checkout: $!";
	my ($wrong, $count) = run_document(@blocks);
	# What a document left running
	kill 'TERM', slurp_file($_) =~ /(\d+)/ foreach glob('*.pid');
	chdir $here or die "$here: $!";
	forget();
	return ($wrong, $count);
}

# First the runner itself: it finds the faults that were planted, no others.
my @planted = read_document("$root/test/docs/faulty.md");
my ($found) = run('faulty.md', @planted);
is_deeply([ map { /^line (\d+):/ ? $1 : () } @$found ],
	[ map { $_->{line} } grep { $_->{text} =~ /(--|#) fault/ } @planted ],
	'the runner finds what was planted') or diag(join("\n", @$found));
is(scalar(check_quotes($root, { line => 1, text => "no such line\n", mark => { from => 'README.md' } })), 1,
	'and a quotation that is none');
is_deeply([ dead_links('test/docs/faulty.md') ], [], 'no dead link');
append_to_file($node->basedir . '/links.md', "[a](nowhere.md) [b](#nothing) [c](#there)\n# There\n");
is_deeply([ dead_links($node->basedir . '/links.md') ], [ 'nowhere.md', '#nothing' ], 'and dead ones');

foreach my $document (@documents)
{
	my @blocks = read_document("$root/$document");

	is_deeply([ dead_links($document) ], [], "$document: links");
	is_deeply([ check_quotes($root, @blocks) ], [], "$document: quotes");
	my @other = grep { $_->{lang} !~ /^(?:sql|sh)$/ && !$_->{mark}{file} && !$_->{mark}{from} && !$_->{mark}{'not run'} } @blocks;
	is_deeply([ map { "line $_->{line}: $_->{lang}" } @other ], [], "$document: no block that nothing checks");
	$checked++;
	foreach my $block (grep { $_->{mark}{'not run'} } @blocks)
	{
		note("$document, line $block->{line}: not run: $block->{mark}{'not run'}");
		$not_run++;
	}
	next unless grep { $_->{lang} =~ /^(?:sql|sh)$/ && !$_->{mark}{'not run'} && !$_->{mark}{from} } @blocks;
	my ($needs) = grep { !find_command($_) } map { $_->{mark}{needs} // () } @blocks;
  SKIP:
	{
		skip "there is no $needs here: $document", 1 if $needs;
		my ($wrong, $count) = run($document, @blocks);
		is(join("\n", @$wrong), '', "$document: its $count commands");
		$commands += $count;
	}
}

foreach my $readme (map { substr($_, length("$root/")) } glob("$root/examples/*/README.md $root/test/*/README.md"))
{
	is_deeply([ dead_links($readme) ], [], "$readme: links");
}

# Each promise has its test: docs/security-model.md says `FILE`: "TEXT", and
# the file has that text, be it on two lines of a comment.
sub missing_tests
{
	my ($text) = @_;
	my @missing;

	foreach my $row ($text =~ /^\| (?!promise \||-)(.*) \|$/mg)
	{
		my ($promise, $tests) = split / \| /, $row, 2;
		my @tests = $tests =~ /`([^`]+)`: "([^"]+)"/g;
		push @missing, "no test: $promise" if !@tests;
		while (my ($file, $name) = splice @tests, 0, 2)
		{
			my $there = -e "$root/$file" ? slurp_file("$root/$file") : '';
			$there =~ s/\n\s*(?:#|--|\*)?\s*/ /g;
			push @missing, "$file: $name" if index($there, $name) < 0;
		}
	}
	return @missing;
}

my $promises = slurp_file("$root/docs/security-model.md");
cmp_ok(scalar(() = $promises =~ /`: "/g), '>', 50, 'promises have tests');
is_deeply([ missing_tests($promises) ], [], 'which are there');
is_deeply([ missing_tests(<<"TEXT") ], [ 'no test: a', 't/nowhere.pl: x', 't/710_docs.pl: y' . 'y' ], 'and what is not there is found');
| promise | test |
|---|---|
| a | none |
| b | `t/nowhere.pl`: "x"; `t/710_docs.pl`: "y@{[ 'y' ]}" |
TEXT

note("proof docs: $checked documents, $commands commands run, $not_run blocks not run");
$node->stop;
done_testing();
