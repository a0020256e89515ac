/*-------------------------------------------------------------------------
 *
 * primitive.c
 *	  Randomness, SHA-256, HMAC, a compare in constant time, an overwrite.
 *
 * Thin on purpose: what libcrypto does well is only given one way to fail.
 *
 *-------------------------------------------------------------------------
 */
#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "primitive.h"

JwtStatus
jwt_random(unsigned char *buf, size_t len)
{
	JwtStatus	status = JWT_E_RANDOM;

	/* From the generator that libcrypto keeps for what stays private. */
	if (len <= INT_MAX && RAND_priv_bytes(buf, (int) len) == 1)
		status = JWT_OK;
	else
		jwt_wipe(buf, len);

	ERR_clear_error();
	return status;
}

JwtStatus
jwt_sha256(JwtSlice input, unsigned char hash[JWT_SHA256_LEN])
{
	JwtStatus	status = JWT_E_CRYPTO;
	size_t		len = 0;

	if (EVP_Q_digest(NULL, "SHA256", NULL, input.data, input.len,
					 hash, &len) == 1 && len == JWT_SHA256_LEN)
		status = JWT_OK;
	else
		memset(hash, 0, JWT_SHA256_LEN);

	ERR_clear_error();
	return status;
}

JwtStatus
jwt_hmac(const char *digest, JwtSlice key, JwtSlice input,
		 unsigned char *mac, size_t maclen)
{
	size_t		len = 0;
	JwtStatus	status = JWT_E_CRYPTO;

	if (EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, key.data, key.len,
				  (const unsigned char *) input.data, input.len,
				  mac, maclen, &len) != NULL && len == maclen)
		status = JWT_OK;
	else
		jwt_wipe(mac, maclen);

	ERR_clear_error();
	return status;
}

bool
jwt_equal_consttime(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
jwt_wipe(void *buf, size_t len)
{
	if (buf != NULL)
		OPENSSL_cleanse(buf, len);
}
