#!/bin/sh
# Prints a header for src/core to be compiled with: each call of a libcrypto
# function that can fail asks first whether it is its turn to fail.
#
# The functions are those that the objects of src/core take from libcrypto.
# One that cannot fail, or whose 0 is an answer, is named here; a function
# without a value must be, or the core does not compile.

set -eu
cd "$(dirname "$0")/../.."

never='_free$|^CRYPTO_memcmp$|^ERR_|^OPENSSL_cleanse$|^EVP_sha256$|_clear_free$|_secure_free$'
never="$never|^BN_cmp$|^BN_CTX_(start|end)$|^BN_is_|^BN_num_bits$|^BN_set_flags$|^BN_value_one$|^ECDSA_SIG_get0_"
never="$never|^BIO_ctrl_pending$|^OSSL_PARAM_construct_|^OSSL_STORE_(eof|close|INFO_get_type)$|^UI_destroy_method$"
never="$never|^EVP_PKEY_(is_a|gettable_params)$|^OSSL_PARAM_locate_const$|^EVP_PKEY_(sign|verify)_init$|^EVP_PKEY_CTX_(set_cb|[gs]et_app_data)$"

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
nm -u "$work"/*.o | awk '$1 == "U" { print $2 }' | sort -u |
	grep -E '^(BIO|BN|CRYPTO|ECDSA|EC|EVP|OBJ|OPENSSL|OSSL|PEM|PKCS8|RAND|UI|X509|d2i|i2d)_' |
	grep -Ev "$never" |
	sed 's/.*/#define &(...) (fault_hit("&", __FILE__, __LINE__) ? 0 : &(__VA_ARGS__))/'

# Passed as values, so that their calls are made elsewhere.
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
