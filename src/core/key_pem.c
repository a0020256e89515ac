/*-------------------------------------------------------------------------
 *
 * key_pem.c
 *	  PEM to key and key to PEM: RFC 7468, RFC 5208, RFC 5280, RFC 5915.
 *
 * libcrypto decodes; what came out is then written as JWK members and goes
 * the way of every other key, so that nothing is accepted here that key_jwk.c
 * would refuse.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "key_internal.h"
#include "pem_block.h"
#include "primitive.h"

/*
 * Blocks of which jwt_key_from_pem makes one key; nobody repeats a key more
 * often than that, and each repetition costs as much as the first.
 */
#define MAX_BLOCKS 16

/* What PKCS#8 calls the types that make a JWK: RFC 8017, 5480 and 8410. */
static const struct
{
	int			nid;
	const char *type;			/* OpenSSL's name */
}			pkcs8_types[] =
{
	{NID_rsaEncryption, "RSA"},
	{NID_X9_62_id_ecPublicKey, "EC"},
	{NID_ED25519, "ED25519"},
	{NID_ED448, "ED448"}
};

#define NUM_PKCS8_TYPES (sizeof(pkcs8_types) / sizeof(pkcs8_types[0]))

/*
 * The type of a PKCS#8 key, by its AlgorithmIdentifier.  libcrypto is not
 * asked to decode any other: of DSA and DH it would compute the public half,
 * from numbers of any length.
 */
static JwtStatus
find_pkcs8_type(const JwtPemBlock *block, const char **type)
{
	const unsigned char *p = block->der;
	const ASN1_OBJECT *algorithm = NULL;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, block->len);
	JwtStatus	status = JWT_E_PEM;
	size_t		i;

	*type = NULL;
	if (info != NULL && p == block->der + block->len &&
		PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1)
	{
		status = JWT_E_KEY_TYPE;
		for (i = 0; i < NUM_PKCS8_TYPES; i++)
		{
			if (OBJ_obj2nid(algorithm) == pkcs8_types[i].nid)
			{
				*type = pkcs8_types[i].type;
				status = JWT_OK;
			}
		}
	}

	/* Wipes the private part. */
	PKCS8_PRIV_KEY_INFO_free(info);
	return status;
}

/*
 * The key of a certificate.  Who issued it, for whom and until when is not
 * looked at: whoever passes it here vouches for it.
 */
static EVP_PKEY *
decode_certificate(const JwtPemBlock *block)
{
	const unsigned char *p = block->der;
	X509	   *cert = d2i_X509(NULL, &p, block->len);
	EVP_PKEY   *pkey = NULL;

	if (cert != NULL && p == block->der + block->len)
		pkey = X509_get_pubkey(cert);
	X509_free(cert);
	return pkey;
}

/* NULL unless it is, to the last byte, what its label and type say. */
static EVP_PKEY *
decode_key(const JwtPemBlock *block, const char *type)
{
	const unsigned char *p = block->der;
	size_t		left = (size_t) block->len;
	EVP_PKEY   *pkey = NULL;
	OSSL_DECODER_CTX *ctx;

	ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", block->kind->structure,
										type,
										block->kind->is_private
										? EVP_PKEY_KEYPAIR
										: EVP_PKEY_PUBLIC_KEY,
										NULL, NULL);

	/* With a passphrase, if an empty one, nobody is ever asked for it. */
	if (ctx == NULL ||
		OSSL_DECODER_CTX_set_passphrase(ctx, (const unsigned char *) "",
										0) != 1 ||
		OSSL_DECODER_from_data(ctx, &p, &left) != 1 || left != 0)
	{
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OSSL_DECODER_CTX_free(ctx);
	return pkey;
}

JwtStatus
jwt_key_classify(JwtKey *raw, bool *has_oth)
{
	BIGNUM	   *third = NULL;

	*has_oth = false;
	/* "RSA-PSS", a key for one scheme, is another type to libcrypto. */
	if (EVP_PKEY_is_a(raw->pkey, "RSA"))
	{
		raw->kty = JWT_KTY_RSA;
		*has_oth = EVP_PKEY_get_bn_param(raw->pkey,
										 OSSL_PKEY_PARAM_RSA_FACTOR3,
										 &third) == 1;
		BN_clear_free(third);
		return JWT_OK;
	}

	raw->curve = jwt_curve_of_pkey(raw->pkey);
	if (raw->curve == NULL)
		return JWT_E_KEY_TYPE;
	raw->kty = raw->curve->kty;
	return JWT_OK;
}

