#!/bin/sh
# Prints a header for src/core to be compiled with: each call of a libcrypto
# function that can fail asks first whether it is its turn to fail.
#
# The functions are those that the objects of src/core take from libcrypto;
# functions.sh knows which can fail.

set -eu
cd "$(dirname "$0")/../.."

# Passed as values, so that their calls are made elsewhere.
values='^EVP_PKEY_(sign|verify)_init$'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in src/core/*.c
do
	name=${file##*/}
	"${CC:-cc}" -std=c99 -Isrc/core -c -o "$work/${name%.c}.o" "$file"
done

echo '/* Made by test/fault/calls.sh. */'
grep -h '^#include <openssl' src/core/*.[ch] test/fault/*.h | sort -u
echo '#include "fault.h"'
nm -u "$work"/*.o | awk '$1 == "U" { print $2 }' | test/fault/functions.sh |
	grep -Ev "$values" |
	sed 's/.*/#define &(...) (fault_hit("&", __FILE__, __LINE__) ? 0 : &(__VA_ARGS__))/'

for name in EVP_PKEY_sign_init EVP_PKEY_verify_init
do
	cat <<C
static inline int
fault_$name(EVP_PKEY_CTX *ctx)
{
	return fault_hit("$name", __FILE__, __LINE__) ? 0 : $name(ctx);
}
#define $name fault_$name
C
done
