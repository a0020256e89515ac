#!/bin/sh
# Runs examples/demo.sql, on the server that with_server.sh provides, so that
# it reads like a session: statement, answer.  psql's own commands are left
# out.  Fails unless the last line says that all went as promised.

set -eu
cd "$(dirname "$0")/.."

output=$JWT_AUTH_TMP/demo.out

psql -X -a -P pager=off -P border=1 <examples/demo.sql 2>&1 |
	awk '
		/^\\/ { next }
		/^-- [1-9]\./ { print "" }
		{ sub(/ *\\gset$/, ";"); print; fflush() }
	' |
	tee "$output"
[ "$(tail -n 1 "$output")" = "demo: all as promised" ]
