#!/bin/sh
# Fuzzes SQL functions against jose (test/fuzz/sql) for FUZZ_SECONDS, on the
# server that the PG* variables name: with_server.sh's, or any other whose
# superuser gets in without a password and that has the extension's files.
# Needs node 20 and, once, npm and its registry.  The sum goes to
# build/proof/fuzz-sql.

set -eu
cd "$(dirname "$0")/.."

jose=6.2.18
cache=${JWT_AUTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jwt_auth}/npm/jose-$jose
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v node >/dev/null || {
	echo "fuzz-sql: node is not installed" >&2
	exit 1
}
if ! [ -e "$cache/node_modules/jose/package.json" ]
then
	# Beside its place and then renamed: others may be doing the same.
	mkdir -p "$cache.$$"
	npm install --prefix "$cache.$$" --cache "$work" --no-package-lock \
		--ignore-scripts --no-audit --no-fund --no-update-notifier \
		--loglevel=error "jose@$jose" >&2
	mv "$cache.$$" "$cache" 2>/dev/null || rm -rf "$cache.$$"
fi

# An import is looked up beside the file that makes it.
cp test/fuzz/sql/*.mjs "$work"
ln -s "$cache/node_modules" "$work/node_modules"

mkdir -p build/proof build/fuzz
status=0
FUZZ_FAILED=$PWD/build/fuzz/failed/sql.jsonl node "$work/run.mjs" >build/fuzz/sql.log 2>&1 ||
	status=$?
cat build/fuzz/sql.log
tail -n 1 build/fuzz/sql.log >build/proof/fuzz-sql
exit $status
