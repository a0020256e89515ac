/*-------------------------------------------------------------------------
 *
 * test_member.c
 *	  Key to JWK members and thumbprint; new keys.
 *
 *-------------------------------------------------------------------------
 */
#include "base64url.h"
#include "harness.h"

static void
members_come_back(void)
{
	static const char *const names[] = {
		"rsa2048", "rsa2048b", "p256", "p384", "p521", "k256", "ed25519",
		"ed448"
	};
	Vectors		vectors;
	char		text[JWT_JWK_MEMBER_MAX];
	size_t		len;
	size_t		i;
	int			m;

	vectors_load(&vectors, "keys.txt");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		JwtJwk		jwk = vectors_jwk(&vectors, names[i]);
		JwtJwk		public_jwk = jwk_public_part(jwk);
		JwtKey	   *key = make_key(&jwk);
		JwtKey	   *public_key = make_key(&public_jwk);

		if (key == NULL || public_key == NULL)
			continue;
		for (m = JWT_JWK_K; m < JWT_JWK_NUM_MEMBERS; m++)
		{
			CHECK_STATUS(jwt_key_member(key, (JwtJwkMember) m, text,
										sizeof(text), &len), JWT_OK);
			CHECK(jwt_slice_equal(slice_of_bytes(text, len), jwk.member[m]));
			CHECK_STATUS(jwt_key_member(public_key, (JwtJwkMember) m, text,
										sizeof(text), &len), JWT_OK);
			CHECK(jwt_slice_equal(slice_of_bytes(text, len),
								  public_jwk.member[m]));
		}
		jwt_key_free(key);
		jwt_key_free(public_key);
	}
}

static void
member_needs_room(void)
{
	char		text[8];
	size_t		len = 0;
	JwtJwk		jwk;
	JwtKey	   *key;

	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	jwk.member[JWT_JWK_K] = jwt_slice_of("Zm9vYmE");
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_member(key, JWT_JWK_K, text, 7, &len), JWT_OK);
	CHECK(len == 7 && memcmp(text, "Zm9vYmE", 7) == 0);
	CHECK_STATUS(jwt_key_member(key, JWT_JWK_K, text, 6, &len),
				 JWT_E_KEY_TOO_LARGE);
	CHECK(len == 0 && text[0] == '\0');
	jwt_key_free(key);
}

/* A primeless private key has none to show. */
static void
primeless_rsa_has_no_primes(void)
{
	Vectors		vectors;
	char		text[JWT_JWK_MEMBER_MAX];
	size_t		len;
	JwtJwk		jwk;
	JwtJwk		bare;
	JwtKey	   *key;

	vectors_load(&vectors, "keys.txt");
	jwk = vectors_jwk(&vectors, "rsa2048");
	bare = jwk_public_part(jwk);
	bare.member[JWT_JWK_D] = jwk.member[JWT_JWK_D];
	key = make_key(&bare);
	CHECK_STATUS(jwt_key_member(key, JWT_JWK_P, text, sizeof(text), &len),
				 JWT_OK);
	CHECK(len == 0);
	CHECK_STATUS(jwt_key_member(key, JWT_JWK_D, text, sizeof(text), &len),
				 JWT_OK);
	CHECK(jwt_slice_equal(slice_of_bytes(text, len), jwk.member[JWT_JWK_D]));
	jwt_key_free(key);
}

static void
check_thumbprint(const JwtJwk *jwk, JwtSlice expected)
{
	char		text[JWT_THUMBPRINT_LEN];
	JwtKey	   *key = make_key(jwk);

	if (key != NULL)
	{
		CHECK_STATUS(jwt_key_thumbprint(key, text), JWT_OK);
		CHECK(jwt_slice_equal(slice_of_bytes(text, sizeof(text)), expected));
	}
	jwt_key_free(key);
}

/* RFC 7638, Sec. 3.1; RFC 8037, Appendix A.3; the others made elsewhere */
static void
thumbprints(void)
{
	static const char *const files[] = {"rfc7638_31.txt", "rfc8037_a4.txt"};
	static const char *const names[] = {
		"rsa2048", "p256", "p384", "p521", "k256", "ed25519", "ed448", "oct"
	};
	Vectors		vectors;
	Vectors		keys;
	JwtJwk		jwk;
	size_t		i;

	for (i = 0; i < 2; i++)
	{
		vectors_load(&vectors, files[i]);
		jwk = vectors_jwk(&vectors, "key");
		check_thumbprint(&jwk, vectors_get(&vectors, "thumbprint"));
	}

	vectors_load(&vectors, "thumbprints.txt");
	vectors_load(&keys, "keys.txt");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		jwk = vectors_jwk(&keys, names[i]);
		check_thumbprint(&jwk, vectors_get(&vectors, names[i]));
		if (jwk.member[JWT_JWK_K].data == NULL)
		{
			jwk = jwk_public_part(jwk);
			check_thumbprint(&jwk, vectors_get(&vectors, names[i]));
		}
	}
}

