#!/bin/sh
# sanitized.sh COMMAND...: builds the extension with gcc's address and
# undefined behaviour sanitizers and runs COMMAND, in which servers made by
# with_server.sh and by TAP tests have them.  Fails if COMMAND does, or if a
# sanitizer has anything to say; its reports are in build/sanitizer.
#
# For the root folder of PostgreSQL 18 (scripts/root.sh): on Debian 12 a server
# with the address sanitizer's library never starts.
#
# COMMAND finds in its environment SANITIZER_FLAGS, for what it compiles.
#
# A leak in a backend is not looked for: PostgreSQL frees little before it
# exits.

set -u
cd "$(dirname "$0")/.." || exit

# Undefined behaviour ends the process, too: beside the address sanitizer's
# library its own one writes to no file but the server's log.
export SANITIZER_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all
	-fno-omit-frame-pointer -g -O1 -U_FORTIFY_SOURCE"
SANITIZER_FLAGS=$(echo $SANITIZER_FLAGS)
make -s -j"$(nproc)" all \
	PG_CFLAGS="-fvisibility=hidden $SANITIZER_FLAGS" \
	SHLIB_LINK="-lcrypto -fsanitize=address,undefined" || exit

# What the server links is an ordinary postgres that loads an instrumented
# library, so the sanitizers' own libraries must be there first.
rm -rf build/sanitizer
mkdir -p build/sanitizer
log=$PWD/build/sanitizer/report
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:log_path=$log"
export UBSAN_OPTIONS="print_stacktrace=1:abort_on_error=1"
export SERVER_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)"
status=0
"$@" || status=$?

reports=$(ls build/sanitizer | wc -l)
[ "$reports" -eq 0 ] || {
	head -n 60 $(ls -d build/sanitizer/* | head -n 5)
	echo "sanitized: $reports reports" >&2
	status=1
}
exit $status
