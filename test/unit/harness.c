/*-------------------------------------------------------------------------
 *
 * harness.c
 *	  Runs the unit tests: one line a test, then "N passed, N failed".
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "base64url.h"
#include "harness.h"
#include "memory.h"

static const Test *const modules[] = {
	base64url_tests,
	primitive_tests,
	claims_tests,
	refresh_token_tests,
	secret_tests,
	key_tests,
	point_tests,
	permits_tests,
	member_tests,
	pem_tests,
	uri_tests,
	seal_tests,
	signature_tests,
	jws_tests,
	self_test_tests,
	vector_tests,
	memory_tests
};

#define NUM_MODULES (sizeof(modules) / sizeof(modules[0]))
#define NUM_STATUSES (JWT_E_RANDOM + 1)

const JwtKeyLimits default_limits = {2048};

const char *const key_names[NUM_KEY_NAMES] = {
	"rsa2048", "p256", "p384", "p521", "k256", "ed25519", "ed448"
};

/* The running test's first failure; empty if there is none. */
static char failure[512];

static bool seen[NUM_STATUSES];

bool
harness_check(bool condition, const char *what, const char *file, int line)
{
	bool		clean = ERR_peek_error() == 0;

	if (failure[0] == '\0' && !condition)
		snprintf(failure, sizeof(failure), "%s:%d: %s", file, line, what);
	else if (failure[0] == '\0' && !clean)
		snprintf(failure, sizeof(failure),
				 "%s:%d: OpenSSL's error queue is not empty", file, line);
	ERR_clear_error();
	return condition && clean;
}

bool
harness_check_status(JwtStatus got, JwtStatus expected, const char *what,
					 const char *file, int line)
{
	char		text[400];

	seen[got] = true;
	snprintf(text, sizeof(text), "%.300s is %d, not %d", what,
			 (int) got, (int) expected);
	return harness_check(got == expected, text, file, line);
}

bool
harness_saw(JwtStatus status)
{
	return seen[status];
}

/* Without its vectors and keys no test can go on. */
static void
bail_out(const char *what)
{
	printf("not ok cannot go on without: %s\n", what);
	printf("0 passed, 1 failed\n");
	exit(EXIT_FAILURE);
}

void
vectors_load(Vectors *vectors, const char *file)
{
	char		path[200];
	FILE	   *stream;

	vectors->len = 0;
	snprintf(path, sizeof(path), "test/unit/vectors/%s", file);
	stream = fopen(path, "rb");
	if (stream != NULL)
	{
		vectors->len = fread(vectors->text, 1, MAX_FILE, stream);
		fclose(stream);
	}
	if (vectors->len == 0 || vectors->len == MAX_FILE)
		bail_out(path);
}

JwtSlice
vectors_get(const Vectors *vectors, const char *name)
{
	const char *line = vectors->text;
	const char *end = vectors->text + vectors->len;
	size_t		len = strlen(name);
	JwtSlice	value = {NULL, 0};

	while (line < end)
	{
		const char *eol = memchr(line, '\n', (size_t) (end - line));

		if (eol == NULL)
			eol = end;
		if ((size_t) (eol - line) > len && line[len] == ' ' &&
			memcmp(line, name, len) == 0)
		{
			value.data = line + len + 1;
			value.len = (size_t) (eol - value.data);
			break;
		}
		line = eol + 1;
	}
	return value;
}

size_t
vectors_get_bytes(const Vectors *vectors, const char *name,
				  unsigned char *buf, size_t cap)
{
	JwtSlice	value = vectors_get(vectors, name);
	size_t		len = 0;

	CHECK(value.data != NULL);
	CHECK_STATUS(jwt_base64url_decode(value, buf, cap, &len), JWT_OK);
	return len;
}

