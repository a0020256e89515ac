/*-------------------------------------------------------------------------
 *
 * test_pem.c
 *	  PEM to key and back.
 *
 * Each PEM file holds a key that keys.txt has as a JWK, or is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"

static const JwtKeyLimits lax_limits = {1024};

static JwtStatus
load(const char *file, const char *alg, const JwtKeyLimits *limits,
	 JwtKey **key)
{
	Vectors		vectors;

	vectors_load(&vectors, file);
	return jwt_key_from_pem(slice_of_bytes(vectors.text, vectors.len),
							alg != NULL ? find_alg(alg) : NULL, limits, key);
}

static JwtStatus
try(const char *file, const char *alg, const JwtKeyLimits *limits)
{
	JwtKey	   *key = NULL;
	JwtStatus	status = load(file, alg, limits, &key);

	CHECK((key != NULL) == (status == JWT_OK));
	jwt_key_free(key);
	return status;
}

static bool
same_thumbprint(const JwtKey *a, const JwtKey *b)
{
	char		first[JWT_THUMBPRINT_LEN];
	char		second[JWT_THUMBPRINT_LEN];

	CHECK_STATUS(jwt_key_thumbprint(a, first), JWT_OK);
	CHECK_STATUS(jwt_key_thumbprint(b, second), JWT_OK);
	return memcmp(first, second, sizeof(first)) == 0;
}

static void
check_same(const char *file, const char *name, bool is_private)
{
	Vectors		vectors;
	JwtJwk		jwk;
	JwtKey	   *expected;
	JwtKey	   *key = NULL;

	vectors_load(&vectors, "keys.txt");
	jwk = vectors_jwk(&vectors, name);
	expected = make_key(&jwk);
	CHECK_STATUS(load(file, NULL, &default_limits, &key), JWT_OK);
	if (key != NULL && expected != NULL)
	{
		CHECK(jwt_key_is_private(key) == is_private);
		CHECK(jwt_key_alg(key) == NULL);
		CHECK(same_thumbprint(key, expected));
	}
	jwt_key_free(key);
	jwt_key_free(expected);
}

static void
every_kind_of_block(void)
{
	check_same("rsa_spki.pem", "rsa2048", false);
	check_same("rsa_pkcs1_public.pem", "rsa2048", false);
	check_same("rsa_certificate.pem", "rsa2048", false);
	check_same("rsa_pkcs8.pem", "rsa2048", true);
	check_same("rsa_pkcs1.pem", "rsa2048", true);
	check_same("p256_spki.pem", "p256", false);
	check_same("p256_pkcs8.pem", "p256", true);
	check_same("p256_sec1_with_text.pem", "p256", true);
	check_same("p384_spki.pem", "p384", false);
	check_same("p384_pkcs8.pem", "p384", true);
	check_same("p521_spki.pem", "p521", false);
	check_same("p521_pkcs8.pem", "p521", true);
	check_same("k256_spki.pem", "k256", false);
	check_same("k256_pkcs8.pem", "k256", true);
	check_same("ed25519_spki.pem", "ed25519", false);
	check_same("ed25519_pkcs8.pem", "ed25519", true);
	check_same("ed448_spki.pem", "ed448", false);
	check_same("ed448_pkcs8.pem", "ed448", true);
}

static void
refused_blocks(void)
{
	CHECK_STATUS(try("encrypted_pkcs8.pem", NULL, &default_limits),
				 JWT_E_PEM_ENCRYPTED);
	CHECK_STATUS(try("encrypted_legacy.pem", NULL, &default_limits),
				 JWT_E_PEM_ENCRYPTED);
	CHECK_STATUS(try("x25519_spki.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("dsa_spki.pem", NULL, &default_limits), JWT_E_KEY_TYPE);
	CHECK_STATUS(try("dh_spki.pem", NULL, &default_limits), JWT_E_KEY_TYPE);
	CHECK_STATUS(try("p224_spki.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("p256_explicit_spki.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("rsa_pss_spki.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("rsa_three_primes.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("spki_broken.pem", NULL, &default_limits), JWT_E_PEM);
	CHECK_STATUS(try("rsa_zero_private.pem", NULL, &default_limits),
				 JWT_E_KEY_INVALID);
	CHECK_STATUS(try("spki_trailing_byte.pem", NULL, &default_limits),
				 JWT_E_PEM);
	CHECK_STATUS(try("keys.txt", NULL, &default_limits), JWT_E_PEM);

	/* libcrypto takes the first line of it for a header. */
	CHECK_STATUS(try("ed25519_pkcs8_header.pem", NULL, &default_limits),
				 JWT_E_PEM);
}

