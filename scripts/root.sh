#!/bin/sh
# root.sh make VERSION		prints the root folder that has PostgreSQL VERSION;
#				exit status 75 if the mirror does not answer
# root.sh run VERSION COMMAND...	runs COMMAND in it, on a copy of this tree
# root.sh versions		prints the versions there are roots for
# root.sh mirror		prints where this machine's packages come from
#
# A root folder is a small Debian of its own, because one Debian has one
# PostgreSQL and one OpenSSL, and the packages of a newer one would replace
# this machine's libc.  It is made once (a minute, 1.4 GB) and kept in the
# cache folder: $JWT_AUTH_CACHE, else jwt_auth in $XDG_CACHE_HOME, else in
# ~/.cache.
#
# COMMAND runs as an ordinary user with mounts and processes of its own: at
# its end nothing is mounted and nothing runs, however it ended.  It starts in
# the copy.  What it leaves in build/ is found in build/root/VERSION.  After
# $ROOT_SECONDS (an hour) it is ended.  It finds node there, and the packages
# of test/interop if this machine's npm could fetch them.
#
# Needs Debian or Ubuntu, and root or a passwordless sudo.

set -eu
cd "$(dirname "$0")/.."

fail()
{
	echo "root: $*" >&2
	exit 1
}

# What only the mirror is to blame for, and another day is the cure of
# (EX_TEMPFAIL of sysexits.h).
absent()
{
	echo "root: $*" >&2
	exit 75
}

action=${1:-}
version=${2:-}
cache=${JWT_AUTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jwt_auth}
tester=12345

if [ "$action" = versions ]
then
	echo 17 18 19
	exit 0
fi

# This machine's mirror serves the other releases, too.
mirror()
{
	cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
		sed -nE -e 's/^URIs: *([^ ]*).*/\1/p' -e 's/^deb .*\b([a-z]+:\/\/[^ ]*).*/\1/p' |
		head -n 1
}

if [ "$action" = mirror ]
then
	mirror
	exit 0
fi

# npm is here and not there, where it would bring hundreds of packages; as
# whoever owns the cache, and not as root.
[ "$action" != run ] || [ -n "${JWT_AUTH_NPM+set}" ] ||
	JWT_AUTH_NPM=$(scripts/npm_packages.sh test/interop/package.json 2>/dev/null) || true

if [ "$(id -u)" != 0 ]
then
	sudo -n true 2>/dev/null || fail "neither root nor a passwordless sudo here"
	exec sudo -n env JWT_AUTH_CACHE="$cache" JWT_AUTH_NPM="${JWT_AUTH_NPM:-}" \
		TMPDIR="${TMPDIR:-/tmp}" ROOT_SECONDS="${ROOT_SECONDS:-}" scripts/root.sh "$@"
fi

# The Debian that has the server.
case $version in
	17) suite=trixie ;;
	18) suite=forky ;;
	19) suite=sid ;;
	*) fail "there is no root for PostgreSQL \"$version\"" ;;
esac
root=$cache/roots/pg$version

packages="ca-certificates gcc libc6-dev libipc-run-perl libkrb5-dev libpq-dev
	libssl-dev make nodejs openssl perl pgbouncer pkcs11-provider
	postgresql-$version postgresql-client-$version
	postgresql-server-dev-$version softhsm2"
# psql's part in a device flow; since 18.
[ "$version" -lt 18 ] || packages="$packages libpq-oauth"
# A server to upgrade from, with the libraries that only it has: unpacked into
# /opt/old, as their own Debian's other packages do not fit.
[ "$version" -ne 17 ] || old_packages="postgresql-15 postgresql-client-15
	postgresql-server-dev-15 libicu72 libldap-2.5-0"

# A server before its release, and the OpenSSL to come, are in experimental:
# of these packages the newer one counts, wherever it is.
from_experimental="libpq-dev libpq5 libpq-oauth libssl-dev libssl4 openssl
	openssl-provider-legacy postgresql-$version postgresql-client-$version
	postgresql-server-dev-$version"

# apart COMMAND...: with mounts and processes of its own
apart()
{
	# In the foreground: what ends this script ends that, too.
	timeout --foreground -k 10 "${ROOT_SECONDS:-3600}" \
		unshare --mount --pid --fork --kill-child "$@" </dev/null
}

# in_new_root COMMAND...: as root, for the packages
in_new_root()
{
	apart sh -ec '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
	' sh "$root.new" "$@"
}

