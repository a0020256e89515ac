#!/bin/sh
# sanitize.sh: the tests with gcc's address and undefined behaviour sanitizers
# in the server, in the root folder of PostgreSQL 18; see sanitized.sh.
#
# Fails if a test failed or a sanitizer has anything to say; what it said is
# in build/root/18/sanitizer.  The figures in one line: build/proof/sanitize.

set -u
cd "$(dirname "$0")/.." || exit

version=18

# Inside.  Leaks are looked for in the unit tests.
if [ "${1:-}" = inside ]
then
	make -s -j"$(nproc)" build/unit/unit UNIT_CFLAGS="-std=c99 $SANITIZER_FLAGS" || exit
	status=0
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=1" build/unit/unit || status=1

	# Not the tests that measure: memory and time are the sanitizer's here.
	# Nor that of PKCS#11, whose module is loaded in a way (RTLD_DEEPBIND) that
	# the sanitizer refuses.
	TAP_FILES=$(ls t/*.pl | grep -v -e _memory -e _big_table -e _storms -e _pkcs11 |
		tr '\n' ' ')
	export TAP_FILES
	scripts/test.sh || status=1
	echo "sanitize: address and undefined behaviour, $(cat build/test/summary)," \
		"$(ls build/sanitizer | wc -l) reports" >build/sanitize
	exit $status
fi

mkdir -p build/proof
status=0
scripts/root.sh make $version >build/root.log 2>&1 || status=$?
if [ $status -ne 0 ]
then
	cat build/root.log
	[ $status -eq 75 ] || exit $status
	echo "sanitize: not run: $(tail -n 1 build/root.log)" >build/proof/sanitize
	exit 0
fi
rm -rf build/root/$version
ROOT_SECONDS=${ROOT_SECONDS:-1200} scripts/root.sh run $version \
	scripts/sanitized.sh scripts/sanitize.sh inside
status=$?
cp build/root/$version/sanitize build/proof/sanitize 2>/dev/null ||
	echo "sanitize: failed before the tests ended" >build/proof/sanitize
cat build/proof/sanitize
exit $status
