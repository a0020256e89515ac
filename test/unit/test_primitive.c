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
	{"primitive: compare and wipe", compare_and_wipe},
	{NULL, NULL}
};