JwtStatus
jwt_key_make_checked(const JwtKey *raw, bool has_oth, const JwtAlg *alg,
					 const JwtKeyLimits *limits, JwtKey **key)
{
	size_t		size = JWT_JWK_NUM_MEMBERS * JWT_JWK_MEMBER_MAX;
	char	   *text = OPENSSL_zalloc(size);
	JwtStatus	status = text != NULL ? JWT_OK : JWT_E_CRYPTO;
	JwtJwk		jwk;
	int			i;

	memset(&jwk, 0, sizeof(jwk));
	jwk.has_oth = has_oth;
	jwk.member[JWT_JWK_KTY] = jwt_slice_of(jwt_kty_name(raw->kty));
	if (raw->curve != NULL)
		jwk.member[JWT_JWK_CRV] = jwt_slice_of(raw->curve->crv);
	if (alg != NULL)
		jwk.member[JWT_JWK_ALG] = jwt_slice_of(alg->name);

	for (i = JWT_JWK_N; status == JWT_OK && i < JWT_JWK_NUM_MEMBERS; i++)
	{
		char	   *buf = text + (size_t) i * JWT_JWK_MEMBER_MAX;
		size_t		len = 0;

		/* A number that is zero has no bytes: as good as absent. */
		status = jwt_key_member(raw, (JwtJwkMember) i, buf,
								JWT_JWK_MEMBER_MAX, &len);
		if (len > 0)
		{
			jwk.member[i].data = buf;
			jwk.member[i].len = len;
		}
	}
	/* What is labelled private must not pass for its public half. */
	if (status == JWT_OK && raw->is_private &&
		jwk.member[JWT_JWK_D].data == NULL)
		status = JWT_E_KEY_INVALID;
	if (status == JWT_OK)
		status = jwt_key_from_jwk(&jwk, limits, key);

	OPENSSL_clear_free(text, size);
	return status;
}

/* One table row, one decoder. */
static JwtStatus
decode_block(const JwtPemBlock *block, EVP_PKEY **pkey)
{
	const JwtPemKind *kind = block->kind;
	const char *type = kind->type;
	JwtStatus	status = JWT_OK;

	*pkey = NULL;
	if (kind->structure == NULL)
		*pkey = decode_certificate(block);
	else
	{
		if (kind->is_private && type == NULL)
			status = find_pkcs8_type(block, &type);
		if (status == JWT_OK)
			*pkey = decode_key(block, type);
	}
	if (status == JWT_OK && *pkey == NULL)
		status = JWT_E_PEM;
	return status;
}

JwtStatus
jwt_key_next_from_pem(JwtSlice *rest, const JwtKeyLimits *limits,
					  JwtKey **key)
{
	JwtPemBlock block = {NULL, NULL, 0};
	JwtKey	   *raw = jwt_key_new(JWT_KTY_RSA);
	bool		has_oth = false;
	JwtStatus	status = JWT_E_CRYPTO;

	*key = NULL;
	if (raw == NULL)
		goto out;
	status = JWT_E_KEY_TOO_LARGE;
	if (rest->len > JWT_MAX_PEM_LEN)
		goto out;

	status = jwt_pem_next_block(rest, &block);
	if (status != JWT_OK || block.der == NULL)
		goto out;

	raw->is_private = block.kind->is_private;
	status = decode_block(&block, &raw->pkey);
	if (status == JWT_OK)
		status = jwt_key_classify(raw, &has_oth);
	if (status == JWT_OK)
		status = jwt_key_make_checked(raw, has_oth, NULL, limits, key);

out:
	jwt_pem_free_block(&block);
	jwt_key_free(raw);
	ERR_clear_error();
	return status;
}

/*
 * Looks at all blocks without decoding any: what is wrong with a later one
 * is to be heard whatever the first ones hold.
 */
