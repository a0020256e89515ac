/*-------------------------------------------------------------------------
 *
 * seal.c
 *	  Secrets encrypted for storage: AES-256-GCM, HKDF-SHA-256.
 *
 * Where the bytes come from that the key is made of is the caller's affair.
 *
 *-------------------------------------------------------------------------
 */
#include <limits.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base64url.h"
#include "primitive.h"
#include "seal.h"

#define VERSION		1
#define NONCE_LEN	12
#define TAG_LEN		16
#define ID_BYTES	16

/* Purposes: RFC 5869, Sec. 3.2, "info". */
static const char key_info[] = "jwt_auth seal 1: AES-256-GCM key";
static const char id_info[] = "jwt_auth seal 1: identifier";

/* Comes before the name of what is sealed. */
static const char data_label[] = "jwt_auth seal 1";

/* RFC 5869, without a salt: the material is random already. */
static bool
hkdf(EVP_KDF *kdf, JwtSlice material, const char *info,
	 unsigned char *out, size_t len)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM	params[4];
	bool		done;

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
												 (char *) "SHA256", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
												  (void *) material.data,
												  material.len);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
												  (void *) info,
												  strlen(info));
	params[3] = OSSL_PARAM_construct_end();

	done = ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	return done;
}

JwtStatus
jwt_seal_derive(JwtSlice material, JwtSealKey *key)
{
	unsigned char id[ID_BYTES];
	EVP_KDF    *kdf = NULL;
	JwtStatus	status = JWT_E_CRYPTO;

	memset(key, 0, sizeof(*key));
	if (material.data == NULL || material.len < JWT_SEAL_MIN_FILE)
		return JWT_E_KEY_TOO_SMALL;

	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (kdf != NULL &&
		hkdf(kdf, material, key_info, key->key, sizeof(key->key)) &&
		hkdf(kdf, material, id_info, id, sizeof(id)))
	{
		(void) jwt_base64url_encode(id, sizeof(id), key->id);
		status = JWT_OK;
	}
	else
		jwt_wipe(key, sizeof(*key));

	EVP_KDF_free(kdf);
	ERR_clear_error();
	return status;
}

/* A length of eight octets, then the text: no two names look the same. */
static bool
add_text(EVP_CIPHER_CTX *ctx, JwtSlice text)
{
	unsigned char prefix[8];
	size_t		rest = text.data != NULL ? text.len : 0;
	int			len = (int) rest;
	int			done;
	int			i;

	if (rest > INT_MAX)
		return false;

	for (i = 7; i >= 0; i--)
	{
		prefix[i] = (unsigned char) (rest & 0xff);
		rest >>= 8;
	}
	return EVP_CipherUpdate(ctx, NULL, &done, prefix, sizeof(prefix)) == 1 &&
		(len == 0 ||
		 EVP_CipherUpdate(ctx, NULL, &done,
						  (const unsigned char *) text.data, len) == 1);
}

/* A context that has taken key, nonce and name, or NULL. */
static EVP_CIPHER_CTX *
begin(const JwtSealKey *key, const JwtSealName *name,
	  const unsigned char nonce[NONCE_LEN], bool encrypt)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (cipher == NULL || ctx == NULL ||
		EVP_CipherInit_ex2(ctx, cipher, key->key, nonce, encrypt ? 1 : 0,
						   NULL) != 1 ||
		!add_text(ctx, jwt_slice_of(data_label)) ||
		!add_text(ctx, name->issuer) || !add_text(ctx, name->kid) ||
		!add_text(ctx, name->kty) || !add_text(ctx, name->alg))
	{
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}

	/* The context holds a reference of its own. */
	EVP_CIPHER_free(cipher);
	return ctx;
}

/* len bytes from in to out; false if the tag of what is opened is wrong. */
static bool
finish(EVP_CIPHER_CTX *ctx, const unsigned char *in, size_t len,
	   unsigned char *out)
{
	unsigned char none[1];
	int			done = 0;
	int			rest = 0;

	if (len > 0 &&
		(EVP_CipherUpdate(ctx, out, &done, in, (int) len) != 1 ||
		 done != (int) len))
		return false;
	return EVP_CipherFinal_ex(ctx, none, &rest) == 1 && rest == 0;
}

JwtStatus
jwt_seal(const JwtSealKey *key, const JwtSealName *name, JwtSlice clear,
		 unsigned char *sealed)
{
	unsigned char *nonce = sealed + 1;
	unsigned char *body = nonce + NONCE_LEN;
	EVP_CIPHER_CTX *ctx = NULL;
	JwtStatus	status = JWT_E_CRYPTO;

	if (clear.len > INT_MAX - JWT_SEAL_OVERHEAD)
		return JWT_E_KEY_TOO_LARGE;

	sealed[0] = VERSION;
	status = jwt_random(nonce, NONCE_LEN);
	if (status != JWT_OK)
		goto out;

	ctx = begin(key, name, nonce, true);
	if (ctx == NULL ||
		!finish(ctx, (const unsigned char *) clear.data, clear.len, body) ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN,
							body + clear.len) != 1)
		status = JWT_E_CRYPTO;

out:
	if (status != JWT_OK)
		jwt_wipe(sealed, clear.len + JWT_SEAL_OVERHEAD);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return status;
}

JwtStatus
jwt_unseal(const JwtSealKey *key, const JwtSealName *name, JwtSlice sealed,
		   unsigned char *clear, size_t *len)
{
	const unsigned char *nonce;
	const unsigned char *body;
	unsigned char tag[TAG_LEN];
	EVP_CIPHER_CTX *ctx;
	JwtStatus	status = JWT_OK;
	size_t		size;

	*len = 0;
	if (sealed.data == NULL || sealed.len < JWT_SEAL_OVERHEAD ||
		sealed.len > INT_MAX || sealed.data[0] != VERSION)
		return JWT_E_SEALED;

	nonce = (const unsigned char *) sealed.data + 1;
	body = nonce + NONCE_LEN;
	size = sealed.len - JWT_SEAL_OVERHEAD;
	memcpy(tag, body + size, TAG_LEN);
	ctx = begin(key, name, nonce, false);
	if (ctx == NULL ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1)
		status = JWT_E_CRYPTO;
	else if (!finish(ctx, body, size, clear))
		status = JWT_E_SEALED;

	/* Nothing is used of what does not open as a whole. */
	if (status == JWT_OK)
		*len = size;
	else
		jwt_wipe(clear, size);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return status;
}
