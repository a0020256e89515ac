/*-------------------------------------------------------------------------
 *
 * test_seal.c
 *	  Sealed secrets open with their key, under their name, unchanged.
 *
 *-------------------------------------------------------------------------
 */
#include <limits.h>

#include "harness.h"
#include "seal.h"

#define MAX_CLEAR 100

static const char file_a[] = "0123456789abcdef0123456789abcdef";
static const char file_b[] = "0123456789abcdef0123456789abcdeF";

static JwtSealKey
key_of(const char *file)
{
	JwtSealKey	key;

	CHECK_STATUS(jwt_seal_derive(jwt_slice_of(file), &key), JWT_OK);
	return key;
}

static JwtSealName
name_of(const char *issuer, const char *kid, const char *kty, const char *alg)
{
	JwtSealName name;

	name.issuer = jwt_slice_of(issuer);
	name.kid = jwt_slice_of(kid);
	name.kty = jwt_slice_of(kty);
	name.alg.data = alg;
	name.alg.len = alg != NULL ? strlen(alg) : 0;
	return name;
}

/* Opens, or leaves nothing. */
static JwtStatus
try(const JwtSealKey *key, const JwtSealName *name, const void *sealed,
	size_t len, const char *expected)
{
	static const unsigned char zeroes[MAX_CLEAR] = {0};
	unsigned char clear[MAX_CLEAR] = {0};
	size_t		got = 99;
	JwtStatus	status;

	status = jwt_unseal(key, name, slice_of_bytes(sealed, len), clear, &got);
	if (status == JWT_OK)
	{
		CHECK(got == strlen(expected));
		CHECK(memcmp(clear, expected, got) == 0);
	}
	else
	{
		CHECK(got == 0);
		CHECK(memcmp(clear, zeroes, sizeof(clear)) == 0);
	}
	return status;
}

static void
round_trips(void)
{
	static const char *const texts[] = {
		"", "x", "sixteen octets!!", "a secret that is longer than a block"
	};
	JwtSealKey	key = key_of(file_a);
	JwtSealName name = name_of("", "k1", "oct", "HS256");
	unsigned char sealed[MAX_CLEAR + JWT_SEAL_OVERHEAD];
	size_t		i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		size_t		len = strlen(texts[i]);

		CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of(texts[i]), sealed),
					 JWT_OK);
		CHECK(len < 8 || memcmp(sealed + 13, texts[i], len) != 0);
		CHECK_STATUS(try(&key, &name, sealed, len + JWT_SEAL_OVERHEAD,
						 texts[i]), JWT_OK);
	}
}

/* The same secret twice: nothing in common but the version. */
static void
nonces_differ(void)
{
	JwtSealKey	key = key_of(file_a);
	JwtSealName name = name_of("", "k1", "oct", "HS256");
	unsigned char first[MAX_CLEAR];
	unsigned char second[MAX_CLEAR];

	CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of("secret"), first), JWT_OK);
	CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of("secret"), second),
				 JWT_OK);
	CHECK(memcmp(first + 1, second + 1, 12) != 0);
	CHECK(memcmp(first + 13, second + 13, 6) != 0);
}

static void
every_bit_counts(void)
{
	JwtSealKey	key = key_of(file_a);
	JwtSealName name = name_of("", "k1", "oct", "HS256");
	unsigned char sealed[6 + JWT_SEAL_OVERHEAD + 1] = {0};
	size_t		len = 6 + JWT_SEAL_OVERHEAD;
	size_t		i;

	CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of("secret"), sealed),
				 JWT_OK);
	for (i = 0; i < len; i++)
	{
		sealed[i] ^= 1;
		CHECK_STATUS(try(&key, &name, sealed, len, ""), JWT_E_SEALED);
		sealed[i] ^= 1;
	}
	for (i = 0; i < len; i++)
		CHECK_STATUS(try(&key, &name, sealed, i, ""), JWT_E_SEALED);
	CHECK_STATUS(try(&key, &name, sealed, len + 1, ""), JWT_E_SEALED);
	CHECK_STATUS(try(&key, &name, NULL, 0, ""), JWT_E_SEALED);
	CHECK_STATUS(try(&key, &name, sealed, len, "secret"), JWT_OK);
}

