#!/bin/sh
# Measures what the tests reach of our C code: runs every test on a build
# that counts, in a copy of the tree, and reports.  Fails below 95 % of lines
# or 90 % of branches; with exit status 3 if it is no worse than that a test
# failed, or that a line is neither reached nor listed with a reason in
# test/coverage/uncovered.md.  The figures in one line: build/proof/coverage.

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

tests=0
scripts/test.sh || tests=3

rm -rf "$checkout/build/coverage"
mkdir -p "$checkout/build/coverage" "$checkout/build/proof"
cp -r build/test "$checkout/build/coverage"
find . -name '*.gcda' -exec gcov --json-format --branch-probabilities --stdout {} + \
	>"$checkout/build/coverage/gcov.json" 2>/dev/null

# Beside the sources that were measured, whatever became of the checkout's.
status=0
test/coverage/report.pl "$checkout/build/coverage/gcov.json" \
	>"$checkout/build/coverage/report.txt" || status=$?
failed=$(sed -n 's/.*, \([1-9][0-9]*\) failed.*/; \1 tests failed/p' build/test/sum | tail -n 1)
cd "$checkout"
cat build/coverage/report.txt
tail -n 1 build/coverage/report.txt | sed "s/\$/$failed/" >build/proof/coverage
[ $status -ne 0 ] || status=$tests
exit $status
