/*-------------------------------------------------------------------------
 *
 * alg_hmac.c
 *	  HS256, HS384, HS512: RFC 7518, Sec. 3.2.
 *
 * The context is keyed once; each operation starts it again, which costs
 * neither a fetch nor a key schedule.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "key_internal.h"

static JwtStatus
hmac_prepare(JwtKey *key, const JwtAlg *alg)
{
	JwtKeySlot *slot = &key->slot[alg->slot];
	EVP_MAC    *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	OSSL_PARAM	params[2];

	if (mac == NULL)
		return JWT_E_UNSUPPORTED;

	/* The context keeps a reference to mac of its own. */
	slot->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (slot->mac == NULL)
		return JWT_E_CRYPTO;

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
												 (char *) alg->digest, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_MAC_init(slot->mac, key->secret, key->secret_len, params) != 1)
		return JWT_E_UNSUPPORTED;
	return JWT_OK;
}

static JwtStatus
hmac_sign(JwtKey *key, const JwtAlg *alg, JwtSlice input,
		  unsigned char *sig, size_t *siglen)
{
	EVP_MAC_CTX *mac = key->slot[alg->slot].mac;
	size_t		len = 0;

	if (EVP_MAC_init(mac, NULL, 0, NULL) != 1 ||
		EVP_MAC_update(mac, (const unsigned char *) input.data,
					   input.len) != 1 ||
		EVP_MAC_final(mac, sig, &len, EVP_MAX_MD_SIZE) != 1 ||
		len != alg->digest_len)
	{
		return JWT_E_CRYPTO;
	}

	*siglen = len;
	return JWT_OK;
}

static JwtStatus
hmac_verify(JwtKey *key, const JwtAlg *alg, JwtSlice input,
			const unsigned char *sig, size_t siglen)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t		len = 0;
	JwtStatus	status;

	if (siglen != alg->digest_len)
		return JWT_E_SIGNATURE;

	status = hmac_sign(key, alg, input, mac, &len);
	if (status == JWT_OK &&
		(len != siglen || CRYPTO_memcmp(mac, sig, siglen) != 0))
		status = JWT_E_SIGNATURE;

	/* It is the valid signature of whatever was presented. */
	OPENSSL_cleanse(mac, sizeof(mac));
	return status;
}

const JwtAlgFamily jwt_family_hmac = {
	hmac_prepare, hmac_sign, hmac_verify
};
