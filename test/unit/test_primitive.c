/*-------------------------------------------------------------------------
 *
 * test_primitive.c
 *	  Randomness, SHA-256, compare, wipe.
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"
#include "primitive.h"

static void
random_bytes_differ(void)
{
	unsigned char a[32];
	unsigned char b[32];

	CHECK_STATUS(jwt_random(a, sizeof(a)), JWT_OK);
	CHECK_STATUS(jwt_random(b, sizeof(b)), JWT_OK);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK_STATUS(jwt_random(a, 0), JWT_OK);
}

/* FIPS 180-4: the examples "abc" and "" */
static void
sha256_vectors(void)
{
	static const unsigned char abc[JWT_SHA256_LEN] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
		0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
		0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
		0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad
	};
	unsigned char hash[JWT_SHA256_LEN];

	CHECK_STATUS(jwt_sha256(jwt_slice_of("abc"), hash), JWT_OK);
	CHECK(memcmp(hash, abc, sizeof(hash)) == 0);
	CHECK_STATUS(jwt_sha256(jwt_slice_of(""), hash), JWT_OK);
	CHECK(hash[0] == 0xe3 && hash[31] == 0x55);
}

/* RFC 4231, test cases 2 and 6 (a key longer than a block); an empty key */
static void
hmac_vectors(void)
{
	static const unsigned char jefe[JWT_SHA256_LEN] = {
		0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
		0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
		0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
		0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43
	};
	unsigned char mac[JWT_MAX_HMAC_LEN];
	char		long_key[131];
	JwtSlice	key = {long_key, sizeof(long_key)};
	JwtSlice	input = jwt_slice_of("what do ya want for nothing?");

	CHECK_STATUS(jwt_hmac("SHA256", jwt_slice_of("Jefe"), input, mac, 32), JWT_OK);
	CHECK(memcmp(mac, jefe, sizeof(jefe)) == 0);
	CHECK_STATUS(jwt_hmac("SHA512", jwt_slice_of("Jefe"), input, mac, 64), JWT_OK);
	CHECK(mac[0] == 0x16 && mac[63] == 0x37);
	memset(long_key, 0xaa, sizeof(long_key));
	input = jwt_slice_of("Test Using Larger Than Block-Size Key - Hash Key First");
	CHECK_STATUS(jwt_hmac("SHA256", key, input, mac, 32), JWT_OK);
	CHECK(mac[0] == 0x60 && mac[31] == 0x54);
	CHECK_STATUS(jwt_hmac("SHA256", jwt_slice_of(""), jwt_slice_of(""), mac, 32), JWT_OK);
	CHECK(mac[0] == 0xb6 && mac[31] == 0xad);

	/* Another length than the digest's, and no such digest */
	CHECK_STATUS(jwt_hmac("SHA256", key, input, mac, 31), JWT_E_CRYPTO);
	CHECK_STATUS(jwt_hmac("SHA257", key, input, mac, 32), JWT_E_CRYPTO);
	CHECK(mac[0] == 0 && mac[31] == 0);
}

/* One context, keys in turn, and a failure between: each is as if alone. */
static void
hmac_again(void)
{
	static const char *const keys[] = {"Jefe", "", "Jefe", "another"};
	unsigned char once[JWT_MAX_HMAC_LEN];
	unsigned char again[JWT_MAX_HMAC_LEN];
	JwtSlice	input = jwt_slice_of("what do ya want for nothing?");
	JwtHmac    *hmac = jwt_hmac_new("SHA384");
	int			i;

	CHECK(hmac != NULL);
	for (i = 0; i < 4; i++)
	{
		JwtSlice	key = jwt_slice_of(keys[i]);

		CHECK_STATUS(jwt_hmac("SHA384", key, input, once, 48), JWT_OK);
		CHECK_STATUS(jwt_hmac_compute(hmac, key, input, again, 48), JWT_OK);
		CHECK(memcmp(once, again, 48) == 0);
		CHECK_STATUS(jwt_hmac_compute(hmac, key, input, again, 32), JWT_E_CRYPTO);
		CHECK(again[0] == 0 && again[31] == 0);
	}
	jwt_hmac_free(hmac);
	CHECK(jwt_hmac_new("SHA257") == NULL);
}

static void
compare_and_wipe(void)
{
	char		a[4] = {'a', 'b', 'c', 'd'};
	char		b[4] = {'a', 'b', 'c', 'e'};

	CHECK(jwt_equal_consttime(a, b, 3));
	CHECK(!jwt_equal_consttime(a, b, 4));
	CHECK(jwt_equal_consttime(a, b, 0));

	jwt_wipe(NULL, 0);
	jwt_wipe(a, 3);
	CHECK(a[0] == 0 && a[1] == 0 && a[2] == 0 && a[3] == 'd');
}

const Test	primitive_tests[] = {
	{"primitive: random bytes differ", random_bytes_differ},
	{"primitive: SHA-256 vectors", sha256_vectors},
	{"primitive: HMAC vectors", hmac_vectors},
	{"primitive: HMAC again and again", hmac_again},
	{"primitive: compare and wipe", compare_and_wipe},
	{NULL, NULL}
};
