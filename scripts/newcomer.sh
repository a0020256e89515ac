#!/bin/sh
# newcomer.sh: follows docs/getting-started.md to the letter on an empty
# machine, a Debian of its own with nothing but sudo and a clean copy of this
# tree, and says how long the commands took.  Fails if somebody who does so
# does not see the rows of the token, and those alone.
#
# Needs what scripts/root.sh needs.  At its end nothing is left.

set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]
then
	exec sudo -n env TMPDIR="${TMPDIR:-/tmp}" scripts/newcomer.sh
fi

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
work=$(mktemp -d "${TMPDIR:-/tmp}/jwt_auth_newcomer.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
root=$work/root
home=$root/home/newcomer

command -v debootstrap >/dev/null ||
	env DEBIAN_FRONTEND=noninteractive apt-get -q -y install debootstrap >/dev/null
debootstrap --variant=minbase --include=sudo,ca-certificates "$suite" "$root" \
	"$(scripts/root.sh mirror)" >"$work/debootstrap.log" 2>&1 || {
	tail -n 20 "$work/debootstrap.log" >&2
	exit 1
}
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "127.0.0.1 localhost $(uname -n)" >"$root/etc/hosts"
chroot "$root" useradd -m newcomer
echo "newcomer ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/newcomer"
mkdir "$home/jwt_auth"
scripts/copy_tree.sh "$home/jwt_auth"
find "$home" \( -name '*.o' -o -name '*.so' \) -exec rm {} +

# The blocks as they are typed: those of sh into the shell, those of sql into
# the psql that the last of these starts.
blocks()
{
	awk -v wanted="$1" '
		$0 == "```" { inside = 0 }
		inside { print }
		$0 == "```" wanted { inside = 1 }
	' docs/getting-started.md
}
blocks sql >"$home/typed.sql"
blocks sh >"$home/typed.sh"
chroot "$root" chown -R newcomer: /home/newcomer

# PGPASSWORD: what is typed where psql asks for the password.
began=$(date +%s)
unshare --mount --pid --fork --kill-child sh -ec '
	mount -t proc proc "$1/proc"
	mount --rbind /dev "$1/dev"
	exec chroot --userspec=newcomer "$1" env -i HOME=/home/newcomer LANG=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
		sh -ec "cd ~/jwt_auth
			sed \"s/^sudo -u postgres psql app\$/sudo -u postgres PGPASSWORD=\\\"change me\\\" psql app <~\/typed.sql/\" ../typed.sh >../run.sh
			exec sh -eux ../run.sh"
' sh "$root" </dev/null >"$work/out" 2>&1 || {
	tail -n 40 "$work/out" >&2
	echo "newcomer: a command failed" >&2
	exit 1
}
seconds=$(($(date +%s) - began))

grep -v '^\(Get\|Selecting\|Preparing\|Unpacking\|Setting up\|Processing\)' "$work/out" |
	sed -n '/psql app/,$p'
if ! grep -q '^ 42 *| buy milk$' "$work/out" || ! grep -q '^(2 rows)$' "$work/out" ||
	grep -q 'not yours$' "$work/out" || [ "$(grep -c '^ERROR: ' "$work/out")" != 2 ]
then
	echo "newcomer: not the rows that the page shows" >&2
	exit 1
fi
mkdir -p build/proof
echo "newcomer: rows filtered by a token after $seconds s, on an empty $suite" | tee build/proof/newcomer
