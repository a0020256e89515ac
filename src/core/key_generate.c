/*-------------------------------------------------------------------------
 *
 * key_generate.c
 *	  New keys.
 *
 * What libcrypto makes needs none of the checks that a key from outside
 * does; that such a key passes them all the same is for the tests to show.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "key_internal.h"
#include "primitive.h"

/* As many random bytes as the hash has: RFC 7518, Sec. 3.2. */
static JwtStatus
generate_oct(JwtKey *key, const JwtAlg *alg)
{
	JwtSlice	secret;
	JwtStatus	status;

	key->secret = OPENSSL_zalloc(alg->digest_len);
	if (key->secret == NULL)
		return JWT_E_CRYPTO;
	key->secret_len = alg->digest_len;
	key->bits = (int) alg->digest_len * 8;

	/* By sheer chance it may look like text, and be refused elsewhere. */
	secret.data = (const char *) key->secret;
	secret.len = key->secret_len;
	do
		status = jwt_random(key->secret, key->secret_len);
	while (status == JWT_OK && jwt_secret_check(secret) != JWT_OK);
	return status;
}

/* Whom to ask, and whether the answer was yes. */
typedef struct Stop
{
	bool		(*must_stop) (void);
	bool		stopped;
} Stop;

/* libcrypto asks at each number that might be a prime whether to go on. */
static int
go_on(EVP_PKEY_CTX *ctx)
{
	Stop	   *stop = EVP_PKEY_CTX_get_app_data(ctx);

	stop->stopped = stop->stopped || stop->must_stop();
	return stop->stopped ? 0 : 1;
}

/* The public exponent is libcrypto's, 65537. */
static JwtStatus
generate_rsa(JwtKey *key, const JwtAlg *alg, int bits,
			 bool (*must_stop) (void))
{
	Stop		stop = {must_stop, false};
	EVP_PKEY_CTX *ctx;

	if (bits < JWT_MIN_RSA_BITS || bits < alg->min_bits)
		return JWT_E_KEY_TOO_SMALL;
	if (bits > JWT_MAX_RSA_BITS)
		return JWT_E_KEY_TOO_LARGE;

	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (ctx != NULL && must_stop != NULL)
	{
		EVP_PKEY_CTX_set_app_data(ctx, &stop);
		EVP_PKEY_CTX_set_cb(ctx, go_on);
	}
	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
		EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1 ||
		EVP_PKEY_generate(ctx, &key->pkey) != 1)
	{
		EVP_PKEY_free(key->pkey);
		key->pkey = NULL;
	}
	key->bits = bits;
	EVP_PKEY_CTX_free(ctx);
	if (key->pkey != NULL)
		return JWT_OK;
	return stop.stopped ? JWT_E_STOPPED : JWT_E_CRYPTO;
}

/* An algorithm that leaves the curve open means Ed25519. */
static JwtStatus
generate_curve(JwtKey *key, const JwtAlg *alg)
{
	const char *crv = alg->crv != NULL ? alg->crv : "Ed25519";
	const JwtCurve *curve = jwt_curve_find(alg->kty, jwt_slice_of(crv));

	if (curve == NULL)
		return JWT_E_UNSUPPORTED;

	key->curve = curve;
	key->bits = curve->bits;
	if (curve->group != NULL)
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, curve->type, curve->group);
	else
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, curve->type);
	return key->pkey != NULL ? JWT_OK : JWT_E_UNSUPPORTED;
}

JwtStatus
jwt_key_generate(const JwtAlg *alg, int rsa_bits, bool (*must_stop) (void),
				 JwtKey **key)
{
	JwtKey	   *made = jwt_key_new(alg->kty);
	JwtStatus	status = JWT_E_CRYPTO;

	*key = NULL;
	if (made == NULL)
		goto out;

	made->alg = alg;
	made->is_private = true;
	if (alg->kty == JWT_KTY_OCT)
		status = generate_oct(made, alg);
	else if (alg->kty == JWT_KTY_RSA)
		status = generate_rsa(made, alg, rsa_bits, must_stop);
	else
		status = generate_curve(made, alg);

	if (status == JWT_OK)
	{
		made->is_whole = true;
		made->has_primes = alg->kty == JWT_KTY_RSA;
		*key = made;
		made = NULL;
	}

out:
	jwt_key_free(made);
	ERR_clear_error();
	return status;
}