static void
names_of_members(void)
{
	CHECK(strcmp(jwt_jwk_member_name(JWT_JWK_KTY), "kty") == 0);
	CHECK(strcmp(jwt_jwk_member_name(JWT_JWK_QI), "qi") == 0);
	CHECK(!jwt_jwk_member_is_private(JWT_JWK_X));
	CHECK(!jwt_jwk_member_is_private(JWT_JWK_E));
	CHECK(jwt_jwk_member_is_private(JWT_JWK_K));
	CHECK(jwt_jwk_member_is_private(JWT_JWK_D));
	CHECK(jwt_jwk_member_is_private(JWT_JWK_QI));
}

/* A new key, written as a JWK, is taken back and has the same thumbprint. */
static void
check_generated(const JwtAlg *alg)
{
	static char text[JWT_JWK_NUM_MEMBERS][JWT_JWK_MEMBER_MAX];
	char		first[JWT_THUMBPRINT_LEN];
	JwtKey	   *key = NULL;
	JwtJwk		jwk;
	int			m;

	CHECK_STATUS(jwt_key_generate(alg, 2048, NULL, &key), JWT_OK);
	if (key == NULL)
		return;
	CHECK(jwt_key_is_private(key) && jwt_key_alg(key) == alg);
	CHECK_STATUS(jwt_key_thumbprint(key, first), JWT_OK);

	memset(&jwk, 0, sizeof(jwk));
	for (m = JWT_JWK_K; m < JWT_JWK_NUM_MEMBERS; m++)
	{
		size_t		len = 0;

		CHECK_STATUS(jwt_key_member(key, (JwtJwkMember) m, text[m],
									JWT_JWK_MEMBER_MAX, &len), JWT_OK);
		if (len > 0)
			jwk.member[m] = slice_of_bytes(text[m], len);
	}
	jwk.member[JWT_JWK_KTY] = jwt_slice_of(jwt_kty_name(jwt_key_type(key)));
	if (jwt_key_crv(key) != NULL)
		jwk.member[JWT_JWK_CRV] = jwt_slice_of(jwt_key_crv(key));
	jwk.member[JWT_JWK_ALG] = jwt_slice_of(alg->name);
	check_thumbprint(&jwk, slice_of_bytes(first, sizeof(first)));
	jwt_key_free(key);
}

static void
new_keys(void)
{
	JwtKey	   *key = NULL;
	const JwtAlg *alg;
	int			i;

	for (i = 0; (alg = jwt_alg_at(i)) != NULL; i++)
	{
		/* One RSA key is enough of a wait. */
		if (alg->kty != JWT_KTY_RSA || alg->slot == 0)
			check_generated(alg);
	}

	CHECK_STATUS(jwt_key_generate(find_alg("RS256"), 1023, NULL, &key),
				 JWT_E_KEY_TOO_SMALL);
	CHECK(key == NULL);
	CHECK_STATUS(jwt_key_generate(find_alg("PS512"), 1033, NULL, &key),
				 JWT_E_KEY_TOO_SMALL);
	CHECK_STATUS(jwt_key_generate(find_alg("RS256"), 16385, NULL, &key),
				 JWT_E_KEY_TOO_LARGE);
	CHECK_STATUS(jwt_key_generate(find_alg("RS256"), 1024, NULL, &key), JWT_OK);
	jwt_key_free(key);
}

static int	questions;

static bool
stop_at_once(void)
{
	questions++;
	return true;
}

static bool
stop_at_third(void)
{
	return ++questions == 3;
}

static bool
never_stop(void)
{
	questions++;
	return false;
}

/* The largest takes minutes, of which these tests have none. */
static void
making_is_stopped(void)
{
	const JwtAlg *alg = find_alg("RS256");
	JwtKey	   *key = NULL;

	questions = 0;
	CHECK_STATUS(jwt_key_generate(alg, JWT_MAX_RSA_BITS, stop_at_once, &key),
				 JWT_E_STOPPED);
	CHECK(key == NULL && questions == 1);
	questions = 0;
	CHECK_STATUS(jwt_key_generate(alg, 4096, stop_at_third, &key),
				 JWT_E_STOPPED);
	CHECK(key == NULL && questions == 3);
	questions = 0;
	CHECK_STATUS(jwt_key_generate(alg, 1024, never_stop, &key), JWT_OK);
	CHECK(key != NULL && questions > 0);
	jwt_key_free(key);

	/* The others are made in no time. */
	CHECK_STATUS(jwt_key_generate(find_alg("ES512"), 0, stop_at_once, &key),
				 JWT_OK);
	jwt_key_free(key);
}

const Test	member_tests[] = {
	{"member: names", names_of_members},
	{"member: members come back", members_come_back},
	{"member: needs room", member_needs_room},
	{"member: RSA key without primes", primeless_rsa_has_no_primes},
	{"member: thumbprints", thumbprints},
	{"member: new keys", new_keys},
	{"member: making is stopped", making_is_stopped},
	{NULL, NULL}
};
