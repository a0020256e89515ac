#!/bin/sh
# deb_test.sh [VERSION...]: builds the Debian packages, installs them, tests
# what was installed, and removes it: for this machine's PostgreSQL and for
# those in the root folders of scripts/root.sh that are there already.  What
# was built stays in build/deb/VERSION, a line each in build/proof/deb.
#
# All on top of a file system that is shown with changes of its own
# (overlayfs, in memory): the machine and the root folders stay as they are.
#
# Needs Debian or Ubuntu, root or a passwordless sudo, and about 1 GB of
# memory.  Exit status 75 if nothing failed, but the mirror does not have or
# does not give what it takes to build.

set -eu
cd "$(dirname "$0")/.."

cache=${JWT_AUTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jwt_auth}
if [ "$(id -u)" != 0 ]
then
	exec sudo -n env JWT_AUTH_CACHE="$cache" TMPDIR="${TMPDIR:-/tmp}" scripts/deb_test.sh "$@"
fi

pg_config=${PG_CONFIG:-$(scripts/find_pg_config.sh)}
native=$("$pg_config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
versions=$*
if [ -z "$versions" ]
then
	versions=$native
	# 19 is a server before its release, which no distribution builds for.
	for version in 17 18
	do
		[ "$version" = "$native" ] || [ ! -d "$cache/roots/pg$version" ] ||
			versions="$versions $version"
	done
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/jwt_auth_deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs inside, as root, in /jwt_auth; "$1" is the release.
cat >"$work/inside.sh" <<'INSIDE'
set -ex
version=$1
package=postgresql-$version-jwt-auth
export DEBIAN_FRONTEND=noninteractive
apt_get="apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends"
id tester 2>/dev/null || useradd -m tester
# Only this release, whatever else the distribution has.
mkdir -p /etc/postgresql-common
echo "$version" >/etc/postgresql-common/supported_versions
echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get -q update
# dpkg-dev, and what it takes to start a build at all
$apt_get install build-essential debhelper postgresql-server-dev-all
cd /jwt_auth/src
chown -R tester /jwt_auth/src /jwt_auth
# What debian/control asks for, and not what happens to be there.
$apt_get build-dep ./
runuser -u tester -- sh -c 'pg_buildext updatecontrol && dpkg-buildpackage -b -us -uc'
cd ..
$apt_get install ./$package"_"*.deb
echo "## installed $package"
cd src
runuser -u tester -- debian/tests/installcheck
echo "## tested $package"
library=/usr/lib/postgresql/$version/lib/jwt_auth.so
test -e "$library"
$apt_get purge $package
! test -e "$library"
! ls /usr/share/postgresql/$version/extension/jwt_auth*
echo "## removed $package"
INSIDE

# beside ROOT VERSION: ROOT with changes of its own
beside()
{
	timeout -k 10 1500 unshare --mount --pid --fork --kill-child sh -ec '
		root=$1 work=$2 version=$3
		mount -t tmpfs -o size=4g tmpfs "$work/changes"
		mkdir "$work/changes/upper" "$work/changes/work" "$work/changes/root"
		mount -t overlay overlay "$work/changes/root" -o \
			"lowerdir=$root,upperdir=$work/changes/upper,workdir=$work/changes/work"
		inside=$work/changes/root
		mount -t proc proc "$inside/proc"
		mount --rbind /dev "$inside/dev"
		mount -t tmpfs tmpfs "$inside/run"
		mount -t tmpfs -o mode=1777 tmpfs "$inside/tmp"
		mkdir -p "$inside/jwt_auth"
		mount --bind "$work/copy" "$inside/jwt_auth"
		cp "$work/inside.sh" "$inside/jwt_auth"
		exec chroot "$inside" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C.UTF-8 sh /jwt_auth/inside.sh "$version"
	' sh "$1" "$work" "$2" </dev/null
}

failed=0
mkdir -p build/proof build/deb "$work/changes" "$work/tree"
scripts/copy_tree.sh "$work/tree"
: >build/proof/deb
for version in $versions
do
	root=$cache/roots/pg$version
	[ "$version" != "$native" ] || root=/
	rm -rf "$work/copy" "build/deb/$version"
	mkdir -p "$work/copy" "build/deb/$version"
	cp -a "$work/tree" "$work/copy/src"
	log=build/deb/$version/log
	status=0
	beside "$root" "$version" >"$log" 2>&1 || status=$?
	cp "$work"/copy/*.deb "$work"/copy/*.changes "build/deb/$version" 2>/dev/null || true
	steps=$(sed -n 's/^## \([a-z]*\) .*/\1/p' "$log" | tr '\n' ' ')
	passed=$(grep -cE '^ok |^test .*\.\.\. ok( |$)' "$log") || true
	line="postgresql-$version-jwt-auth: built, ${steps:-}$passed tests passed"
	if [ -z "$steps" ] && grep -qE '^[EW]: .*(Failed to fetch|failed to download|Unable to fetch|Unable to locate)' "$log"
	then
		[ $failed -ne 0 ] || failed=75
		line="postgresql-$version-jwt-auth: not run: the mirror does not have what it needs"
		tail -n 5 "$log"
	elif [ $status -ne 0 ] || [ "$steps" != "installed tested removed " ]
	then
		failed=1
		line="postgresql-$version-jwt-auth: FAILED after: ${steps:-nothing}"
		tail -n 60 "$log"
	fi
	echo "$line" | tee -a build/proof/deb
done
chown -R --reference=. build/deb build/proof
exit $failed
