#!/bin/sh
# Checks what the architecture promises; quiet if it holds.  Needs jwt_auth.so.
#
#	- src/core compiles as strict C99 with no server in sight
#	- includes point one way (the table below)
#	- the library exports what the install scripts name, and nothing else
#	- PG_VERSION_NUM is asked in one file only
#	- the Makefile names every source file
#	- what a session keeps of its tokens, and pgjwt's MAC, are compared in
#	  constant time

set -u
cd "$(dirname "$0")/.." || exit

failed=0
complain()
{
	echo "check-layers: $*" >&2
	failed=1
}

# The layers, lowest first.  A file includes its own layer and lower ones.
rank()
{
	case $1 in
		src/core/*) echo 0 ;;
		src/backend/*)
			name=${1##*/}
			case ${name%.*} in
				compat | report | guc | asker | secret | json | json_* | catalog | catalog_* | expression | source_names | expression_*) echo 1 ;;
				jwk | event | purge | transport | keystore | keystore_* | issuer | revocation | deny_filter) echo 2 ;;
				token | token_* | session_row) echo 2 ;;
				stats | stats_* | rejection) echo 2 ;;
				verifier | verifier_* | signer | claims_hook | role | key_* | request | gateway) echo 3 ;;
				session | session_* | identity | identity_*) echo 4 ;;
			esac
			;;
		src/sql/*) echo 5 ;;
		jwt_auth.c) echo 6 ;;
	esac
}

# The core, with nothing but its own folder.
for file in src/core/*.c
do
	"${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only \
		-Isrc/core "$file" || complain "$file is not plain C99"
done
grep -n 'postgres\.h\|postgres_fe\.h' src/core/*.[ch] &&
	complain "src/core includes PostgreSQL"

# Includes.  A quoted name that is no file of ours is the server's.
for file in src/*/*.[ch] jwt_auth.c
do
	own=$(rank "$file")
	[ -n "$own" ] || complain "$file has no place in the table of layers"
	for name in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\(.*\)".*/\1/p' "$file")
	do
		case $name in
			*/*) name_in_folder="src/${name#*../}" ;;
			*) name_in_folder="src/*/$name" ;;
		esac
		for included in $name_in_folder
		do
			[ -e "$included" ] || continue
			[ "$(rank "$included")" -le "${own:-9}" ] 2>/dev/null ||
				complain "$file includes $included, which lies above it"
		done
	done
done

# Exports.
named=$(sed 's/--.*//' jwt_auth*--*.sql | tr '\n' ' ' |
	grep -oE "'MODULE_PATHNAME' *, *'[a-z0-9_]+'" |
	sed "s/.*, *'\(.*\)'/\1/" | sort -u)
wanted=$({
	echo Pg_magic_func
	echo _PG_init
	for symbol in $named
	do
		echo "$symbol"
		echo "pg_finfo_$symbol"
	done
} | sort)
exported=$(nm -D --defined-only jwt_auth.so | awk '{print $NF}' | sort)
difference=$(
	for symbol in $wanted
	do
		echo "$exported" | grep -qx "$symbol" || echo "missing: $symbol"
	done
	for symbol in $exported
	do
		echo "$wanted" | grep -qx "$symbol" || echo "in no install script: $symbol"
	done
)
[ -z "$difference" ] || complain "exports of jwt_auth.so
$difference"

# Versions.
grep -n 'PG_VERSION_NUM' src/*/*.[ch] jwt_auth.c |
	grep -v '^src/backend/compat\.h:' &&
	complain "PG_VERSION_NUM belongs into src/backend/compat.h"

# The Makefile.
for file in src/*/*.c
do
	grep -q "^[[:space:]]*${file%.c}\.o\([[:space:]]\|$\)" Makefile ||
		complain "the Makefile does not build $file"
done

# Constant time.
grep -n '\<memcmp(' src/backend/session.c src/sql/pgjwt.c &&
	complain "a session's hashes and MACs are compared by jwt_equal_consttime()"

exit $failed
