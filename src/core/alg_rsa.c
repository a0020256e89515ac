/*-------------------------------------------------------------------------
 *
 * alg_rsa.c
 *	  RS256 to RS512: RFC 7518, Sec. 3.3; PS256 to PS512: Sec. 3.5.
 *
 * Two families that differ in what their contexts are set up with.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/rsa.h>

#include "key_internal.h"

static bool
setup_pkcs1(EVP_PKEY_CTX *ctx, const JwtAlg *alg)
{
	(void) alg;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
}

/*
 * RFC 7518, Sec. 3.5: "The size of the salt value is the same size as the
 * hash function output", in MGF1 "the same hash function".  The length is
 * given as a number, so that a verifier does not take it from the signature.
 */
static bool
setup_pss(EVP_PKEY_CTX *ctx, const JwtAlg *alg)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, alg->digest, NULL) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int) alg->digest_len) == 1;
}

static JwtStatus
rsa_prepare(JwtKey *key, const JwtAlg *alg)
{
	return jwt_digest_prepare(key, alg, setup_pkcs1);
}

static JwtStatus
pss_prepare(JwtKey *key, const JwtAlg *alg)
{
	return jwt_digest_prepare(key, alg, setup_pss);
}

/* Octets of the modulus, which is what every signature has. */
static size_t
modulus_len(const JwtKey *key)
{
	return ((size_t) key->bits + 7) / 8;
}

static JwtStatus
rsa_sign(JwtKey *key, const JwtAlg *alg, JwtSlice input,
		 unsigned char *sig, size_t *siglen)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	size_t		len = JWT_MAX_SIGNATURE_LEN;

	if (jwt_digest_input(key, alg, input, hash) != JWT_OK ||
		EVP_PKEY_sign(key->slot[alg->slot].signer, sig, &len,
					  hash, alg->digest_len) != 1 ||
		len != modulus_len(key))
	{
		return JWT_E_CRYPTO;
	}

	*siglen = len;
	return JWT_OK;
}

/* RFC 8017, Sec. 8.1.2 and 8.2.2, step 1: the length is exact. */
static JwtStatus
rsa_verify(JwtKey *key, const JwtAlg *alg, JwtSlice input,
		   const unsigned char *sig, size_t siglen)
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (siglen != modulus_len(key))
		return JWT_E_SIGNATURE;

	if (jwt_digest_input(key, alg, input, hash) != JWT_OK)
		return JWT_E_CRYPTO;

	if (EVP_PKEY_verify(key->slot[alg->slot].verifier, sig, siglen,
						hash, alg->digest_len) != 1)
		return JWT_E_SIGNATURE;
	return JWT_OK;
}

const JwtAlgFamily jwt_family_rsa = {
	rsa_prepare, rsa_sign, rsa_verify
};

const JwtAlgFamily jwt_family_pss = {
	pss_prepare, rsa_sign, rsa_verify
};
