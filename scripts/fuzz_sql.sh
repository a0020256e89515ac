#!/bin/sh
# fuzz_sql.sh: fuzzes SQL functions against jose (test/fuzz/sql) for
# FUZZ_SECONDS, in a server with the address and undefined behaviour
# sanitizers, in the root folder of PostgreSQL 18; where the mirror does not
# let that be made, in this machine's own.  Fails if a verdict is wrong or a
# sanitizer has anything to say.  The sum goes to build/proof/fuzz-sql.
#
# fuzz_sql.sh server WORDS: on the server that the PG* variables name, any
# whose superuser gets in without a password and that has the extension's
# files; WORDS say what it is.
#
# Needs node 20 and, once, npm and its registry.

set -eu
cd "$(dirname "$0")/.."

version=18
failed=build/fuzz/failed/sql.jsonl

mkdir -p build/proof build/fuzz/failed
if [ "${1:-}" = server ]
then
	modules=$(scripts/npm_packages.sh test/interop/package.json)
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	# An import is looked up beside the file that makes it.
	cp test/fuzz/sql/*.mjs "$work"
	ln -s "$modules" "$work/node_modules"

	status=0
	FUZZ_FAILED=$PWD/$failed node "$work/run.mjs" >build/fuzz/sql.log 2>&1 || status=$?
	server=$("$PG_CONFIG" --version)
	server=${server%% (*}
	[ ! -d build/sanitizer ] || [ -z "$(ls build/sanitizer)" ] || status=1
	sed "\$s/\$/; $server, $2/" build/fuzz/sql.log
	tail -n 1 build/fuzz/sql.log | sed "s/\$/; $server, $2/" >build/proof/fuzz-sql
	exit $status
fi

status=0
scripts/root.sh make $version >build/root.log 2>&1 || status=$?
if [ $status -eq 75 ]
then
	cat build/root.log
	"${MAKE:-make}" -s all
	exec scripts/with_server.sh scripts/fuzz_sql.sh server \
		"without sanitizers, as the mirror does not answer"
fi
[ $status -eq 0 ] || {
	cat build/root.log
	exit $status
}
rm -rf build/root/$version
scripts/root.sh run $version env FUZZ_SECONDS="${FUZZ_SECONDS:-120}" FUZZ_SEED="${FUZZ_SEED:-}" \
	scripts/sanitized.sh scripts/with_server.sh scripts/fuzz_sql.sh server \
	"address and undefined behaviour sanitizers" || status=$?
cp build/root/$version/proof/fuzz-sql build/proof ||
	echo "fuzz-sql: failed before its end" >build/proof/fuzz-sql
cp build/root/$version/fuzz/failed/sql.jsonl $failed || true
cp build/root/$version/fuzz/sql.log build/fuzz || true
exit $status
