/*-------------------------------------------------------------------------
 *
 * floor.c
 *	  The least that a signature costs: libcrypto alone.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "floor.h"

struct Floor
{
	bool		is_mac;			/* HS256 */
	bool		is_pure;		/* EdDSA: hashes for itself */
	bool		is_ec;
	EVP_MAC_CTX *mac;
	EVP_PKEY   *pkey;
	EVP_MD	   *md;
	EVP_MD_CTX *digest;
	EVP_PKEY_CTX *signer;
	EVP_PKEY_CTX *verifier;
};

static bool
prepare_mac(Floor *f, const char *key, size_t keylen)
{
	EVP_MAC    *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	OSSL_PARAM	params[2];

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
												 (char *) "SHA256", 0);
	params[1] = OSSL_PARAM_construct_end();
	f->is_mac = true;
	f->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	return f->mac != NULL &&
		EVP_MAC_init(f->mac, (const unsigned char *) key, keylen,
					 params) == 1;
}

static EVP_PKEY_CTX *
context(const Floor *f, const char *alg, int (*init) (EVP_PKEY_CTX *ctx))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, f->pkey, NULL);

	if (ctx == NULL || init(ctx) != 1 ||
		EVP_PKEY_CTX_set_signature_md(ctx, f->md) != 1)
		return NULL;
	if (strcmp(alg, "PS256") == 0 &&
		(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
		 EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) != 1))
		return NULL;
	return ctx;
}

static bool
prepare_pkey(Floor *f, const char *alg, const char *key, size_t keylen)
{
	BIO		   *bio = BIO_new_mem_buf(key, (int) keylen);

	f->pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	f->digest = EVP_MD_CTX_new();
	if (f->pkey == NULL || f->digest == NULL)
		return false;
	f->is_pure = strcmp(alg, "EdDSA") == 0;
	f->is_ec = strcmp(alg, "ES256") == 0;
	if (f->is_pure)
		return true;
	f->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	f->verifier = context(f, alg, EVP_PKEY_verify_init);
	f->signer = context(f, alg, EVP_PKEY_sign_init);
	return f->verifier != NULL && f->signer != NULL;
}

Floor *
floor_new(const char *alg, const char *key, size_t keylen)
{
	Floor	   *f = calloc(1, sizeof(Floor));
	bool		done;

	if (f == NULL)
		return NULL;
	if (strcmp(alg, "HS256") == 0)
		done = prepare_mac(f, key, keylen);
	else
		done = prepare_pkey(f, alg, key, keylen);
	return done ? f : NULL;
}

size_t
floor_signature(const Floor *f, const unsigned char *raw, size_t rawlen,
				unsigned char *sig)
{
	unsigned char *p = sig;
	ECDSA_SIG  *pair;
	int			len;

	if (rawlen > FLOOR_MAX_SIGNATURE)
		return 0;
	if (!f->is_ec)
	{
		memcpy(sig, raw, rawlen);
		return rawlen;
	}
	pair = ECDSA_SIG_new();
	ECDSA_SIG_set0(pair, BN_bin2bn(raw, (int) rawlen / 2, NULL),
				   BN_bin2bn(raw + rawlen / 2, (int) rawlen / 2, NULL));
	len = i2d_ECDSA_SIG(pair, &p);
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t) len : 0;
}

static bool
mac(Floor *f, const void *input, size_t len, unsigned char *out)
{
	size_t		outlen = 0;

	return EVP_MAC_init(f->mac, NULL, 0, NULL) == 1 &&
		EVP_MAC_update(f->mac, input, len) == 1 &&
		EVP_MAC_final(f->mac, out, &outlen, EVP_MAX_MD_SIZE) == 1;
}

static bool
hash(Floor *f, const void *input, size_t len, unsigned char *out)
{
	return EVP_DigestInit_ex2(f->digest, f->md, NULL) == 1 &&
		EVP_DigestUpdate(f->digest, input, len) == 1 &&
		EVP_DigestFinal_ex(f->digest, out, NULL) == 1;
}

bool
floor_verify(Floor *f, const void *input, size_t len,
			 const unsigned char *sig, size_t siglen)
{
	unsigned char out[EVP_MAX_MD_SIZE];

	if (f->is_mac)
		return mac(f, input, len, out) && siglen == 32 &&
			CRYPTO_memcmp(out, sig, siglen) == 0;
	if (f->is_pure)
		return EVP_MD_CTX_reset(f->digest) == 1 &&
			EVP_DigestVerifyInit(f->digest, NULL, NULL, NULL,
								 f->pkey) == 1 &&
			EVP_DigestVerify(f->digest, sig, siglen, input, len) == 1;
	return hash(f, input, len, out) &&
		EVP_PKEY_verify(f->verifier, sig, siglen, out, 32) == 1;
}

bool
floor_sign(Floor *f, const void *input, size_t len)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned char sig[FLOOR_MAX_SIGNATURE];
	size_t		siglen = sizeof(sig);

	if (f->is_mac)
		return mac(f, input, len, out);
	if (f->is_pure)
		return EVP_MD_CTX_reset(f->digest) == 1 &&
			EVP_DigestSignInit(f->digest, NULL, NULL, NULL, f->pkey) == 1 &&
			EVP_DigestSign(f->digest, sig, &siglen, input, len) == 1;
	return hash(f, input, len, out) &&
		EVP_PKEY_sign(f->signer, sig, &siglen, out, 32) == 1;
}
