#!/bin/sh
# Reads names of functions, one a line, perhaps with a version behind "@", and
# prints those of libcrypto that can fail.
#
# One that cannot fail, or whose 0 is an answer, is named here; so is each
# without a value, or what is made of them does not compile.

never='_free$|^CRYPTO_memcmp$|^ERR_|^OPENSSL_cleanse$|^EVP_sha256$|_clear_free$|_secure_free$'
never="$never|^BN_cmp$|^BN_CTX_(start|end)$|^BN_is_|^BN_num_bits$|^BN_set_flags$|^BN_value_one$|^ECDSA_SIG_get0_"
never="$never|^BIO_ctrl_pending$|^OSSL_PARAM_construct_|^OSSL_STORE_(eof|close|INFO_get_type)$|^UI_destroy_method$"
never="$never|^EVP_PKEY_(is_a|gettable_params)$|^OSSL_PARAM_locate_const$|^EVP_PKEY_CTX_(set_cb|[gs]et_app_data)$"

sed 's/@.*//' | sort -u |
	grep -E '^(BIO|BN|CRYPTO|ECDSA|EC|EVP|OBJ|OPENSSL|OSSL|PEM|PKCS8|RAND|UI|X509|d2i|i2d)_' |
	grep -Ev "$never"
