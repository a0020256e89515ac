# examples/login-page, for real: a person signs in, stays signed in, and is
# thrown out, in headless Chromium.  browse.js says what it looks at.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JwtAuthTest;
use NodeTest;
use PostgreSQL::Test::Utils;
use Test::More;

my (undef, undef, $chromium) =
  need_commands('node', 'npm', [ 'chromium', 'chromium-browser', 'google-chrome' ]);
use_packages('login-page');
my $node = start_node('login_page', '', without_extension => 1);
set_up($node, 'login-page');
my $url = start_example('node', example('login-page/server.js'));

# The browser's profile and whatever else it leaves goes with the test.
my $dir = PostgreSQL::Test::Utils::tempdir_short();
$ENV{HOME} = $ENV{TMPDIR} = $dir;
$ENV{CHROMIUM} = $chromium;
my $picture = "$dir/page.png";
my ($good, $out) = run_example(120, 'node', example('login-page/browse.js'), $url, $picture);

pass($1) while $out =~ /^ok: (.*)$/mg;
ok($good, 'browse.js ends well');
like($out, qr/^login-page: all as promised$/m, 'all as promised');
cmp_ok(-s $picture // 0, '>', 5000, 'a picture of the page');

# The server logs all statements; setup.sql keeps their parameters out.
my $log = slurp_file($node->logfile);
ok($log !~ /eyJ|jrt_/, 'no token in the log');
ok($log !~ /parameters: .*correct horse/, 'no password in the log');

$node->stop;
done_testing();
