#!/bin/sh
# Runs the unit tests, and pg_regress and the isolation tests on a server,
# under valgrind's memcheck.
# Fails at any error, and at any leak in which our code had a part; what the
# server itself leaves at a backend's end is not ours to judge.  Its own
# errors, and those of valgrind with it, are in test/valgrind.supp.  Exit
# status 3 if only a test on the server failed, which is slow here.
# The figures in one line: build/proof/valgrind.

set -eu
cd "$(dirname "$0")/.."

export RESULTS="$PWD/build/valgrind"
rm -rf "$RESULTS"
mkdir -p "$RESULTS" build/proof
: >"$RESULTS/counts"
options="-q --leak-check=full --show-leak-kinds=definite,indirect,possible
	--num-callers=40 --fullpath-after="

# The server runs as another user, who may not be able to reach the checkout.
logs=$(mktemp -d /tmp/jwt_auth_valgrind.XXXXXX)
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM HUP
chmod 777 "$logs"
cp test/valgrind.supp "$logs"
status=0

echo "== unit under valgrind"
JWT_AUTH_VALGRIND=yes valgrind $options --log-file="$logs/unit.log" \
	--suppressions=test/valgrind.supp --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 \
	build/unit/unit >"$RESULTS/unit.log" 2>&1 </dev/null || status=1
unit=$(tail -n 1 "$RESULTS/unit.log")
[ $status -eq 0 ] || sed '/^ok /d' "$RESULTS/unit.log"

# The postmaster's children inherit valgrind; what they execute does not.
cat >"$logs/postgres" <<WRAPPER
#!/bin/sh
exec valgrind $(echo $options) --suppressions=$logs/valgrind.supp \\
	--log-file=$logs/server.%p.log "\$(command -v postgres)" "\$@"
WRAPPER
chmod 755 "$logs/postgres"
slow=0
JWT_AUTH_POSTGRES="$logs/postgres" STAGES="regress isolation" \
	scripts/with_server.sh scripts/test_server.sh || slow=3

# tests STAGE: its numbers
tests()
{
	sed -n "s/^$1 \([0-9]*\) \([0-9]*\) .*/\1 passed, \2 failed/p" "$RESULTS/counts"
}
regress=$(tests regress)
isolation=$(tests isolation)
[ -n "$isolation" ] || status=1

# Records are paragraphs.  A leak without a frame of ours is the server's.
cat "$logs"/*.log >"$RESULTS/all.log"
sed 's/^==[0-9]*== \{0,1\}//' "$RESULTS/all.log" | awk '
	BEGIN { RS = "" }
	/lost in loss record/ && !/\/src\/(core|backend|sql)\/|jwt_auth\.so|\/test\/unit\// { next }
	/lost in loss record/ { leaks++ }
	!/lost in loss record/ { errors++ }
	{ print $0 "\n" }
	END { printf "%d errors, %d leaks\n", errors, leaks }
' >"$RESULTS/ours.log"
found=$(tail -n 1 "$RESULTS/ours.log")
[ "$found" = "0 errors, 0 leaks" ] || {
	status=1
	head -n 200 "$RESULTS/ours.log"
}
backends=$(ls "$logs"/server.*.log 2>/dev/null | wc -l)
[ "$backends" -gt 10 ] || status=1

echo "valgrind: $found; unit: ${unit:-did not run}; pg_regress: ${regress:-did not run}; isolation: ${isolation:-did not run}; $backends server processes" |
	tee build/proof/valgrind
[ $status -ne 0 ] || status=$slow
exit $status
