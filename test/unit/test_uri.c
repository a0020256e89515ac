/*-------------------------------------------------------------------------
 *
 * test_uri.c
 *	  Keys that libcrypto opens by URI.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "harness.h"

/* To libcrypto a bare path is a URI; older ones want "file:" absolute. */
#define VECTORS "test/unit/vectors/"

static JwtStatus
open_key(const char *uri, const char *alg, JwtKey **key)
{
	JwtStatus	status;

	status = jwt_key_from_uri(jwt_slice_of(uri),
							  alg != NULL ? find_alg(alg) : NULL,
							  &default_limits, key);
	CHECK((*key != NULL) == (status == JWT_OK));
	return status;
}

static JwtStatus
try(const char *uri, const char *alg)
{
	JwtKey	   *key = NULL;
	JwtStatus	status = open_key(uri, alg, &key);

	jwt_key_free(key);
	return status;
}

/* What the key at the URI signs, the public key of keys.txt verifies. */
static void
check_pair(const char *uri, const char *name, const char *alg)
{
	Vectors		vectors;
	JwtJwk		jwk;
	JwtKey	   *half;
	JwtKey	   *key = NULL;
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		len = 0;

	vectors_load(&vectors, "keys.txt");
	jwk = jwk_public_part(vectors_jwk(&vectors, name));
	half = make_key(&jwk);
	CHECK_STATUS(open_key(uri, alg, &key), JWT_OK);
	if (key != NULL)
	{
		CHECK(jwt_key_is_private(key));
		CHECK(jwt_key_bits(key) == jwt_key_bits(half));
		CHECK_STATUS(jwt_key_sign(key, find_alg(alg), jwt_slice_of("a.b"),
								  sig, &len), JWT_OK);
		CHECK_STATUS(jwt_key_verify(half, find_alg(alg), jwt_slice_of("a.b"),
									sig, len), JWT_OK);

		/* It signs, and that is all. */
		CHECK_STATUS(jwt_key_verify(key, find_alg(alg), jwt_slice_of("a.b"),
									sig, len), JWT_E_KEY_USE);
	}
	jwt_key_free(key);
	jwt_key_free(half);
}

static void
keys_from_files(void)
{
	check_pair(VECTORS "rsa_pkcs8.pem", "rsa2048", "RS256");
	check_pair(VECTORS "rsa_pkcs1.pem", "rsa2048", "PS384");
	check_pair(VECTORS "p256_pkcs8.pem", "p256", "ES256");
	check_pair(VECTORS "p256_sec1_with_text.pem", "p256", "ES256");
	check_pair(VECTORS "p521_pkcs8.pem", "p521", "ES512");
	check_pair(VECTORS "ed25519_pkcs8.pem", "ed25519", "EdDSA");
}

static void
no_such_thing(void)
{
	char		uri[JWT_MAX_URI_LEN + 2];
	JwtKey	   *key = NULL;

	CHECK_STATUS(try(VECTORS "p256_pkcs8.pem", NULL), JWT_OK);
	CHECK_STATUS(try(VECTORS "nothing.pem", NULL), JWT_E_KEY_OUTSIDE);
	CHECK_STATUS(try("nonsense:p256", NULL), JWT_E_KEY_OUTSIDE);
	CHECK_STATUS(try("", NULL), JWT_E_KEY_OUTSIDE);
	CHECK_STATUS(jwt_key_from_uri(slice_of_bytes(NULL, 0), NULL,
								  &default_limits, &key), JWT_E_KEY_OUTSIDE);
	CHECK_STATUS(jwt_key_from_uri(slice_of_bytes("file:\0x", 7), NULL,
								  &default_limits, &key), JWT_E_KEY_OUTSIDE);

	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "file:", 5);
	CHECK_STATUS(jwt_key_from_uri(slice_of_bytes(uri, sizeof(uri)), NULL,
								  &default_limits, &key), JWT_E_KEY_OUTSIDE);
}

static void
not_a_signing_key(void)
{
	CHECK_STATUS(try(VECTORS "p256_spki.pem", NULL), JWT_E_KEY_NOT_PRIVATE);
	CHECK_STATUS(try(VECTORS "rsa_certificate.pem", NULL),
				 JWT_E_KEY_NOT_PRIVATE);
	CHECK_STATUS(try(VECTORS "keys.txt", NULL), JWT_E_KEY_NOT_PRIVATE);
	CHECK_STATUS(try("test/unit/vectors", NULL), JWT_E_KEY_NOT_PRIVATE);
	CHECK_STATUS(try(VECTORS "rsa_three_primes.pem", NULL), JWT_E_KEY_TYPE);
	CHECK_STATUS(try(VECTORS "p256_pkcs8.pem", "RS256"), JWT_E_KEY_ALG);
	CHECK_STATUS(try(VECTORS "p256_pkcs8.pem", "ES384"), JWT_E_KEY_ALG);
	CHECK_STATUS(try(VECTORS "p256_pkcs8.pem", "ES256"), JWT_OK);
}

/* Were somebody asked, the tests would hang here. */
static void
nobody_is_asked(void)
{
	CHECK_STATUS(try(VECTORS "encrypted_pkcs8.pem", NULL), JWT_E_KEY_LOCKED);
	CHECK_STATUS(try(VECTORS "encrypted_legacy.pem", NULL), JWT_E_KEY_LOCKED);
}

const Test	uri_tests[] = {
	{"uri: keys from files", keys_from_files},
	{"uri: no such thing", no_such_thing},
	{"uri: not a signing key", not_a_signing_key},
	{"uri: nobody is asked", nobody_is_asked},
	{NULL, NULL}
};