/*
 * What holds no key that libcrypto could decode is refused for its type all
 * the same: no private key of another type is decoded, which could take any
 * time.
 */
static void
pkcs8_type_comes_first(void)
{
	CHECK_STATUS(try("x25519_pkcs8.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("dsa_pkcs8_broken.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("dh_pkcs8_broken.pem", NULL, &default_limits),
				 JWT_E_KEY_TYPE);
	CHECK_STATUS(try("rsa_pkcs8_broken.pem", NULL, &default_limits),
				 JWT_E_PEM);
}

static void
same_checks_as_for_a_jwk(void)
{
	CHECK_STATUS(try("rsa1024_spki.pem", NULL, &default_limits),
				 JWT_E_KEY_TOO_SMALL);
	CHECK_STATUS(try("rsa1024_spki.pem", NULL, &lax_limits), JWT_OK);
	CHECK_STATUS(try("rsa1024_spki.pem", "PS384", &lax_limits), JWT_OK);
	CHECK_STATUS(try("rsa1024_spki.pem", "PS512", &lax_limits),
				 JWT_E_KEY_TOO_SMALL);
	CHECK_STATUS(try("p256_spki.pem", "ES256", &default_limits), JWT_OK);
	CHECK_STATUS(try("p256_spki.pem", "ES384", &default_limits),
				 JWT_E_KEY_ALG);
	CHECK_STATUS(try("p256_spki.pem", "HS256", &default_limits),
				 JWT_E_KEY_ALG);
	CHECK_STATUS(try("ed25519_spki.pem", "Ed25519", &default_limits),
				 JWT_OK);
	CHECK_STATUS(try("ed25519_spki.pem", "Ed448", &default_limits),
				 JWT_E_KEY_ALG);
}

static JwtStatus
try_text(const char *text, size_t len)
{
	JwtKey	   *key = NULL;
	JwtStatus	status;

	status = jwt_key_from_pem(slice_of_bytes(text, len), NULL,
							  &default_limits, &key);
	jwt_key_free(key);
	return status;
}

/* CR LF, a byte order mark, text around, one line; then too long, cut off. */
static void
spellings(void)
{
	static char long_text[JWT_MAX_PEM_LEN + 2];
	Vectors		v;
	char		text[1000] = "\xEF\xBB\xBF\r\n";
	size_t		n = strlen(text);
	size_t		i;

	vectors_load(&v, "p256_spki.pem");
	for (i = 0; i < v.len; i++)
	{
		if (v.text[i] == '\n')
			text[n++] = '\r';
		text[n++] = v.text[i];
	}
	CHECK_STATUS(try_text(text, n), JWT_OK);
	CHECK_STATUS(try_text(v.text, v.len - 1), JWT_OK);
	CHECK_STATUS(try_text(v.text, v.len - 30), JWT_E_PEM);
	CHECK_STATUS(try_text("", 0), JWT_E_PEM);
	CHECK_STATUS(try_text(NULL, 0), JWT_E_PEM);
	CHECK_STATUS(try_text(" \n", 2), JWT_E_PEM);

	memset(long_text, '\n', sizeof(long_text));
	memcpy(long_text, v.text, v.len);
	CHECK_STATUS(try_text(long_text, JWT_MAX_PEM_LEN), JWT_OK);
	CHECK_STATUS(try_text(long_text, JWT_MAX_PEM_LEN + 1),
				 JWT_E_KEY_TOO_LARGE);
}

#define MAX_TEXT (20 * 1024)

/* Files one after the other; NULL ends them. */
static JwtSlice
join(char text[MAX_TEXT], const char *const *files)
{
	JwtSlice	all = {text, 0};
	Vectors		v;

	for (; *files != NULL; files++)
	{
		vectors_load(&v, *files);
		if (!CHECK(all.len + v.len <= MAX_TEXT))
			break;
		memcpy(text + all.len, v.text, v.len);
		all.len += v.len;
	}
	return all;
}

/* What becomes of two or three files at once. */
static JwtStatus
bundle(const char *one, const char *two, const char *three, bool *is_private)
{
	char		text[MAX_TEXT];
	const char *files[] = {one, two, three, NULL};
	JwtSlice	all = join(text, files);
	JwtKey	   *key = NULL;
	JwtStatus	status;

	status = jwt_key_from_pem(all, NULL, &default_limits, &key);
	CHECK((key != NULL) == (status == JWT_OK));
	*is_private = key != NULL && jwt_key_is_private(key);
	jwt_key_free(key);
	return status;
}

/* One key, whatever it is in: and private if one of them is. */
static void
bundles_of_one_key(void)
{
	bool		is_private;

	CHECK_STATUS(bundle("rsa_certificate.pem", "rsa_pkcs8.pem", NULL,
						&is_private), JWT_OK);
	CHECK(is_private);
	CHECK_STATUS(bundle("rsa_pkcs1.pem", "rsa_certificate.pem",
						"rsa_spki.pem", &is_private), JWT_OK);
	CHECK(is_private);
	CHECK_STATUS(bundle("rsa_certificate.pem", "rsa_spki.pem",
						"rsa_pkcs1_public.pem", &is_private), JWT_OK);
	CHECK(!is_private);
	CHECK_STATUS(bundle("p256_spki.pem", "p256_sec1_with_text.pem", NULL,
						&is_private), JWT_OK);
	CHECK(is_private);
}

/* What is wrong with any block is wrong with the text. */
static void
bundles_that_are_refused(void)
{
	bool		is_private;

	CHECK_STATUS(bundle("p256_spki.pem", "p384_spki.pem", NULL, &is_private),
				 JWT_E_PEM_SEVERAL);
	CHECK_STATUS(bundle("rsa_certificate.pem", "p256_pkcs8.pem", NULL,
						&is_private), JWT_E_PEM_SEVERAL);
	CHECK_STATUS(bundle("rsa_certificate.pem", "encrypted_pkcs8.pem", NULL,
						&is_private), JWT_E_PEM_ENCRYPTED);
	CHECK_STATUS(bundle("rsa_certificate.pem", "encrypted_legacy.pem", NULL,
						&is_private), JWT_E_PEM_ENCRYPTED);
	CHECK_STATUS(bundle("p256_spki.pem", "p384_spki.pem",
						"encrypted_pkcs8.pem", &is_private),
				 JWT_E_PEM_ENCRYPTED);
	CHECK_STATUS(bundle("p256_spki.pem", "spki_broken.pem", NULL,
						&is_private), JWT_E_PEM);
	CHECK_STATUS(bundle("p256_spki.pem", "ed25519_pkcs8_header.pem", NULL,
						&is_private), JWT_E_PEM);
	CHECK_STATUS(bundle("p256_spki.pem", "x25519_spki.pem", NULL,
						&is_private), JWT_E_KEY_TYPE);
}

/* A block that is cut off, and one key more often than anybody needs. */
static void
bundles_cut_and_repeated(void)
{
	static const char *const two[] = {"p256_spki.pem", "p256_pkcs8.pem", NULL};
	const char *many[18];
	char		text[MAX_TEXT];
	JwtSlice	all = join(text, two);
	size_t		i;

	CHECK_STATUS(try_text(text, all.len), JWT_OK);
	CHECK_STATUS(try_text(text, all.len - 30), JWT_E_PEM);

	for (i = 0; i < 17; i++)
		many[i] = two[0];
	many[17] = NULL;
	all = join(text, many);
	CHECK_STATUS(try_text(text, all.len / 17 * 16), JWT_OK);
	CHECK_STATUS(try_text(text, all.len), JWT_E_PEM_SEVERAL);
}

/* One call a key; blocks that hold none are passed over. */
static void
key_by_key(void)
{
	static const char *const files[] = {
		"rsa_certificate.pem", "p256_sec1_with_text.pem", "p256_spki.pem",
		"ed448_pkcs8.pem", NULL
	};
	static const struct
	{
		JwtKeyType	kty;
		bool		is_private;
	}			expected[] = {
		{JWT_KTY_RSA, false}, {JWT_KTY_EC, true}, {JWT_KTY_EC, false},
		{JWT_KTY_OKP, true}
	};
	char		text[MAX_TEXT];
	JwtSlice	rest = join(text, files);
	JwtKey	   *key;
	size_t		i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
	{
		CHECK_STATUS(jwt_key_next_from_pem(&rest, &default_limits, &key),
					 JWT_OK);
		CHECK(key != NULL && jwt_key_type(key) == expected[i].kty &&
			  jwt_key_is_private(key) == expected[i].is_private);
		jwt_key_free(key);
	}
	for (i = 0; i < 2; i++)
	{
		CHECK_STATUS(jwt_key_next_from_pem(&rest, &default_limits, &key),
					 JWT_OK);
		CHECK(key == NULL && rest.len == 0);
	}

	rest = slice_of_bytes(text, JWT_MAX_PEM_LEN + 1);
	CHECK_STATUS(jwt_key_next_from_pem(&rest, &default_limits, &key),
				 JWT_E_KEY_TOO_LARGE);
	CHECK(key == NULL);
}

/* Key to PEM to key, of every kind, private and public */
static void
round_trip(void)
{
	static const char *const names[] = {
		"rsa2048", "p256", "p384", "p521", "k256", "ed25519", "ed448"
	};
	Vectors		vectors;
	size_t		i;

	vectors_load(&vectors, "keys.txt");
	for (i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++)
	{
		JwtJwk		jwk = vectors_jwk(&vectors, names[i / 2]);
		JwtKey	   *key;
		JwtKey	   *back = NULL;
		char	   *pem = NULL;
		size_t		len = 0;

		if (i % 2 == 1)
			jwk = jwk_public_part(jwk);
		key = make_key(&jwk);
		if (key == NULL)
			continue;
		CHECK_STATUS(jwt_key_to_pem(key, &pem, &len), JWT_OK);
		CHECK_STATUS(jwt_key_from_pem(slice_of_bytes(pem, len), NULL,
									  &default_limits, &back), JWT_OK);
		if (back != NULL)
		{
			CHECK(jwt_key_is_private(back) == jwt_key_is_private(key));
			CHECK(same_thumbprint(key, back));
		}
		jwt_pem_free(pem, len);
		jwt_key_free(back);
		jwt_key_free(key);
	}
	jwt_pem_free(NULL, 0);
}

static void
secret_has_no_pem(void)
{
	JwtKey	   *key = NULL;
	char	   *pem = NULL;
	size_t		len = 1;

	CHECK_STATUS(jwt_key_generate(find_alg("HS256"), 0, NULL, &key), JWT_OK);
	CHECK_STATUS(jwt_key_to_pem(key, &pem, &len), JWT_E_KEY_TYPE);
	CHECK(pem == NULL && len == 0);
	jwt_key_free(key);
}

/* RFC 7517 keys may lack them; no PEM form does. */
static void
rsa_needs_its_primes(void)
{
	Vectors		vectors;
	JwtJwk		jwk;
	JwtKey	   *key;
	char	   *pem = NULL;
	size_t		len = 1;
	int			i;

	vectors_load(&vectors, "keys.txt");
	jwk = vectors_jwk(&vectors, "rsa2048");
	for (i = JWT_JWK_P; i <= JWT_JWK_QI; i++)
		jwk.member[i].data = NULL;
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_to_pem(key, &pem, &len), JWT_E_KEY_PRIMES);
	CHECK(pem == NULL && len == 0);
	jwt_key_free(key);

	/* Its public half needs none. */
	jwk = jwk_public_part(jwk);
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_to_pem(key, &pem, &len), JWT_OK);
	jwt_pem_free(pem, len);
	jwt_key_free(key);
}

const Test	pem_tests[] = {
	{"pem: every kind of block", every_kind_of_block},
	{"pem: refused blocks", refused_blocks},
	{"pem: PKCS#8 type comes first", pkcs8_type_comes_first},
	{"pem: same checks as for a JWK", same_checks_as_for_a_jwk},
	{"pem: spellings", spellings},
	{"pem: bundles of one key", bundles_of_one_key},
	{"pem: bundles that are refused", bundles_that_are_refused},
	{"pem: bundles cut and repeated", bundles_cut_and_repeated},
	{"pem: key by key", key_by_key},
	{"pem: round trip", round_trip},
	{"pem: secret has none", secret_has_no_pem},
	{"pem: RSA needs its primes", rsa_needs_its_primes},
	{NULL, NULL}
};
