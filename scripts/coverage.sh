#!/bin/sh
# Measures what the tests reach of our C code: runs every test on a build
# that counts, in a copy of the tree, and reports.  Fails if a test fails, if
# a line is neither reached nor listed with a reason in
# test/coverage/uncovered.md, or below 95 % of lines and 90 % of branches.
# The figures in one line: build/proof/coverage.

set -eu
cd "$(dirname "$0")/.."
checkout=$PWD

# The backends write their counts beside the objects, as the server's user.
copy=$(mktemp -d /tmp/jwt_auth_coverage.XXXXXX)
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$copy"
scripts/copy_tree.sh "$copy"
cd "$copy"
make=${MAKE:-make}
$make -s clean
$make -s -j"$(nproc)" all build/unit/unit \
	PG_CFLAGS="-fvisibility=hidden --coverage -O0" \
	SHLIB_LINK="-lcrypto --coverage" \
	UNIT_CFLAGS="-std=c99 -g -O0 --coverage"
find . -type d -exec chmod a+rwx {} +
umask 0

status=0
scripts/test.sh || status=$?

rm -rf "$checkout/build/coverage"
mkdir -p "$checkout/build/coverage" "$checkout/build/proof"
cp -r build/test "$checkout/build/coverage"
find . -name '*.gcda' -exec gcov --json-format --branch-probabilities --stdout {} + \
	>"$checkout/build/coverage/gcov.json" 2>/dev/null

# Beside the sources that were measured, whatever became of the checkout's.
test/coverage/report.pl "$checkout/build/coverage/gcov.json" \
	>"$checkout/build/coverage/report.txt" || status=1
cd "$checkout"
cat build/coverage/report.txt
tail -n 1 build/coverage/report.txt >build/proof/coverage
exit $status
