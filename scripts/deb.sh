#!/bin/sh
# deb.sh: builds and tests the Debian packages, one for each PostgreSQL
# release of this distribution, and leaves them in build/deb.
#
# DEB_BUILD_OPTIONS=nocheck builds only.  scripts/deb_test.sh also installs
# them, somewhere apart.
#
# In a copy of the tree, and as an ordinary user if called by root: the tests
# make a server, which initdb refuses to root.

set -eu
cd "$(dirname "$0")/.."

as_user=""
[ "$(id -u)" != 0 ] || as_user="runuser -u nobody --"

work=$(mktemp -d "${TMPDIR:-/tmp}/jwt_auth_deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$work"
mkdir "$work/src" "$work/tmp"
scripts/copy_tree.sh "$work/src"
[ -z "$as_user" ] || chown -R nobody "$work"

# debian/control names the releases of the distribution it was written on.
(
	cd "$work/src"
	$as_user env PG_UPDATECONTROL=yes TMPDIR="$work/tmp" HOME="$work/tmp" \
		dpkg-buildpackage -b -us -uc
) >"$work/log" 2>&1 </dev/null || {
	tail -n 100 "$work/log" >&2
	echo "deb: the packages could not be built" >&2
	exit 1
}

rm -rf build/deb
mkdir -p build/deb
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$work/log" build/deb
ls build/deb/*.deb