# Services stay off, documents out, and nothing waits for the disk: a root
# that was not finished is made anew.
configure()
{
	cd "$root.new"
	printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
	chmod 755 usr/sbin/policy-rc.d
	mkdir -p etc/postgresql-common
	echo "create_main_cluster = false" >etc/postgresql-common/createcluster.conf
	cat >etc/apt/apt.conf.d/90jwt_auth <<-CONF
	Acquire::Check-Valid-Until "false";
	Acquire::Languages "none";
	Acquire::Retries "3";
	APT::Install-Recommends "false";
	Dpkg::Use-Pty "0";
	CONF
	cat >etc/dpkg/dpkg.cfg.d/jwt_auth <<-CONF
	force-unsafe-io
	path-exclude=/usr/share/doc/*
	path-exclude=/usr/share/man/*
	path-exclude=/usr/share/locale/*
	CONF
	echo "deb $1 $suite main" >etc/apt/sources.list
	if [ $suite = sid ]
	then
		echo "deb $1 experimental main" >>etc/apt/sources.list
		cat >etc/apt/preferences.d/jwt_auth <<-CONF
		Package: $(echo $from_experimental)
		Pin: release a=experimental
		Pin-Priority: 500
		CONF
	fi
	[ -z "${old_packages:-}" ] ||
		echo "deb $1 bookworm main" >>etc/apt/sources.list
	chroot . useradd -m -u $tester tester
	cd "$OLDPWD"
}

build_root()
{
	apt_get="env DEBIAN_FRONTEND=noninteractive apt-get -q -y"
	command -v debootstrap >/dev/null ||
		$apt_get install --no-install-recommends debootstrap ||
		{
			$apt_get update
			$apt_get install --no-install-recommends debootstrap
		}
	rm -rf "$root.new"
	# A release that is younger than debootstrap is made as sid is.
	script=/usr/share/debootstrap/scripts/$suite
	[ -e "$script" ] || script=${script%/*}/sid
	mirror=$(mirror)
	debootstrap --variant=minbase $suite "$root.new" "$mirror" "$script"
	configure "$mirror"
	in_new_root apt-get -q update
	in_new_root apt-get -q -y install $packages
	if [ -n "${old_packages:-}" ]
	then
		in_new_root sh -ec '
			cd /tmp
			apt-get -q download "$@"
			for package in *.deb
			do
				dpkg-deb -x "$package" /opt/old
				rm "$package"
			done
		' sh $old_packages
	fi
	in_new_root apt-get clean
	recipe >"$root.new/.recipe"
	rm -rf "$root"
	mv "$root.new" "$root"
}

# recipe: says what is in a root, so that one of another recipe is made anew
recipe()
{
	echo $suite $packages ${old_packages:-}
}

# Do the words of debootstrap and apt say that something was not to be had?
# Not that a package does not exist: that is for a change of the recipe.
mirror_failed()
{
	grep -qE -e '^[EW]: .*(Failed to fetch|failed to download|Unable to fetch)' \
		-e "^E: (Failed getting release|Couldn't download)" "$root.log" || {
		# The time was up while it waited for the mirror.
		[ $1 -eq 124 ] &&
			tail -n 1 "$root.log" | grep -qE '^(Get|Ign|Err|Hit):|^I: (Retrieving|Validating)|etrying'
	}
}

make_root()
{
	mkdir -p "$cache/roots"
	exec 9>"$root.lock"
	flock 9
	if [ "$(cat "$root/.recipe" 2>/dev/null)" != "$(recipe)" ]
	then
		# In a process of its own, where the shell still stops at a failure.
		status=0
		timeout -k 10 900 scripts/root.sh build "$version" >"$root.log" 2>&1 </dev/null ||
			status=$?
		if [ $status -ne 0 ]
		then
			tail -n 20 "$root.log" >&2
			! mirror_failed $status ||
				absent "the mirror does not have what PostgreSQL $version needs, or does not answer"
			fail "the root for PostgreSQL $version could not be made"
		fi
	fi
	exec 9>&-
}

run_in_root()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/jwt_auth_root.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work/src" "$work/tmp" "$work/cache"
	scripts/copy_tree.sh "$work/src"
	[ -z "${JWT_AUTH_NPM:-}" ] || cp -r "${JWT_AUTH_NPM%/node_modules}" "$work/cache"
	# Compiled for another server.
	find "$work/src" \( -name '*.o' -o -name '*.so' \) -exec rm {} +
	chown -R $tester "$work"
	chmod 755 "$work"

	status=0
	apart sh -ec '
		root=$1 work=$2 tester=$3 version=$4
		shift 4
		mkdir -p "$root/jwt_auth"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/run"
		mount --bind "$work" "$root/jwt_auth"
		[ ! -d "$root/opt/old" ] || set -- env JWT_AUTH_OLD_SERVER=/opt/old "$@"
		# Not exec: whoever changes its user no longer dies with its parent,
		# and all in here ends when this process does.
		status=0
		chroot --userspec=$tester:$tester "$root" env -i \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/jwt_auth/tmp \
			TMPDIR=/jwt_auth/tmp LC_ALL=C JWT_AUTH_CACHE=/jwt_auth/cache \
			PG_CONFIG=/usr/lib/postgresql/$version/bin/pg_config \
			sh -c '\''cd /jwt_auth/src && exec "$@"'\'' sh "$@" || status=$?
		exit $status
	' sh "$root" "$work" $tester "$version" "$@" || status=$?

	if [ -d "$work/src/build" ]
	then
		mkdir -p build/root
		rm -rf "build/root/$version"
		cp -r "$work/src/build" "build/root/$version"
		chown -R --reference=. build/root
	fi
	exit $status
}

case $action in
	make)
		make_root
		echo "$root"
		;;
	build)
		build_root
		;;
	run)
		make_root
		shift 2
		run_in_root "$@"
		;;
	*)
		fail "unknown action \"$action\""
		;;
esac
