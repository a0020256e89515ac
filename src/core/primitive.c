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

#include <openssl/core_names.h>
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

JwtHmac *
jwt_hmac_new(const char *digest)
{
	EVP_MAC    *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	OSSL_PARAM	params[2];

	/* The context keeps a reference to mac of its own. */
	EVP_MAC_free(mac);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
												 (char *) digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) != 1)
	{
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	ERR_clear_error();
	return ctx;
}

/* mac is all zeroes on failure; the key stays in the context. */
static JwtStatus
compute(JwtHmac *hmac, JwtSlice key, JwtSlice input, unsigned char *mac,
		size_t maclen)
{
	size_t		len = 0;
	JwtStatus	status = JWT_E_CRYPTO;

	if (EVP_MAC_init(hmac, (const unsigned char *) key.data, key.len, NULL) == 1 &&
		EVP_MAC_CTX_get_mac_size(hmac) == maclen &&
		EVP_MAC_update(hmac, (const unsigned char *) input.data, input.len) == 1 &&
		EVP_MAC_final(hmac, mac, &len, maclen) == 1 && len == maclen)
		status = JWT_OK;
	else
		jwt_wipe(mac, maclen);

	ERR_clear_error();
	return status;
}

JwtStatus
jwt_hmac_compute(JwtHmac *hmac, JwtSlice key, JwtSlice input,
				 unsigned char *mac, size_t maclen)
{
	static const unsigned char none[1] = {0};
	JwtStatus	status = compute(hmac, key, input, mac, maclen);

	/* Another key is the only way to make the context forget this one. */
	if (EVP_MAC_init(hmac, none, sizeof(none), NULL) != 1)
	{
		jwt_wipe(mac, maclen);
		ERR_clear_error();
		status = JWT_E_CRYPTO;
	}
	return status;
}

void
jwt_hmac_free(JwtHmac *hmac)
{
	EVP_MAC_CTX_free(hmac);
}

JwtStatus
jwt_hmac(const char *digest, JwtSlice key, JwtSlice input,
		 unsigned char *mac, size_t maclen)
{
	JwtHmac    *hmac = jwt_hmac_new(digest);
	JwtStatus	status = JWT_E_CRYPTO;

	if (hmac != NULL)
		status = compute(hmac, key, input, mac, maclen);
	else
		jwt_wipe(mac, maclen);
	jwt_hmac_free(hmac);
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
