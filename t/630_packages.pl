# META.json is what PGXN accepts, scripts/check_meta.pl sees what is not, and
# scripts/dist.sh makes the same archives of the same commit.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA;
use FindBin;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = abs_path("$FindBin::Bin/..");
my $dir = PostgreSQL::Test::Utils::tempdir();

# run(COMMAND...): its exit status, and all that it said
sub run
{
	my @command = @_;
	my $out = '';
	my $ok = IPC::Run::run(\@command, '<', \undef, '>&', \$out, IPC::Run::timeout(600));
	return ($ok, $out);
}

# META.json with a change
sub check
{
	my ($change) = @_;
	my $meta = decode_json(slurp_file("$tree/META.json"));
	$change->($meta);
	open my $file, '>', "$dir/META.json" or die $!;
	print $file encode_json($meta);
	close $file or die $!;
	my (undef, $out) = run("$tree/scripts/check_meta.pl", "$dir/META.json");
	$out =~ s/^check-meta: (?:\Q$dir\E\/)?//mg;
	return $out;
}

is(check(sub { }), '', 'META.json is good');
is(check(sub { $_[0]{x_anything} = [ 1, { a => undef } ] }), '', 'fields of our own begin with x_');
is(check(sub { $_[0]{license} = { PostgreSQL => 'https://www.postgresql.org/about/licence' } }), '', 'a license by its URL');
is(check(sub { $_[0]{prereqs}{test}{requires}{pgtap} = '>= 1.0.0, < 2.0.0' }), '', 'a range of versions');
foreach my $bad (
	[ sub { delete $_[0]{maintainer} }, 'maintainer is missing' ],
	[ sub { delete $_[0]{abstract} }, 'abstract is missing' ],
	[ sub { delete $_[0]{license} }, 'license is missing' ],
	[ sub { delete $_[0]{'meta-spec'} }, 'meta-spec is missing' ],
	[ sub { $_[0]{'meta-spec'}{version} = '2.0.0' }, 'version is not what it must be' ],
	[ sub { $_[0]{name} = 'jwt auth' }, 'name is not what it must be' ],
	[ sub { $_[0]{abstract} = '' }, 'abstract is not what it must be' ],
	[ sub { $_[0]{version} = '1.0' }, 'version is not what it must be' ],
	[ sub { $_[0]{version} = '01.0.0' }, 'version is not what it must be' ],
	[ sub { $_[0]{version} = '1.0.1' }, 'version 1.0.0 is not that of META.json' ],
	[ sub { $_[0]{license} = 'mine' }, 'license is not what it must be' ],
	[ sub { $_[0]{license} = { PostgreSQL => 'somewhere' } }, 'license is not what it must be' ],
	[ sub { $_[0]{tags} = ['a/b'] }, 'tags is not what it must be' ],
	[ sub { $_[0]{release_status} = 'done' }, 'release_status is not what it must be' ],
	[ sub { $_[0]{keywords} = [] }, 'unknown field keywords' ],
	[ sub { $_[0]{provides}{jwt_auth}{files} = 'x' }, 'unknown field files' ],
	[ sub { delete $_[0]{provides}{jwt_auth}{file} }, 'file is missing' ],
	[ sub { $_[0]{provides}{jwt_auth}{docfile} = 'docs/none.md' }, 'docfile is not what it must be' ],
	[ sub { $_[0]{provides}{jwt_auth}{version} = '1.1.0' }, 'version 1.0 is not that of META.json' ],
	[ sub { delete $_[0]{provides}{jwt_auth_pgjwt} }, 'jwt_auth_pgjwt.control: is not among provides' ],
	[ sub { $_[0]{provides}{other} = $_[0]{provides}{jwt_auth} }, 'there is no other.control' ],
	[ sub { $_[0]{prereqs}{runtime}{requires}{PostgreSQL} = '15' }, 'prereqs is not what it must be' ],
	[ sub { $_[0]{prereqs}{run} = {} }, 'prereqs is not what it must be' ],
	[ sub { $_[0]{prereqs}{runtime}{needs} = {} }, 'prereqs is not what it must be' ])
{
	my ($change, $words) = @$bad;
	like(check($change), qr/\Q$words\E/, "refused: $words");
}

SKIP:
{
	skip 'there is no git here', 6 unless grep { -x "$_/git" } split /:/, $ENV{PATH};

	# A repository of this tree, in two places and at two times.
	local $ENV{HOME} = $dir;
	my @sums;
	foreach my $place ('a', 'b')
	{
		my $copy = "$dir/$place";
		my $script = <<'SH';
set -e
mkdir "$2"
cd "$1"
scripts/copy_tree.sh "$2"
cd "$2"
rm -rf tmp_check results output_iso log
git init -q
git add -A
export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
git -c user.name=test -c user.email=test@example.com commit -qm test
TZ=$3 scripts/dist.sh
SH
		my ($ok, $out) = run('sh', '-c', $script, 'sh', $tree, $copy, $place eq 'a' ? 'UTC' : 'Asia/Tokyo');
		ok($ok, "dist.sh runs in $place") or diag($out);
		push @sums, join ' ', map { Digest::SHA->new(256)->addfile($_)->hexdigest } glob "$copy/build/dist/*";
		sleep 1 if $place eq 'a';
	}
	like($sums[0], qr/^\w{64} \w{64}$/, 'two archives');
	is($sums[0], $sums[1], 'the same bytes');
	my ($ok, $list) = run('tar', '-tzf', glob "$dir/a/build/dist/*.tar.gz");
	my %has = map { $_ => 1 } split /\n/, $list;
	is_deeply(
		[ grep { !$has{"jwt_auth-1.0.0/$_"} }
			  qw(META.json Makefile README.md LICENSE jwt_auth.control jwt_auth--1.0.sql
			  jwt_auth_pgjwt.control jwt_auth_pgjwt--1.0.sql src/core/alg.c scripts/find_pg_config.sh) ],
		[], 'under a folder with name and version, what it takes to build');
	unlike($list, qr{\.gitignore|\.ci/|\.o$}m, 'and nothing else');
}

done_testing();
