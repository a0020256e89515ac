#!/bin/sh
# run.sh COMMAND...: runs COMMAND with PGHOST and PGPORT set to a PgBouncer in
# front of the server that they named before.  Without a command: the demo of
# ../node-pool, with four connections to PgBouncer and one from there on.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- env CONNECTIONS=4 node "$here/../node-pool/demo.js"

# A socket's path must be short, and PgBouncer's user must reach it.
dir=$(mktemp -d /tmp/pgbouncer.XXXXXX)
pid=""
cleanup()
{
	status=$?
	trap - EXIT INT TERM
	[ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null || true
	[ $status -eq 0 ] || cat "$dir/pgbouncer.log" >&2 2>/dev/null || true
	rm -rf "$dir"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sed -e "s|@database@|${PGDATABASE:-postgres}|g" -e "s|@dir@|$dir|" \
	-e "s|@host@|${PGHOST:-/var/run/postgresql}|" -e "s|@port@|${PGPORT:-5432}|" \
	"$here/pgbouncer.ini" >"$dir/pgbouncer.ini"

# PgBouncer refuses to run as root.
user=""
if [ "$(id -u)" = 0 ]
then
	user=${JWT_AUTH_USER:-postgres}
	chown -R "$user" "$dir"
fi
chmod 755 "$dir"

PATH=$PATH:/usr/sbin
pgbouncer -q ${user:+-u "$user"} "$dir/pgbouncer.ini" </dev/null &
pid=$!
tries=0
until [ -S "$dir/.s.PGSQL.6432" ]
do
	tries=$((tries + 1))
	[ $tries -le 100 ] && kill -0 "$pid" 2>/dev/null || {
		echo "PgBouncer did not start" >&2
		exit 1
	}
	sleep 0.1
done

PGHOST=$dir PGPORT=6432 "$@"
