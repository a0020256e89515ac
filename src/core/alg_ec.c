/*-------------------------------------------------------------------------
 *
 * alg_ec.c
 *	  ES256, ES384, ES512: RFC 7518, Sec. 3.4; ES256K: RFC 8812.
 *
 * A JWS carries R and S, each as long as the curve's order, one after the
 * other; libcrypto wants and gives DER.  The conversion lives here.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/ec.h>

#include "key_internal.h"

/* DER of two integers of 66 octets takes 141. */
#define MAX_DER_LEN 160

static JwtStatus
ec_prepare(JwtKey *key, const JwtAlg *alg)
{
	return jwt_digest_prepare(key, alg, NULL);
}

/* DER to R || S; true if it could be done. */
static bool
der_to_raw(const unsigned char *der, size_t derlen, unsigned char *raw,
		   size_t half)
{
	const unsigned char *p = der;
	ECDSA_SIG  *sig = d2i_ECDSA_SIG(NULL, &p, (long) derlen);
	bool		done = false;

	/* To the last byte: what is left would be of another signature. */
	if (sig != NULL && p == der + derlen &&
		BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int) half) == (int) half &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half,
					 (int) half) == (int) half)
		done = true;

	ECDSA_SIG_free(sig);
	return done;
}

/*
 * R || S to DER.  JWT_E_SIGNATURE if either is zero.  The upper end of the
 * range is libcrypto's to check, which knows the order.
 */
static JwtStatus
raw_to_der(const unsigned char *raw, size_t half,
		   unsigned char der[MAX_DER_LEN], size_t *derlen)
{
	unsigned char *p = der;
	BIGNUM	   *r = BN_bin2bn(raw, (int) half, NULL);
	BIGNUM	   *s = BN_bin2bn(raw + half, (int) half, NULL);
	ECDSA_SIG  *sig = ECDSA_SIG_new();
	JwtStatus	status = JWT_E_CRYPTO;
	int			len;

	if (r == NULL || s == NULL || sig == NULL)
		goto out;
	if (BN_is_zero(r) || BN_is_zero(s))
	{
		status = JWT_E_SIGNATURE;
		goto out;
	}
	if (ECDSA_SIG_set0(sig, r, s) != 1)
		goto out;

	/* They are the signature's now. */
	r = NULL;
	s = NULL;
	len = i2d_ECDSA_SIG(sig, NULL);
	if (len > 0 && len <= MAX_DER_LEN && i2d_ECDSA_SIG(sig, &p) == len)
	{
		*derlen = (size_t) len;
		status = JWT_OK;
	}

out:
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return status;
}

/* R and S may be short by chance; they are padded to the full length. */
static JwtStatus
ec_sign(JwtKey *key, const JwtAlg *alg, JwtSlice input,
		unsigned char *sig, size_t *siglen)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned char der[MAX_DER_LEN];
	size_t		derlen = sizeof(der);

	/*
	 * Out of memory, OpenSSL 3.0 says that it has signed and gives a length
	 * of four gigabytes.
	 */
	if (jwt_digest_input(key, alg, input, hash) != JWT_OK ||
		EVP_PKEY_sign(key->slot[alg->slot].signer, der, &derlen,
					  hash, alg->digest_len) != 1 ||
		derlen > sizeof(der) ||
		!der_to_raw(der, derlen, sig, key->curve->len))
	{
		return JWT_E_CRYPTO;
	}

	*siglen = 2 * key->curve->len;
	return JWT_OK;
}

/* RFC 7518, Sec. 3.4: R and S of any other length, no signature. */
static JwtStatus
ec_verify(JwtKey *key, const JwtAlg *alg, JwtSlice input,
		  const unsigned char *sig, size_t siglen)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned char der[MAX_DER_LEN];
	size_t		derlen;
	JwtStatus	status;

	if (siglen != 2 * key->curve->len)
		return JWT_E_SIGNATURE;

	status = raw_to_der(sig, key->curve->len, der, &derlen);
	if (status != JWT_OK)
		return status;

	if (jwt_digest_input(key, alg, input, hash) != JWT_OK)
		return JWT_E_CRYPTO;

	if (EVP_PKEY_verify(key->slot[alg->slot].verifier, der, derlen,
						hash, alg->digest_len) != 1)
		return JWT_E_SIGNATURE;
	return JWT_OK;
}

const JwtAlgFamily jwt_family_ec = {
	ec_prepare, ec_sign, ec_verify
};
