/*-------------------------------------------------------------------------
 *
 * self_test.c
 *	  What this libcrypto really does, found out by doing it.
 *
 * A name in a table proves nothing: a distribution leaves curves out, and a
 * FIPS provider refuses when it is asked to work, not before.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "key_internal.h"
#include "self_test.h"

#define RSA_BITS 2048

static const char message[] = "eyJhbGciOiJ0ZXN0In0.e30";

/* Signs and verifies; a key that says yes to everything fails as well. */
static JwtStatus
try_key(JwtKey *key, const JwtAlg *alg)
{
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	JwtSlice	input = jwt_slice_of(message);
	size_t		len;
	JwtStatus	status = jwt_key_sign(key, alg, input, sig, &len);

	if (status == JWT_OK)
		status = jwt_key_verify(key, alg, input, sig, len);
	if (status != JWT_OK)
		return status;

	input.len--;
	return jwt_key_verify(key, alg, input, sig, len) == JWT_E_SIGNATURE ?
		JWT_OK : JWT_E_CRYPTO;
}

JwtStatus
jwt_alg_self_test(const JwtAlg *alg, JwtKey **rsa)
{
	JwtKey	   *key = alg->kty == JWT_KTY_RSA ? *rsa : NULL;
	JwtStatus	status = JWT_OK;

	if (key == NULL)
		status = jwt_key_generate(alg, RSA_BITS, NULL, &key);
	if (status == JWT_OK)
	{
		/* Bound to one algorithm, it would serve none of the others. */
		key->alg = NULL;
		status = try_key(key, alg);
	}

	if (alg->kty == JWT_KTY_RSA)
		*rsa = key;
	else
		jwt_key_free(key);
	return status;
}

const char *
jwt_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

const char *
jwt_library_built_for(void)
{
	return OPENSSL_VERSION_TEXT;
}

bool
jwt_library_is_fips(void)
{
	bool		is_fips = EVP_default_properties_is_fips_enabled(NULL) == 1;

	ERR_clear_error();
	return is_fips;
}
