/*-------------------------------------------------------------------------
 *
 * key.c
 *	  A key's life, what it is and may do, and the way to its family.
 *
 * How a key comes to be lives in key_jwk.c, key_pem.c and key_generate.c;
 * what a signature is, in alg_*.c.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "key_internal.h"

/* Nothing but a type; allowed everything until its maker says otherwise. */
JwtKey *
jwt_key_new(JwtKeyType kty)
{
	JwtKey	   *key = OPENSSL_zalloc(sizeof(JwtKey));

	if (key != NULL)
	{
		key->kty = kty;
		key->ops = JWT_OP_SIGN | JWT_OP_VERIFY;
	}
	return key;
}

/* Contexts hold references, so that the order does not matter. */
static void
clear_slot(JwtKeySlot *slot)
{
	EVP_PKEY_CTX_free(slot->verifier);
	EVP_PKEY_CTX_free(slot->signer);
	EVP_MAC_CTX_free(slot->mac);
	EVP_MD_CTX_free(slot->digest);
	EVP_MD_free(slot->md);
	memset(slot, 0, sizeof(*slot));
}

void
jwt_key_free(JwtKey *key)
{
	int			i;

	if (key == NULL)
		return;

	/* libcrypto wipes private numbers that it holds as it frees them. */
	for (i = 0; i < JWT_MAX_SLOTS; i++)
		clear_slot(&key->slot[i]);
	EVP_PKEY_free(key->pkey);
	OPENSSL_clear_free(key->secret, key->secret_len);
	OPENSSL_clear_free(key, sizeof(*key));
}

JwtKeyType
jwt_key_type(const JwtKey *key)
{
	return key->kty;
}

const char *
jwt_key_crv(const JwtKey *key)
{
	return key->curve != NULL ? key->curve->crv : NULL;
}

const JwtAlg *
jwt_key_alg(const JwtKey *key)
{
	return key->alg;
}

int
jwt_key_bits(const JwtKey *key)
{
	return key->bits;
}

bool
jwt_key_is_private(const JwtKey *key)
{
	return key->is_private;
}

bool
jwt_key_fits(const JwtKey *key, const JwtAlg *alg)
{
	if (alg->kty != key->kty)
		return false;
	return alg->crv == NULL || strcmp(alg->crv, key->curve->crv) == 0;
}

JwtStatus
jwt_key_check_size(const JwtKey *key, const JwtAlg *alg)
{
	if (key->bits >= alg->min_bits)
		return JWT_OK;
	return key->kty == JWT_KTY_OCT ? JWT_E_SECRET_TOO_SMALL :
		JWT_E_KEY_TOO_SMALL;
}

const JwtAlg *
jwt_key_default_alg(const JwtKey *key)
{
	const JwtAlg *alg = key->alg;
	int			i = 0;

	/* Every key has a row that fits, its type and curve being checked. */
	if (alg == NULL)
	{
		do
			alg = jwt_alg_at(i++);
		while (alg != NULL && !jwt_key_fits(key, alg));
	}
	return alg;
}

/*
 * "alg" comes before the rest: whoever asks with the wrong algorithm is to
 * hear that, whatever else is wrong as well.  Rows are unique, so that the
 * key's own is compared by address.
 */
JwtStatus
jwt_key_permits(const JwtKey *key, const JwtAlg *alg, unsigned op)
{
	JwtStatus	status;

	if (alg == NULL || !jwt_key_fits(key, alg) ||
		(key->alg != NULL && key->alg != alg))
		return JWT_E_ALGORITHM;
	status = jwt_key_check_size(key, alg);
	if (status != JWT_OK)
		return status;
	if ((key->ops & op) != op)
		return JWT_E_KEY_USE;
	if ((op & JWT_OP_SIGN) != 0 && !key->is_private)
		return JWT_E_KEY_NOT_PRIVATE;
	return JWT_OK;
}

/*
 * May op be done, and is all there that it takes?  Contexts are made at the
 * first use of an algorithm, for most keys never use but one.
 */
static JwtStatus
make_ready(JwtKey *key, const JwtAlg *alg, unsigned op)
{
	JwtStatus	status = jwt_key_permits(key, alg, op);

	if (status == JWT_OK && !key->slot[alg->slot].ready)
	{
		status = alg->family->prepare(key, alg);
		if (status == JWT_OK)
			key->slot[alg->slot].ready = true;
		else
			clear_slot(&key->slot[alg->slot]);
	}
	return status;
}

/*
 * Empties the error queue.  Looking first is what makes it cheap: emptying
 * it costs a quarter of an HMAC, whether there is anything in it or not.
 */
static void
clear_errors(JwtStatus status)
{
	if (status != JWT_OK || ERR_peek_error() != 0)
		ERR_clear_error();
}

JwtStatus
jwt_key_sign(JwtKey *key, const JwtAlg *alg, JwtSlice input,
			 unsigned char sig[JWT_MAX_SIGNATURE_LEN], size_t *siglen)
{
	JwtStatus	status;

	*siglen = 0;
	status = make_ready(key, alg, JWT_OP_SIGN);
	if (status == JWT_OK)
		status = alg->family->sign(key, alg, input, sig, siglen);

	/* Half a signature is no use to anybody. */
	if (status != JWT_OK)
	{
		OPENSSL_cleanse(sig, JWT_MAX_SIGNATURE_LEN);
		*siglen = 0;
	}
	clear_errors(status);
	return status;
}

JwtStatus
jwt_key_verify(JwtKey *key, const JwtAlg *alg, JwtSlice input,
			   const unsigned char *sig, size_t siglen)
{
	JwtStatus	status;

	/* No family is asked about a key that may not do it. */
	status = make_ready(key, alg, JWT_OP_VERIFY);
	if (status == JWT_OK)
		status = alg->family->verify(key, alg, input, sig, siglen);

	clear_errors(status);
	return status;
}
