#!/bin/sh
# sanitize.sh: the tests with gcc's address and undefined behaviour sanitizers
# in the server, in the root folder of PostgreSQL 18.  (On Debian 12 a server
# with the address sanitizer's library never starts.)
#
# Fails if a test failed or a sanitizer has anything to say; what it said is
# in build/root/18/sanitizer.  The figures in one line: build/proof/sanitize.
#
# A leak in a backend is not looked for: PostgreSQL frees little before it
# exits.  The unit tests' are.

set -u

version=18

# Inside: what the server links is an ordinary postgres that loads an
# instrumented library, so the sanitizers' own libraries must be there first.
if [ "${1:-}" = inside ]
then
	flags="-fsanitize=address,undefined -fno-omit-frame-pointer -g -O1 -U_FORTIFY_SOURCE"
	make -s -j"$(nproc)" all build/unit/unit \
		PG_CFLAGS="-fvisibility=hidden $flags" \
		SHLIB_LINK="-lcrypto -fsanitize=address,undefined" \
		UNIT_CFLAGS="-std=c99 $flags" || exit
	mkdir build/sanitizer
	log=$PWD/build/sanitizer/report
	export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:log_path=$log"
	export UBSAN_OPTIONS="print_stacktrace=1:log_path=$log"
	export SERVER_PRELOAD="$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)"
	status=0
	ASAN_OPTIONS="abort_on_error=1:log_path=$log" build/unit/unit || status=1

	# Not the tests that measure or preload something: memory, time and
	# malloc() are the sanitizer's here.
	TAP_FILES=$(ls t/*.pl | grep -v -e _memory -e _big_table -e _storms -e _faults |
		tr '\n' ' ')
	export TAP_FILES
	scripts/test.sh || status=1

	reports=$(ls build/sanitizer | wc -l)
	echo "sanitize: address and undefined behaviour, $(cat build/test/summary)," \
		"$reports reports" >build/sanitize
	[ "$reports" -eq 0 ] || {
		head -n 60 $(ls -d build/sanitizer/* | head -n 5)
		status=1
	}
	exit $status
fi

cd "$(dirname "$0")/.." || exit
mkdir -p build/proof
if ! timeout 600 scripts/root.sh make $version >build/root.log 2>&1
then
	cat build/root.log
	echo "sanitize: not run: $(tail -n 1 build/root.log)" >build/proof/sanitize
	exit 0
fi
rm -rf build/root/$version
ROOT_SECONDS=${ROOT_SECONDS:-1200} scripts/root.sh run $version scripts/sanitize.sh inside
status=$?
cp build/root/$version/sanitize build/proof/sanitize 2>/dev/null ||
	echo "sanitize: failed before the tests ended" >build/proof/sanitize
cat build/proof/sanitize
exit $status
