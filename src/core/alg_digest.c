/*-------------------------------------------------------------------------
 *
 * alg_digest.c
 *	  What RSA and ECDSA share: a fetched digest and contexts that are kept.
 *
 * Fetching the digest and making an EVP_PKEY_CTX cost more than hashing a
 * token, so that both happen once a key and algorithm.  What is special to a
 * scheme lives in its alg_*.c.
 *
 *-------------------------------------------------------------------------
 */
#include "key_internal.h"

/*
 * A context that is initialised and set up for one direction; NULL if that
 * fails.
 */
static EVP_PKEY_CTX *
make_context(JwtKey *key, const JwtAlg *alg, int (*init) (EVP_PKEY_CTX *ctx),
			 bool (*setup) (EVP_PKEY_CTX *ctx, const JwtAlg *alg))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);

	if (ctx == NULL)
		return NULL;

	if (init(ctx) != 1 ||
		EVP_PKEY_CTX_set_signature_md(ctx,
									  key->slot[alg->slot].md) != 1 ||
		(setup != NULL && !setup(ctx, alg)))
	{
		EVP_PKEY_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/*
 * Fills the slot of alg.  setup, which may be NULL, sets what the scheme
 * needs beyond its digest.  A half-filled slot is the caller's to clear.
 */
JwtStatus
jwt_digest_prepare(JwtKey *key, const JwtAlg *alg,
				   bool (*setup) (EVP_PKEY_CTX *ctx, const JwtAlg *alg))
{
	JwtKeySlot *slot = &key->slot[alg->slot];

	slot->md = EVP_MD_fetch(NULL, alg->digest, NULL);
	if (slot->md == NULL)
		return JWT_E_UNSUPPORTED;

	slot->digest = EVP_MD_CTX_new();
	if (slot->digest == NULL)
		return JWT_E_CRYPTO;

	/* Some that sign outside of this process cannot verify. */
	if ((key->ops & JWT_OP_VERIFY) != 0)
	{
		slot->verifier = make_context(key, alg, EVP_PKEY_verify_init, setup);
		if (slot->verifier == NULL)
			return JWT_E_UNSUPPORTED;
	}

	if (key->is_private)
	{
		slot->signer = make_context(key, alg, EVP_PKEY_sign_init, setup);
		if (slot->signer == NULL)
			return JWT_E_UNSUPPORTED;
	}
	return JWT_OK;
}

/* alg->digest_len bytes of hash of input. */
JwtStatus
jwt_digest_input(JwtKey *key, const JwtAlg *alg, JwtSlice input,
				 unsigned char hash[EVP_MAX_MD_SIZE])
{
	JwtKeySlot *slot = &key->slot[alg->slot];
	unsigned	len = 0;

	if (EVP_DigestInit_ex2(slot->digest, slot->md, NULL) != 1 ||
		EVP_DigestUpdate(slot->digest, input.data, input.len) != 1 ||
		EVP_DigestFinal_ex(slot->digest, hash, &len) != 1 ||
		len != alg->digest_len)
	{
		return JWT_E_CRYPTO;
	}
	return JWT_OK;
}
