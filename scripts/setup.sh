#!/bin/sh
# Installs what building and testing needs and is missing: Debian and Ubuntu,
# as root or through sudo.  Elsewhere it names the packages and fails.  Asks
# for files, not for packages, so that a server built from source counts too.

set -eu
cd "$(dirname "$0")/.."

missing=""

# need PACKAGE COMMAND...: the package is missing if the command fails
need()
{
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

# A variable of its own: what is found here is not yet what the user chose.
pg_config=${PG_CONFIG:-$(scripts/find_pg_config.sh)}
if [ -z "$pg_config" ] || ! [ -e "$("$pg_config" --pgxs)" ] ||
	! [ -e "$("$pg_config" --includedir-server)/postgres.h" ]
then
	missing=" postgresql-server-dev postgresql"
elif ! [ -x "$("$pg_config" --bindir)/postgres" ]
then
	missing=" postgresql"
fi
need libc6-dev test -e /usr/include/stdio.h
need libssl-dev test -e /usr/include/openssl/evp.h
# libpq/libpq-be.h of a server with GSSAPI includes <gssapi/gssapi.h>
need libkrb5-dev test -e /usr/include/gssapi/gssapi.h
need perl command -v prove
need libipc-run-perl perl -MIPC::Run -e 1
# For "make fuzz", see the Makefile.
if [ "${1:-}" = fuzz ]
then
	need clang command -v clang
	need libclang-rt sh -c "echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -fsanitize=fuzzer,address -x c -o /dev/null -"
fi
# For "make valgrind".
[ "${1:-}" != valgrind ] || need valgrind command -v valgrind
# For "make deb".
if [ "${1:-}" = deb ]
then
	need build-essential command -v dpkg-buildpackage
	need debhelper command -v dh
	need postgresql-server-dev-all command -v dh_pgxs_test
fi
# The layout is checked where it is judged, and what some tests skip without
# is installed there; a user's build does not need it.
if [ -n "${CI:-}" ]
then
	need pg-bsd-indent command -v pg_bsd_indent
	need pgbouncer test -x /usr/sbin/pgbouncer
	need prometheus-postgres-exporter command -v prometheus-postgres-exporter
	need nodejs command -v node
	need npm command -v npm
	need chromium test -x /usr/bin/chromium
	need fonts-dejavu-core test -d /usr/share/fonts/truetype/dejavu
fi
if [ "${1:-}" = bench-check ] || [ -n "${CI:-}" ]
then
	need valgrind test -e /usr/include/valgrind/callgrind.h
fi
# What the benchmarks hold us beside, and what draws the chart.
if [ "${1:-}" = bench ]
then
	need libjwt-dev test -e /usr/include/jwt.h
	need libcjose-dev test -e /usr/include/cjose/cjose.h
	need libjansson-dev test -e /usr/include/jansson.h
	need openssl command -v openssl
	need gnuplot-nox command -v gnuplot
	need nodejs command -v node
	need npm command -v npm
fi

[ -n "$missing" ] || exit 0

fail()
{
	echo "setup: $*" >&2
	exit 1
}

command -v apt-get >/dev/null ||
	fail "install the counterparts of these Debian packages:$missing"

# The major release of the server that is there, else the newest packaged one;
# nothing if the package lists are not there either.
major()
{
	if [ -n "$pg_config" ]
	then
		"$pg_config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/'
	elif ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
	then
		ls -d /usr/lib/postgresql/*/bin/postgres | cut -d/ -f5
	else
		apt-cache pkgnames postgresql-server-dev- |
			sed -n 's/^postgresql-server-dev-\([0-9][0-9]*\)$/\1/p'
	fi | sort -n | tail -n 1
}

# clang's own libraries carry its release, and older ones came with clang.
libclang_rt()
{
	apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p'
}

# The missing packages under the distribution's names.
packages()
{
	major=$(major)
	for package in $missing
	do
		case $package in
			postgresql) package=postgresql${major:+-$major} ;;
			postgresql-server-dev) package=$package-${major:-all} ;;
			pg-bsd-indent) apt-cache pkgnames | grep -qx $package || continue ;;
			libclang-rt) package=$(libclang_rt) ;;
		esac
		printf ' %s' "$package"
	done
}

if [ "$(id -u)" = 0 ]
then
	as_root=""
elif sudo -n true 2>/dev/null
then
	as_root="sudo -n"
else
	fail "neither root nor sudo here; as root: apt-get install$(packages)"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# quietly COMMAND...: shows what it said only if it failed
quietly()
{
	"$@" >"$log" 2>&1 </dev/null || {
		cat "$log" >&2
		fail "failed: $*"
	}
}

apt_get="env DEBIAN_FRONTEND=noninteractive apt-get -q -y"
[ -n "$(apt-cache pkgnames postgresql-server-dev-)" ] || quietly $as_root $apt_get update
packages=$(packages)
[ -n "$packages" ] || exit 0
echo "setup: installing$packages"

# The package would make a cluster and start it: not asked for.  A machine
# whose administrator has postgresql-common already keeps its own choice.
if ! [ -e /etc/postgresql-common ]
then
	$as_root mkdir -p /etc/postgresql-common
	echo "create_main_cluster = false" |
		$as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi

install_packages()
{
	$as_root $apt_get install --no-install-recommends \
		-o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 $packages
}

# Package lists that are older than the mirror are the usual failure.
install_packages >"$log" 2>&1 </dev/null || {
	quietly $as_root $apt_get update
	quietly install_packages
}
