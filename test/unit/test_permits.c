/*-------------------------------------------------------------------------
 *
 * test_permits.c
 *	  What a key may be used for, and the table of algorithms.
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"

/* The names of the algorithms that key may do op with, in a line. */
static void
list_permitted(const JwtKey *key, unsigned op, char *line)
{
	const JwtAlg *alg;
	int			i;

	line[0] = '\0';
	for (i = 0; (alg = jwt_alg_at(i)) != NULL; i++)
	{
		if (jwt_key_permits(key, alg, op) == JWT_OK)
		{
			strcat(line, alg->name);
			strcat(line, " ");
		}
	}
}

static void
permits_by_type_and_curve(void)
{
	static const char *const expected[NUM_KEY_NAMES] = {
		"RS256 RS384 RS512 PS256 PS384 PS512 ", "ES256 ", "ES384 ", "ES512 ",
		"ES256K ", "EdDSA Ed25519 ", "EdDSA Ed448 "
	};
	static const char *const defaults[NUM_KEY_NAMES] = {
		"RS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "EdDSA"
	};
	Vectors		vectors;
	char		line[200];
	size_t		i;

	vectors_load(&vectors, "keys.txt");
	for (i = 0; i < NUM_KEY_NAMES; i++)
	{
		JwtJwk		jwk = vectors_jwk(&vectors, key_names[i]);
		JwtKey	   *key = make_key(&jwk);

		if (key == NULL)
			continue;
		list_permitted(key, JWT_OP_SIGN, line);
		CHECK(strcmp(line, expected[i]) == 0);
		list_permitted(key, JWT_OP_VERIFY, line);
		CHECK(strcmp(line, expected[i]) == 0);
		CHECK(strcmp(jwt_key_default_alg(key)->name, defaults[i]) == 0);
		jwt_key_free(key);

		/* Its own algorithm, the last of those, is then the only one. */
		jwk.member[JWT_JWK_ALG] = jwt_slice_of(defaults[i]);
		key = make_key(&jwk);
		list_permitted(key, JWT_OP_VERIFY, line);
		CHECK(strncmp(line, defaults[i], strlen(defaults[i])) == 0 &&
			  strlen(line) == strlen(defaults[i]) + 1);
		CHECK(jwt_key_default_alg(key) == jwt_key_alg(key));
		jwt_key_free(key);
	}
}

static void
permits_by_size(void)
{
	char		k[100];
	char		line[100];
	JwtJwk		jwk = oct_jwk(48, k);
	JwtKey	   *key = make_key(&jwk);

	list_permitted(key, JWT_OP_SIGN, line);
	CHECK(strcmp(line, "HS256 HS384 ") == 0);
	CHECK_STATUS(jwt_key_permits(key, find_alg("HS512"), JWT_OP_VERIFY),
				 JWT_E_SECRET_TOO_SMALL);
	CHECK_STATUS(jwt_key_permits(key, find_alg("RS256"), JWT_OP_VERIFY),
				 JWT_E_ALGORITHM);
	CHECK_STATUS(jwt_key_permits(key, NULL, JWT_OP_VERIFY), JWT_E_ALGORITHM);
	CHECK(strcmp(jwt_key_default_alg(key)->name, "HS256") == 0);
	jwt_key_free(key);

	jwk = oct_jwk(31, k);
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_permits(key, find_alg("HS256"), JWT_OP_SIGN),
				 JWT_E_SECRET_TOO_SMALL);
	CHECK(strcmp(jwt_key_default_alg(key)->name, "HS256") == 0);
	jwt_key_free(key);
}

static void
permits_by_operation(void)
{
	Vectors		vectors;
	JwtJwk		jwk;
	JwtJwk		public_jwk;
	JwtKey	   *key;
	const JwtAlg *alg = find_alg("ES256");

	vectors_load(&vectors, "keys.txt");
	jwk = vectors_jwk(&vectors, "p256");
	public_jwk = jwk_public_part(jwk);
	key = make_key(&public_jwk);
	CHECK_STATUS(jwt_key_permits(key, alg, JWT_OP_VERIFY), JWT_OK);
	CHECK_STATUS(jwt_key_permits(key, alg, JWT_OP_SIGN),
				 JWT_E_KEY_NOT_PRIVATE);
	jwt_key_free(key);

	jwk.has_key_ops = true;
	jwk.key_ops = JWT_OP_SIGN;
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_permits(key, alg, JWT_OP_SIGN), JWT_OK);
	CHECK_STATUS(jwt_key_permits(key, alg, JWT_OP_VERIFY), JWT_E_KEY_USE);
	jwt_key_free(key);

	jwk.key_ops = JWT_OP_VERIFY;
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_permits(key, alg, JWT_OP_SIGN), JWT_E_KEY_USE);
	CHECK_STATUS(jwt_key_permits(key, alg, JWT_OP_VERIFY), JWT_OK);
	jwt_key_free(key);
}

static void
algorithm_table(void)
{
	const JwtAlg *alg;
	int			i;

	for (i = 0; (alg = jwt_alg_at(i)) != NULL; i++)
	{
		CHECK(jwt_alg_find(jwt_slice_of(alg->name)) == alg);
		CHECK(alg->slot >= 0 && alg->slot < JWT_MAX_SLOTS);
	}
	CHECK(i == 16);
	CHECK(jwt_alg_at(-1) == NULL);
	CHECK(jwt_alg_find(jwt_slice_of("none")) == NULL);
	CHECK(jwt_alg_find(jwt_slice_of("HS25")) == NULL);
	CHECK(jwt_alg_find(jwt_slice_of("hs256")) == NULL);
	CHECK(jwt_alg_find(slice_of_bytes("HS256\0x", 7)) == NULL);
	CHECK(jwt_alg_find(slice_of_bytes(NULL, 0)) == NULL);
}

const Test	permits_tests[] = {
	{"permits: algorithm table", algorithm_table},
	{"permits: by type and curve", permits_by_type_and_curve},
	{"permits: by size", permits_by_size},
	{"permits: by operation", permits_by_operation},
	{NULL, NULL}
};
