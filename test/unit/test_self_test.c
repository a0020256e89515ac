/*-------------------------------------------------------------------------
 *
 * test_self_test.c
 *	  What libcrypto does and what it refuses to do, found out by doing it.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/evp.h>

#include "harness.h"
#include "self_test.h"

/* How many algorithms work; all of them are tried with one RSA key. */
static int
count_working(void)
{
	JwtKey	   *rsa = NULL;
	JwtStatus	status;
	int			working = 0;
	int			i;

	for (i = 0; jwt_alg_at(i) != NULL; i++)
	{
		status = jwt_alg_self_test(jwt_alg_at(i), &rsa);
		CHECK(status == JWT_OK || status == JWT_E_UNSUPPORTED ||
			  status == JWT_E_CRYPTO || status == JWT_E_RANDOM);
		working += status == JWT_OK;
	}
	jwt_key_free(rsa);
	return working;
}

static int
count_all(void)
{
	int			i = 0;

	while (jwt_alg_at(i) != NULL)
		i++;
	return i;
}

static void
every_algorithm(void)
{
	CHECK(count_working() == count_all());
	CHECK(!jwt_library_is_fips());
}

/*
 * Told to use approved implementations alone, a libcrypto without the module
 * that has them does nothing; one that has it does some.
 */
static void
restricted(void)
{
	CHECK(EVP_set_default_properties(NULL, "fips=yes") == 1);
	CHECK(jwt_library_is_fips());
	CHECK(count_working() < count_all());
	CHECK(EVP_set_default_properties(NULL, "") == 1);
	CHECK(!jwt_library_is_fips());
	CHECK(count_working() == count_all());
}

/* One RSA key serves them all, and no other key is left to the caller. */
static void
one_rsa_key(void)
{
	JwtKey	   *rsa = NULL;
	JwtKey	   *first;

	CHECK_STATUS(jwt_alg_self_test(find_alg("ES256"), &rsa), JWT_OK);
	CHECK(rsa == NULL);
	CHECK_STATUS(jwt_alg_self_test(find_alg("RS256"), &rsa), JWT_OK);
	first = rsa;
	CHECK(first != NULL);
	CHECK_STATUS(jwt_alg_self_test(find_alg("PS512"), &rsa), JWT_OK);
	CHECK(rsa == first);
	jwt_key_free(rsa);
}

static void
versions(void)
{
	CHECK(strncmp(jwt_library_version(), "OpenSSL ", 8) == 0);
	CHECK(strncmp(jwt_library_built_for(), "OpenSSL ", 8) == 0);
}

const Test	self_test_tests[] = {
	{"self-test: every algorithm", every_algorithm},
	{"self-test: restricted to approved algorithms", restricted},
	{"self-test: one RSA key", one_rsa_key},
	{"self-test: versions", versions},
	{NULL, NULL}
};