JwtJwk
vectors_jwk(const Vectors *vectors, const char *prefix)
{
	JwtJwk		jwk;
	char		name[100];
	int			i;

	memset(&jwk, 0, sizeof(jwk));
	for (i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		snprintf(name, sizeof(name), "%s.%s", prefix,
				 jwt_jwk_member_name((JwtJwkMember) i));
		jwk.member[i] = vectors_get(vectors, name);
	}
	CHECK(jwk.member[JWT_JWK_KTY].data != NULL);
	return jwk;
}

JwtJwk
jwk_public_part(JwtJwk jwk)
{
	int			i;

	for (i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		if (jwt_jwk_member_is_private((JwtJwkMember) i))
		{
			jwk.member[i].data = NULL;
			jwk.member[i].len = 0;
		}
	}
	return jwk;
}

JwtJwk
oct_jwk(size_t len, char *k)
{
	unsigned char bytes[JWT_MAX_SECRET_LEN + 1];
	JwtJwk		jwk;

	memset(bytes, 0xa5, sizeof(bytes));
	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	jwk.member[JWT_JWK_K].data = k;
	jwk.member[JWT_JWK_K].len = jwt_base64url_encode(bytes, len, k);
	return jwk;
}

JwtKey *
make_key(const JwtJwk *jwk)
{
	JwtKey	   *key = NULL;

	CHECK_STATUS(jwt_key_from_jwk(jwk, &default_limits, &key), JWT_OK);
	if (key == NULL)
		bail_out(failure);
	return key;
}

JwtSlice
slice_of_bytes(const void *bytes, size_t len)
{
	JwtSlice	slice;

	slice.data = bytes;
	slice.len = len;
	return slice;
}

const JwtAlg *
find_alg(const char *name)
{
	const JwtAlg *alg = jwt_alg_find(jwt_slice_of(name));

	CHECK(alg != NULL);
	return alg;
}

/* Every fault of a key or a token that the core can name, from TOKEN_EMPTY. */
static const JwtStatus reachable[] = {
	JWT_OK,
	JWT_E_TOKEN_EMPTY, JWT_E_TOKEN_PARTS, JWT_E_TOKEN_BASE64,
	JWT_E_ALGORITHM, JWT_E_SIGNATURE,
	JWT_E_CLAIM, JWT_E_EXPIRED, JWT_E_NOT_YET_VALID, JWT_E_AUDIENCE,
	JWT_E_TOO_OLD,
	JWT_E_KEY_TYPE, JWT_E_KEY_MEMBER, JWT_E_KEY_PRIMES, JWT_E_KEY_TOO_SMALL, JWT_E_SECRET_TOO_SMALL,
	JWT_E_KEY_TOO_LARGE, JWT_E_KEY_EXPONENT, JWT_E_KEY_INVALID,
	JWT_E_KEY_ALG, JWT_E_KEY_USE, JWT_E_KEY_NOT_PRIVATE,
	JWT_E_PEM, JWT_E_PEM_ENCRYPTED, JWT_E_PEM_SEVERAL,
	JWT_E_SECRET_IS_KEY, JWT_E_SEALED,
	JWT_E_KEY_OUTSIDE, JWT_E_KEY_LOCKED, JWT_E_STOPPED
};

static void
every_status_is_reached(void)
{
	size_t		i;

	for (i = 0; i < sizeof(reachable) / sizeof(reachable[0]); i++)
		CHECK(harness_saw(reachable[i]));
}

/* True if the test passed. */
static bool
run_test(const Test *test)
{
	failure[0] = '\0';
	test->run();
	if (failure[0] == '\0')
		printf("ok %s\n", test->name);
	else
		printf("not ok %s: %s\n", test->name, failure);
	return failure[0] == '\0';
}

int
main(void)
{
	static const Test last = {"every status is reached",
	every_status_is_reached};
	int			passed = 0;
	int			failed = 0;
	size_t		i;

	memory_watch();
	for (i = 0; i < NUM_MODULES; i++)
	{
		const Test *test;

		for (test = modules[i]; test->name != NULL; test++)
		{
			if (run_test(test))
				passed++;
			else
				failed++;
		}
	}

	if (run_test(&last))
		passed++;
	else
		failed++;

	printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
