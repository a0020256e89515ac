/*-------------------------------------------------------------------------
 *
 * alg_eddsa.c
 *	  EdDSA: RFC 8037, Sec. 3.1; Ed25519 and Ed448: RFC 9864.
 *
 * The scheme hashes for itself, so that there is no digest to keep.  From
 * OpenSSL 3.4 on a one-shot context serves once only: what is kept is its
 * memory, and each operation sets it up again.
 *
 *-------------------------------------------------------------------------
 */
#include "key_internal.h"

static JwtStatus
eddsa_prepare(JwtKey *key, const JwtAlg *alg)
{
	JwtKeySlot *slot = &key->slot[alg->slot];

	slot->digest = EVP_MD_CTX_new();
	return slot->digest != NULL ? JWT_OK : JWT_E_CRYPTO;
}

static JwtStatus
eddsa_sign(JwtKey *key, const JwtAlg *alg, JwtSlice input,
		   unsigned char *sig, size_t *siglen)
{
	EVP_MD_CTX *ctx = key->slot[alg->slot].digest;
	size_t		len = JWT_MAX_SIGNATURE_LEN;

	if (EVP_MD_CTX_reset(ctx) != 1 ||
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) != 1 ||
		EVP_DigestSign(ctx, sig, &len, (const unsigned char *) input.data,
					   input.len) != 1 ||
		len != 2 * key->curve->len)
	{
		return JWT_E_CRYPTO;
	}

	*siglen = len;
	return JWT_OK;
}

static JwtStatus
eddsa_verify(JwtKey *key, const JwtAlg *alg, JwtSlice input,
			 const unsigned char *sig, size_t siglen)
{
	EVP_MD_CTX *ctx = key->slot[alg->slot].digest;

	/* RFC 8032: a signature is as long as two encoded points. */
	if (siglen != 2 * key->curve->len)
		return JWT_E_SIGNATURE;

	if (EVP_MD_CTX_reset(ctx) != 1 ||
		EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) != 1)
		return JWT_E_CRYPTO;

	if (EVP_DigestVerify(ctx, sig, siglen,
						 (const unsigned char *) input.data, input.len) != 1)
		return JWT_E_SIGNATURE;
	return JWT_OK;
}

const JwtAlgFamily jwt_family_eddsa = {
	eddsa_prepare, eddsa_sign, eddsa_verify
};