static JwtStatus
check_blocks(JwtSlice pem)
{
	JwtStatus	status = JWT_OK;
	int			count = 0;
	bool		at_end = false;

	if (pem.data == NULL)
		return JWT_E_PEM;
	if (pem.len > JWT_MAX_PEM_LEN)
		return JWT_E_KEY_TOO_LARGE;

	while (status == JWT_OK && !at_end)
	{
		JwtPemBlock block;

		status = jwt_pem_next_block(&pem, &block);
		at_end = block.der == NULL;
		count += at_end ? 0 : 1;
		jwt_pem_free_block(&block);
	}
	if (status == JWT_OK && count == 0)
		status = JWT_E_PEM;
	if (status == JWT_OK && count > MAX_BLOCKS)
		status = JWT_E_PEM_SEVERAL;
	return status;
}

/* Takes next over: into *key, if that is the same key or there is none yet. */
static JwtStatus
merge(JwtKey **key, JwtKey *next)
{
	JwtKey	   *left = next;
	char		have[JWT_THUMBPRINT_LEN];
	char		got[JWT_THUMBPRINT_LEN];
	JwtStatus	status = JWT_OK;

	if (*key != NULL)
	{
		status = jwt_key_thumbprint(*key, have);
		if (status == JWT_OK)
			status = jwt_key_thumbprint(next, got);
		if (status == JWT_OK && memcmp(have, got, sizeof(have)) != 0)
			status = JWT_E_PEM_SEVERAL;
	}
	/* The private half is what its public half, or a certificate, lacks. */
	if (status == JWT_OK && (*key == NULL || next->is_private))
	{
		left = *key;
		*key = next;
	}
	jwt_key_free(left);
	return status;
}

/* As jwt_key_from_jwk has it for a key that comes with an algorithm. */
static JwtStatus
adopt_alg(JwtKey *key, const JwtAlg *alg)
{
	if (alg == NULL)
		return JWT_OK;
	if (!jwt_key_fits(key, alg))
		return JWT_E_KEY_ALG;
	key->alg = alg;
	return jwt_key_check_size(key, alg);
}

JwtStatus
jwt_key_from_pem(JwtSlice pem, const JwtAlg *alg,
				 const JwtKeyLimits *limits, JwtKey **key)
{
	JwtSlice	rest = pem;
	JwtKey	   *made = NULL;
	JwtKey	   *next = NULL;
	JwtStatus	status = check_blocks(pem);

	*key = NULL;
	while (status == JWT_OK &&
		   (status = jwt_key_next_from_pem(&rest, limits, &next)) == JWT_OK &&
		   next != NULL)
		status = merge(&made, next);

	if (status == JWT_OK)
		status = made != NULL ? adopt_alg(made, alg) : JWT_E_CRYPTO;
	if (status == JWT_OK)
	{
		*key = made;
		made = NULL;
	}
	jwt_key_free(made);
	ERR_clear_error();
	return status;
}

/*
 * No passphrase: a key that leaves the database in the clear is so by its
 * owner's wish, and a passphrase would have to be in the query.
 */
JwtStatus
jwt_key_to_pem(const JwtKey *key, char **pem, size_t *len)
{
	OSSL_ENCODER_CTX *ctx = NULL;
	unsigned char *data = NULL;
	size_t		size = 0;
	JwtStatus	status = JWT_E_CRYPTO;

	*pem = NULL;
	*len = 0;
	if (key->pkey == NULL)
		return JWT_E_KEY_TYPE;
	/* RFC 8017, App. A.1.2: there is no private key without its primes. */
	if (key->kty == JWT_KTY_RSA && key->is_private && !key->has_primes)
		return JWT_E_KEY_PRIMES;

	ctx = OSSL_ENCODER_CTX_new_for_pkey(key->pkey,
										key->is_private ? EVP_PKEY_KEYPAIR
										: EVP_PKEY_PUBLIC_KEY,
										"PEM",
										key->is_private ? "PrivateKeyInfo"
										: "SubjectPublicKeyInfo", NULL);
	if (ctx != NULL && OSSL_ENCODER_to_data(ctx, &data, &size) == 1)
	{
		*pem = (char *) data;
		*len = size;
		status = JWT_OK;
	}

	OSSL_ENCODER_CTX_free(ctx);
	ERR_clear_error();
	return status;
}

void
jwt_pem_free(char *pem, size_t len)
{
	OPENSSL_clear_free(pem, len);
}
