#!/bin/sh
# npm_packages.sh FILE/package.json: prints the folder, for NODE_PATH, in which
# the packages are that it names.  They are installed outside the checkout, one
# folder a package.json, and stay there: in $JWT_AUTH_CACHE, else in the user's
# own cache folder.  Fails, and says why, if they are not to be had.  Where
# they are there already npm is not needed.

set -eu
json=$1

fail()
{
	echo "npm_packages: $*" >&2
	exit 1
}

command -v node >/dev/null || fail "there is no node here"

cache=${JWT_AUTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jwt_auth}
mkdir -p -m 700 "$cache" || fail "could not make $cache"
# Code that runs as us comes from no folder of somebody else's.
[ -O "$cache" ] && [ -w "$cache" ] || fail "$cache is not ours"

# Nothing is built for the machine (--ignore-scripts), so that any node may
# use what another one's npm fetched.
dir=$cache/npm-$(sha256sum <"$json" | cut -c1-16)
if ! [ -d "$dir" ]
then
	command -v npm >/dev/null || fail "there is no npm here"
	new=$dir.$$
	mkdir "$new"
	trap 'rm -rf "$new"' EXIT
	cp "$json" "$new"
	npm install --prefix "$new" --no-package-lock --ignore-scripts --no-audit --no-fund \
		--no-update-notifier --loglevel=error --cache "$new/.npm" \
		--fetch-retries=1 --fetch-timeout=30000 >"$new/log" 2>&1 </dev/null || {
		fail "npm could not install what $json names:" \
			"$(grep -m 1 -E 'npm (error|ERR!) [a-z]' "$new/log" || tail -n 1 "$new/log")"
	}
	rm -rf "$new/.npm" "$new/log"
	# Another run may have been faster.
	mv "$new" "$dir" 2>/dev/null || [ -d "$dir" ]
fi
echo "$dir/node_modules"