/* Also where two names run together to the same bytes. */
static void
names_count(void)
{
	JwtSealKey	key = key_of(file_a);
	JwtSealName name = name_of("iss", "kid", "oct", "HS256");
	JwtSealName others[] = {
		name_of("", "kid", "oct", "HS256"),
		name_of("iss", "kiD", "oct", "HS256"),
		name_of("is", "skid", "oct", "HS256"),
		name_of("issk", "id", "oct", "HS256"),
		name_of("iss", "kid", "octH", "S256"),
		name_of("iss", "kid", "RSA", "HS256"),
		name_of("iss", "kid", "oct", "HS384"),
		name_of("iss", "kid", "oct", "")
	};
	unsigned char sealed[6 + JWT_SEAL_OVERHEAD];
	size_t		i;

	CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of("secret"), sealed),
				 JWT_OK);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK_STATUS(try(&key, &others[i], sealed, sizeof(sealed), ""),
					 JWT_E_SEALED);
	CHECK_STATUS(try(&key, &name, sealed, sizeof(sealed), "secret"), JWT_OK);
}

static void
keys_count(void)
{
	JwtSealKey	a = key_of(file_a);
	JwtSealKey	b = key_of(file_b);
	JwtSealKey	again = key_of(file_a);
	JwtSealName name = name_of("", "k1", "EC", NULL);
	JwtSealName empty = name_of("", "k1", "EC", "");
	unsigned char sealed[6 + JWT_SEAL_OVERHEAD];

	CHECK(memcmp(&a, &again, sizeof(a)) == 0);
	CHECK(strlen(a.id) == JWT_SEAL_ID_LEN);
	CHECK(strcmp(a.id, b.id) != 0);

	CHECK_STATUS(jwt_seal(&a, &name, jwt_slice_of("secret"), sealed), JWT_OK);
	CHECK_STATUS(try(&b, &name, sealed, sizeof(sealed), ""), JWT_E_SEALED);
	CHECK_STATUS(try(&again, &empty, sealed, sizeof(sealed), "secret"),
				 JWT_OK);
}

/*
 * HKDF-SHA-256 of file_a, by "openssl kdf -kdfopt digest:SHA256 -kdfopt
 * key:... -kdfopt info:..."; were it to change, no stored key would open.
 */
static void
derivation_stays(void)
{
	JwtSealKey	key = key_of(file_a);

	CHECK(strcmp(key.id, "jCcpOZ4KZ2D3xWjgtcJJPA") == 0);
	CHECK(key.key[0] == 0xe9 && key.key[31] == 0x99);
}

static void
short_files_are_refused(void)
{
	static const char zeroes[sizeof(JwtSealKey)] = {0};
	JwtSealKey	key;

	CHECK_STATUS(jwt_seal_derive(slice_of_bytes(file_a, 31), &key),
				 JWT_E_KEY_TOO_SMALL);
	CHECK(memcmp(&key, zeroes, sizeof(key)) == 0);
	CHECK_STATUS(jwt_seal_derive(slice_of_bytes(NULL, 0), &key),
				 JWT_E_KEY_TOO_SMALL);
	CHECK_STATUS(jwt_seal_derive(slice_of_bytes(file_a, 32), &key), JWT_OK);
	CHECK_STATUS(jwt_seal_derive(slice_of_bytes(file_a, 33), &key), JWT_OK);
}

/* Lengths that libcrypto's int cannot hold; nothing is read or written. */
static void
huge_lengths_are_refused(void)
{
	JwtSealKey	key = key_of(file_a);
	JwtSealName name = name_of("", "k1", "oct", "HS256");
	unsigned char sealed[1 + JWT_SEAL_OVERHEAD] = {0};
	size_t		len = 99;

	CHECK_STATUS(jwt_seal(&key, &name, slice_of_bytes(file_a, INT_MAX), sealed),
				 JWT_E_KEY_TOO_LARGE);
	CHECK_STATUS(jwt_unseal(&key, &name,
							slice_of_bytes(sealed, (size_t) INT_MAX + 1),
							sealed, &len), JWT_E_SEALED);
	CHECK(len == 0);
	name.kid.len = (size_t) INT_MAX + 1;
	CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of("x"), sealed),
				 JWT_E_CRYPTO);
	name.kid.len = 2;
	CHECK_STATUS(jwt_seal(&key, &name, jwt_slice_of("x"), sealed), JWT_OK);
}

const Test	seal_tests[] = {
	{"seal: round trips", round_trips},
	{"seal: nonces differ", nonces_differ},
	{"seal: every bit counts", every_bit_counts},
	{"seal: names count", names_count},
	{"seal: keys count", keys_count},
	{"seal: derivation stays", derivation_stays},
	{"seal: short files are refused", short_files_are_refused},
	{"seal: huge lengths are refused", huge_lengths_are_refused},
	{NULL, NULL}
};
