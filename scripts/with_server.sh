#!/bin/sh
# with_server.sh COMMAND...: runs COMMAND beside a throw-away server on which
# CREATE EXTENSION jwt_auth works, and removes every trace at the end.  Demo,
# tests and benchmarks all come through here.
#
# The extension is not installed on the system: control files and libraries
# are found relative to the postgres binary, so a copy of the binaries beside
# folders of links to the rest, in the same relative places, is an
# installation of our own.  That needs no root, and a running system server
# does not notice.
#
# COMMAND finds in its environment
#	PGHOST, PGPORT, PGUSER, PGDATABASE	a superuser's connection
#	PATH		our copy of the binaries first
#	JWT_AUTH_TMP	the throw-away folder, also for COMMAND's own files
#	JWT_AUTH_USER	who runs the server: initdb refuses root
#
# JWT_AUTH_POSTGRES is a program to start in the server's place, with the
# server's arguments and the server first in its PATH.
#
# SERVER_PRELOAD names libraries that servers load first, and nothing else
# does: those of a sanitizer.

set -eu
cd "$(dirname "$0")/.."
checkout=$PWD

PG_CONFIG=${PG_CONFIG:-$(scripts/find_pg_config.sh)}
bindir=$("$PG_CONFIG" --bindir)
timeout_seconds=60

if [ "$(id -u)" != 0 ]
then
	JWT_AUTH_USER=$(id -un)
	as_user=""
else
	JWT_AUTH_USER=nobody
	id postgres >/dev/null 2>&1 && JWT_AUTH_USER=postgres
	as_user="runuser -u $JWT_AUTH_USER --"
fi

umask 022
JWT_AUTH_TMP=""

cleanup()
{
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -n "$JWT_AUTH_TMP" ] || exit $status
	# COMMAND may have left servers of its own behind (a TAP test that died).
	for pid_file in $(find "$JWT_AUTH_TMP" -name postmaster.pid)
	do
		$as_user "$pg/pg_ctl" -D "${pid_file%/*}" -m immediate \
			-t $timeout_seconds stop >/dev/null 2>&1 </dev/null || true
	done
	if [ $status -ne 0 ] && [ -e "$JWT_AUTH_TMP/server.log" ]
	then
		mkdir -p "$checkout/build"
		cp "$JWT_AUTH_TMP/server.log" "$checkout/build/server.log"
	fi
	rm -rf "$JWT_AUTH_TMP"
	exit $status
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Under the system's folder for such things rather than in build/: the
# server's user may not be able to reach the checkout.  A socket's path must
# stay under 107 bytes, and some set TMPDIR to a long or private one.
JWT_AUTH_TMP=$(mktemp -d "${TMPDIR:-/tmp}/jwt_auth.XXXXXX")
chmod 755 "$JWT_AUTH_TMP"
case $JWT_AUTH_TMP in
	*[[:space:]]*) usable=false ;;
	*) usable=true ;;
esac
[ ${#JWT_AUTH_TMP} -le 80 ] || usable=false
$as_user test -x "$JWT_AUTH_TMP/." || usable=false
if [ $usable = false ]
then
	rm -rf "$JWT_AUTH_TMP"
	JWT_AUTH_TMP=$(mktemp -d /tmp/jwt_auth.XXXXXX)
	chmod 755 "$JWT_AUTH_TMP"
fi

# The private installation: $stage before each path that pg_config knows.
stage=$JWT_AUTH_TMP/pg
pg=$stage$bindir
mkdir -p "$pg"
cp -L "$bindir"/* "$pg"
if [ -n "${SERVER_PRELOAD:-}" ]
then
	mv "$pg/postgres" "$pg/postgres.preloaded"
	# Under its own name, which is how a restart finds it.
	cat >"$pg/postgres" <<-WRAPPER
	#!/usr/bin/perl
	\$ENV{LD_PRELOAD} = '$SERVER_PRELOAD';
	exec { "\$0.preloaded" } \$0, @ARGV;
	WRAPPER
	chmod 755 "$pg/postgres"
fi
for dir in $("$PG_CONFIG" --pkglibdir --sharedir)
do
	mkdir -p "$stage$dir"
	cp -as "$dir"/. "$stage$dir"
done
# Links to an installed jwt_auth would be written through.
find "$stage" -name 'jwt_auth*' -type l -exec rm {} +
"${MAKE:-make}" -s install DESTDIR="$stage" PG_CONFIG="$PG_CONFIG" >/dev/null

mkdir "$JWT_AUTH_TMP/socket"
touch "$JWT_AUTH_TMP/server.log"
mkdir -m 700 "$JWT_AUTH_TMP/data"
[ -z "$as_user" ] ||
	chown "$JWT_AUTH_USER" "$JWT_AUTH_TMP/socket" "$JWT_AUTH_TMP/data" \
		"$JWT_AUTH_TMP/server.log"

# What the caller's environment says of other servers is not for this one.
for variable in $(env | sed -n 's/^\(PG[A-Z_]*\)=.*/\1/p')
do
	case $variable in
		# says nothing of servers
		PG_CONFIG | PGJWT_DIR) ;;
		*) unset "$variable" ;;
	esac
done
export LC_ALL=C
export PATH="$pg:$PATH"

cd "$JWT_AUTH_TMP"
$as_user "$pg/initdb" -D "$JWT_AUTH_TMP/data" -N -A trust -U postgres \
	-E UTF8 --no-locale >initdb.log 2>&1 </dev/null || {
	cat initdb.log >&2
	exit 1
}
cat >>"$JWT_AUTH_TMP/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$JWT_AUTH_TMP/socket'
fsync = off
max_prepared_transactions = 8
CONF

# The socket's folder is ours alone, so that any port is free.
export PGHOST="$JWT_AUTH_TMP/socket" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
$as_user "$pg/pg_ctl" -D "$JWT_AUTH_TMP/data" ${JWT_AUTH_POSTGRES:+-p "$JWT_AUTH_POSTGRES"} -l "$JWT_AUTH_TMP/server.log" \
	-w -t $timeout_seconds start >/dev/null 2>&1 </dev/null || {
	cat "$JWT_AUTH_TMP/server.log" >&2
	exit 1
}
cd "$checkout"

export JWT_AUTH_TMP JWT_AUTH_USER PG_CONFIG
"$@"
