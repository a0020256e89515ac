#!/bin/sh
# matrix.sh: every test on several releases of PostgreSQL and OpenSSL, one
# after the other; a line for each at the end, also in build/proof/matrix.
#
# MATRIX="17 18" chooses; else it is this machine's release and each that
# scripts/root.sh has a root folder for.  A release whose root could not be
# made because the mirror does not answer is "not run": it is no failure, and
# no success.
#
# Fails if a test failed, or a root could not be made for another reason.

set -u
cd "$(dirname "$0")/.." || exit

pg_config=${PG_CONFIG:-$(scripts/find_pg_config.sh)}
native=$("$pg_config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
in_roots=$(scripts/root.sh versions)
versions=${MATRIX:-$(printf '%s\n' "$native" $in_roots | sort -nu)}
proof=build/proof/matrix
failed=0

mkdir -p build/proof
for version in $versions
do
	echo "PostgreSQL $version: not run: no time left"
done >"$proof"

# say VERSION WORDS: what became of it
say()
{
	awk -v line="PostgreSQL $1: not run: no time left" -v words="$2" '
		{ print $0 == line ? words : $0 }
	' "$proof" >build/matrix && cp build/matrix "$proof"
}

# The next root is made while the tests of the last wait for their clocks.
(
	for version in $versions
	do
		[ "$version" = "$native" ] || scripts/root.sh make "$version" 2>&1
	done
) >build/roots.log </dev/null &
roots=$!
trap 'kill $roots 2>/dev/null' EXIT
trap 'exit 143' HUP INT TERM

# test_in_root VERSION: prints its progress
test_in_root()
{
	rm -rf "build/root/$1"
	ROOT_SECONDS=900 scripts/root.sh run "$1" sh -c '
		make -s -j"$(nproc)" WERROR=1 all build/unit/unit && exec scripts/test.sh'
}

for version in $versions
do
	echo "=== PostgreSQL $version"
	results=build/root/$version/test
	status=0
	if [ "$version" = "$native" ]
	then
		results=build/test
		rm -rf $results
		make -s all build/unit/unit && scripts/test.sh || status=$?
	elif scripts/root.sh make "$version" >build/root.log 2>&1 || status=$?
		[ $status -ne 0 ]
	then
		cat build/root.log
		if [ $status -eq 75 ]
		then
			say "$version" "PostgreSQL $version: not run: $(tail -n 1 build/root.log)"
		else
			say "$version" "PostgreSQL $version: FAILED: $(tail -n 1 build/root.log)"
			failed=1
		fi
		continue
	else
		test_in_root "$version" || status=$?
	fi
	if [ -e "$results/summary" ]
	then
		say "$version" "$(cat "$results/summary")"
	else
		say "$version" "PostgreSQL $version: FAILED before the tests ended"
	fi
	[ $status -eq 0 ] || failed=1
done

echo
cat "$proof"
exit $failed
