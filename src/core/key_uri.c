/*-------------------------------------------------------------------------
 *
 * key_uri.c
 *	  Keys that live outside: libcrypto opens them by URI (OSSL_STORE).
 *
 * The only part of the core that reaches out of the process, and only where
 * the caller's URI points.  Private numbers are never asked for: a key in
 * hardware has none to show.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "key_internal.h"
#include "primitive.h"

/* Things at one URI that are looked at. */
#define MAX_THINGS 100

/* What a new key signs to prove itself: without a dot, so never a JWS. */
static const char proof_text[] = "jwt_auth key check";

/* Called for a passphrase or PIN.  Notes that, and has none. */
static int
refuse_to_ask(char *buf, int size, int rwflag, void *asked)
{
	(void) buf;
	(void) size;
	(void) rwflag;
	*(bool *) asked = true;
	return -1;
}

/* The first private key there, or NULL. */
static EVP_PKEY *
find_private(OSSL_STORE_CTX *store)
{
	EVP_PKEY   *pkey = NULL;
	int			i;

	/* A load that fails says nothing about the next. */
	for (i = 0; i < MAX_THINGS && pkey == NULL && !OSSL_STORE_eof(store); i++)
	{
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info != NULL &&
			OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	return pkey;
}

static JwtStatus
open_uri(JwtSlice uri, EVP_PKEY **pkey)
{
	char		text[JWT_MAX_URI_LEN + 1];
	bool		asked = false;
	UI_METHOD  *ui;
	OSSL_STORE_CTX *store = NULL;

	memcpy(text, uri.data, uri.len);
	text[uri.len] = '\0';
	ui = UI_UTIL_wrap_read_pem_callback(refuse_to_ask, 0);
	if (ui != NULL)
		store = OSSL_STORE_open(text, ui, &asked, NULL, NULL);
	if (store != NULL &&
		OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1)
		*pkey = find_private(store);

	/* A URI may hold a PIN. */
	jwt_wipe(text, sizeof(text));
	OSSL_STORE_close(store);
	UI_destroy_method(ui);
	if (*pkey != NULL)
		return JWT_OK;
	if (asked)
		return JWT_E_KEY_LOCKED;
	return store != NULL ? JWT_E_KEY_NOT_PRIVATE : JWT_E_KEY_OUTSIDE;
}

/* Does what raw signs verify with the public half that it shows? */
static JwtStatus
prove(JwtKey *raw, JwtKey *half)
{
	const JwtAlg *alg = jwt_key_default_alg(half);
	JwtSlice	text = jwt_slice_of(proof_text);
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		len = 0;
	JwtStatus	status;

	status = jwt_key_sign(raw, alg, text, sig, &len);
	if (status == JWT_OK)
		status = jwt_key_verify(half, alg, text, sig, len);
	return status == JWT_E_SIGNATURE ? JWT_E_KEY_INVALID : status;
}

JwtStatus
jwt_key_from_uri(JwtSlice uri, const JwtAlg *alg, const JwtKeyLimits *limits,
				 JwtKey **key)
{
	JwtKey	   *raw = jwt_key_new(JWT_KTY_RSA);
	JwtKey	   *half = NULL;
	bool		has_oth = false;
	JwtStatus	status = JWT_E_KEY_OUTSIDE;

	*key = NULL;
	if (raw == NULL)
		status = JWT_E_CRYPTO;
	else if (uri.data != NULL && uri.len > 0 && uri.len <= JWT_MAX_URI_LEN &&
			 memchr(uri.data, '\0', uri.len) == NULL)
		status = open_uri(uri, &raw->pkey);

	if (status == JWT_OK)
		status = jwt_key_classify(raw, &has_oth);
	if (status == JWT_OK)
		status = jwt_key_make_checked(raw, has_oth, alg, limits, &half);
	if (status != JWT_OK)
		goto out;

	raw->alg = alg;
	raw->bits = half->bits;
	raw->ops = JWT_OP_SIGN;
	raw->is_private = true;
	status = prove(raw, half);
	if (status == JWT_OK)
	{
		*key = raw;
		raw = NULL;
	}

out:
	jwt_key_free(half);
	jwt_key_free(raw);
	ERR_clear_error();
	return status;
}
