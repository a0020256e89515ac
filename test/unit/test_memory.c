/*-------------------------------------------------------------------------
 *
 * test_memory.c
 *	  No secret stays behind; no want of memory becomes a yes, or a leak.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "base64url.h"
#include "harness.h"
#include "jws.h"
#include "memory.h"
#include "refresh_token.h"
#include "seal.h"

/* Random to look at, so that nothing else in memory is like it. */
static const unsigned char secret[64] = {
	0xc4, 0x0f, 0x9b, 0x5e, 0x1d, 0x72, 0x8a, 0xe3,
	0x36, 0xb1, 0x4c, 0xd7, 0x09, 0xf5, 0x68, 0xaa,
	0x93, 0x2e, 0x7f, 0xc0, 0x55, 0x18, 0xed, 0x61,
	0xb8, 0x04, 0x9c, 0x3b, 0xd2, 0x77, 0x4a, 0xe6,
	0x1f, 0x8d, 0x50, 0xbe, 0x23, 0xf9, 0x6c, 0x07,
	0xda, 0x41, 0x95, 0x38, 0xef, 0x82, 0x5b, 0x16,
	0x7c, 0xa9, 0x30, 0xcd, 0x64, 0x0b, 0xf2, 0x87,
	0x4e, 0xb3, 0x19, 0xd8, 0x65, 0x3a, 0x90, 0xfe
};

static Vectors vectors;
static char text[2000];			/* what the call at hand is given */
static JwtJws jws;
static JwtKey *key;
static JwtJwk jwk;
static JwtRefreshToken token;
static JwtRefreshToken next;
static JwtSealKey seal_key;
static unsigned char out[JWT_MAX_SIGNATURE_LEN];
static size_t out_len;
static JwtStatus status;

static JwtSlice
secret_slice(size_t len)
{
	return slice_of_bytes(secret, len);
}

/* An oct JWK of the secret; its text stands in text. */
static JwtJwk
secret_jwk(size_t len)
{
	JwtJwk		made;

	memset(&made, 0, sizeof(made));
	made.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	made.member[JWT_JWK_K] =
		slice_of_bytes(text, jwt_base64url_encode(secret, len, text));
	return made;
}

static void
make_and_free(void *arg)
{
	(void) arg;
	key = NULL;
	status = jwt_key_from_jwk(&jwk, NULL, &key);
	jwt_key_free(key);
	key = NULL;
}

static void
no_key_is_left(void)
{
	jwk = secret_jwk(sizeof(secret));
	CHECK(memory_is_clean_after(make_and_free, NULL,
								secret_slice(sizeof(secret))));
	CHECK_STATUS(status, JWT_OK);

	/* One that is refused, being PEM behind its first half. */
	(void) jwt_base64url_encode((const unsigned char *) "-----BEGIN PUBLIC KEY-----",
								26, text + 84);
	jwk.member[JWT_JWK_K].len = 84 + 35;
	CHECK(memory_is_clean_after(make_and_free, NULL, secret_slice(62)));
	CHECK_STATUS(status, JWT_E_SECRET_IS_KEY);
}

static void
check_secret(void *arg)
{
	(void) arg;
	status = jwt_secret_check(jwt_slice_of(text));
}

/* Text that might be a key in base64 is decoded to see. */
static void
no_checked_secret_is_left(void)
{
	text[0] = 'M';
	text[1 + jwt_base64url_encode(secret, 63, text + 1)] = '\0';
	CHECK(memory_is_clean_after(check_secret, NULL, secret_slice(63)));
	CHECK_STATUS(status, JWT_OK);
	CHECK(memory_was_wiped());
}

static void
verify_signature(void *arg)
{
	status = jwt_key_verify(key, arg, jwt_slice_of("input"), secret, 32);
}

/* Whoever sends a wrong MAC must not find the right one in memory. */
static void
no_mac_is_left(void)
{
	const JwtAlg *alg = find_alg("HS256");
	unsigned char right[JWT_MAX_SIGNATURE_LEN];
	size_t		len;

	jwk = secret_jwk(32);
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_sign(key, alg, jwt_slice_of("input"), right, &len),
				 JWT_OK);
	CHECK(memory_is_clean_after(verify_signature, (void *) alg,
								slice_of_bytes(right, len)));
	CHECK_STATUS(status, JWT_E_SIGNATURE);
	CHECK(memory_was_wiped());
	jwt_key_free(key);
}

static void
verify_jws(void *arg)
{
	status = jwt_jws_verify(&jws, key, arg);
}

static void
no_signature_is_left(void)
{
	const JwtAlg *alg = find_alg("HS256");
	char		presented[100] = "a.b.";
	size_t		len;

	jwk = secret_jwk(32);
	key = make_key(&jwk);
	len = 4 + jwt_base64url_encode(secret, 32, presented + 4);
	CHECK_STATUS(jwt_jws_split(slice_of_bytes(presented, len), &jws), JWT_OK);
	CHECK(memory_is_clean_after(verify_jws, (void *) alg, secret_slice(32)));
	CHECK_STATUS(status, JWT_E_SIGNATURE);
	CHECK(memory_was_wiped());
	jwt_key_free(key);
}

static void
decode_refresh_token(void *arg)
{
	(void) arg;
	status = jwt_refresh_token_decode(slice_of_bytes(text, JWT_REFRESH_TOKEN_LEN),
									  &token);
}

static void
encode_refresh_token(void *arg)
{
	(void) arg;
	jwt_refresh_token_encode(&token, text);
}

static void
seal_refresh_token(void *arg)
{
	(void) arg;
	status = jwt_refresh_token_seal(&token, secret + 32);
	if (status == JWT_OK)
		status = jwt_refresh_token_check(&token, secret + 32);
}

static void
succeed_refresh_token(void *arg)
{
	(void) arg;
	status = jwt_refresh_token_next(&token, secret + 32, secret + 32, &next);
}

static void
no_refresh_token_is_left(void)
{
	JwtSlice	part = secret_slice(JWT_REFRESH_SECRET_LEN);

	memset(&token, 0, sizeof(token));
	memcpy(token.secret, secret, JWT_REFRESH_SECRET_LEN);
	CHECK(memory_is_clean_after(seal_refresh_token, NULL, part));
	CHECK_STATUS(status, JWT_OK);
	CHECK(memory_is_clean_after(encode_refresh_token, NULL, part));
	CHECK(memory_is_clean_after(decode_refresh_token, NULL, part));
	CHECK_STATUS(status, JWT_OK);
	CHECK(memory_is_clean_after(succeed_refresh_token, NULL, part));
	CHECK_STATUS(status, JWT_OK);

	/* The successor's secret is known now. */
	part = slice_of_bytes(next.secret, sizeof(next.secret));
	memcpy(out, next.secret, sizeof(next.secret));
	part.data = (const char *) out;
	CHECK(memory_is_clean_after(succeed_refresh_token, NULL, part));
	CHECK(memcmp(next.secret, out, sizeof(next.secret)) == 0);
}

static void
derive_seal_key(void *arg)
{
	(void) arg;
	status = jwt_seal_derive(secret_slice(sizeof(secret)), &seal_key);
}

static void
seal_and_open(void *arg)
{
	JwtSealName name;

	(void) arg;
	memset(&name, 0, sizeof(name));
	status = jwt_seal(&seal_key, &name, secret_slice(32), out);
	if (status == JWT_OK)
		status = jwt_unseal(&seal_key, &name,
							slice_of_bytes(out, 32 + JWT_SEAL_OVERHEAD),
							out + 200, &out_len);
}

static void
no_sealed_secret_is_left(void)
{
	CHECK(memory_is_clean_after(derive_seal_key, NULL, secret_slice(32)));
	CHECK_STATUS(status, JWT_OK);
	memcpy(out, seal_key.key, sizeof(seal_key.key));
	CHECK(memory_is_clean_after(derive_seal_key, NULL,
								slice_of_bytes(out, sizeof(seal_key.key))));
	CHECK(memory_is_clean_after(seal_and_open, NULL, secret_slice(32)));
	CHECK_STATUS(status, JWT_OK);
	CHECK(out_len == 32 && memcmp(out + 200, secret, 32) == 0);
}

/* What secrets are compared with is not told by how long that takes. */
static void
compares_take_their_time(void)
{
	const JwtAlg *alg = find_alg("HS256");
	unsigned char mac[JWT_MAX_SIGNATURE_LEN];
	size_t		len;
	long		before;

	jwk = secret_jwk(32);
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_sign(key, alg, jwt_slice_of("x"), mac, &len), JWT_OK);
	before = memory_compares();
	CHECK_STATUS(jwt_key_verify(key, alg, jwt_slice_of("x"), mac, len), JWT_OK);
	CHECK(memory_compares() == before + 1);
	mac[0] ^= 1;
	CHECK_STATUS(jwt_key_verify(key, alg, jwt_slice_of("x"), mac, len),
				 JWT_E_SIGNATURE);
	CHECK(memory_compares() == before + 2);
	jwt_key_free(key);

	CHECK(!jwt_equal_consttime("a", "b", 1));
	CHECK(memory_compares() == before + 3);
}

/* A call that is made with ever more memory until it has enough. */
typedef struct Attempt
{
	void		(*run) (void *arg);
	void	   *arg;
	JwtStatus	with_enough;
} Attempt;

/*
 * With the nth allocation failing, once or with all that follow: each of the
 * first ones, then ever wider apart, since libcrypto's decoders make
 * thousands.
 */
static void
want_memory_at(const Attempt *attempt, bool once, long before)
{
	/* valgrind takes thirty times as long. */
	long		steps = getenv("JWT_AUTH_VALGRIND") != NULL ? 4 : 64;
	long		n = 0;
	bool		is_openssl_30 = OPENSSL_version_major() == 3 &&
	OPENSSL_version_minor() == 0;

	do
	{
		n += 1 + n / steps;
		memory_fail_from(n, once);
		attempt->run(attempt->arg);
		if (!memory_failed())
			CHECK_STATUS(status, attempt->with_enough);
		else if (attempt->with_enough != JWT_OK)
			CHECK(status != JWT_OK);
		/* Other releases forget some of their own when they want memory. */
		if (is_openssl_30)
			CHECK(memory_blocks() == before);
	} while (memory_failed() && n < 100000);
	memory_fail_from(0, false);
	CHECK(n > 1 && n < 100000);
}

static void
want_memory(const Attempt *attempt)
{
	/* What libcrypto keeps from a first call on is no leak. */
	attempt->run(attempt->arg);
	CHECK_STATUS(status, attempt->with_enough);
	want_memory_at(attempt, false, memory_blocks());
	want_memory_at(attempt, true, memory_blocks());
}

static void
generate_and_free(void *arg)
{
	status = jwt_key_generate(arg, 2048, NULL, &key);
	CHECK((key != NULL) == (status == JWT_OK));
	jwt_key_free(key);
}

/* What no other test keeps in mind, too: from here to JSON and to PEM. */
static void
show(void *arg)
{
	char		thumbprint[JWT_THUMBPRINT_LEN];
	char	   *pem = NULL;
	size_t		len;

	(void) arg;
	status = jwt_key_thumbprint(key, thumbprint);
	if (status == JWT_OK)
		status = jwt_key_member(key, JWT_JWK_X, text, sizeof(text), &len);
	if (status == JWT_OK)
		status = jwt_key_member(key, JWT_JWK_D, text, sizeof(text), &len);
	if (status == JWT_OK)
		status = jwt_key_to_pem(key, &pem, &len);
	CHECK((pem != NULL) == (status == JWT_OK));
	jwt_pem_free(pem, len);
}

static void
keys_want_memory(void)
{
	static const char *const names[] = {
		"oct", "p256", "ed25519", "rsa2048"
	};
	static const char *const algs[] = {"HS256", "ES256", "EdDSA"};
	Attempt		make = {make_and_free, NULL, JWT_OK};
	Attempt		generate = {generate_and_free, NULL, JWT_OK};
	Attempt		shown = {show, NULL, JWT_OK};
	size_t		i;

	vectors_load(&vectors, "keys.txt");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		jwk = vectors_jwk(&vectors, names[i]);
		want_memory(&make);
	}
	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
	{
		generate.arg = (void *) find_alg(algs[i]);
		want_memory(&generate);
	}

	jwk = vectors_jwk(&vectors, "p256");
	key = make_key(&jwk);
	want_memory(&shown);
	jwt_key_free(key);
}

static void
read_pem(void *arg)
{
	(void) arg;
	key = NULL;
	status = jwt_key_from_pem(slice_of_bytes(vectors.text, vectors.len), NULL,
							  NULL, &key);
	CHECK((key != NULL) == (status == JWT_OK));
	jwt_key_free(key);
}

/* What OSSL_STORE opens is left out: libcrypto 3.0 crashes there itself. */
static void
key_files_want_memory(void)
{
	static const char *const files[] = {
		"p256_pkcs8.pem", "rsa_pkcs1.pem", "rsa_certificate.pem",
		"ed25519_pkcs8.pem", "p256_bundle.pem"
	};
	Attempt		read = {read_pem, NULL, JWT_OK};
	size_t		i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		vectors_load(&vectors, files[i]);
		want_memory(&read);
	}
}

/* Signs and verifies with a key that is made anew, contexts and all. */
static void
sign_and_verify(void *arg)
{
	const JwtAlg *alg = arg;

	status = jwt_key_from_jwk(&jwk, NULL, &key);
	if (status == JWT_OK)
		status = jwt_key_sign(key, alg, jwt_slice_of("input"), out, &out_len);
	if (status == JWT_OK)
		status = jwt_key_verify(key, alg, jwt_slice_of("input"), out, out_len);
	jwt_key_free(key);
	key = NULL;
}

static void
verify_wrong(void *arg)
{
	status = jwt_key_from_jwk(&jwk, NULL, &key);
	if (status == JWT_OK)
		status = jwt_key_verify(key, arg, jwt_slice_of("other"), out, out_len);
	jwt_key_free(key);
	key = NULL;
}

/* Whatever fails, a wrong signature never becomes a right one. */
static void
signatures_want_memory(void)
{
	static const struct
	{
		const char *name;
		const char *alg;
	}			cases[] = {
		{"oct", "HS256"}, {"p256", "ES256"}, {"ed25519", "EdDSA"},
		{"rsa2048", "RS256"}, {"rsa2048", "PS256"}
	};
	size_t		i;

	vectors_load(&vectors, "keys.txt");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		void	   *alg = (void *) find_alg(cases[i].alg);
		Attempt		right = {sign_and_verify, alg, JWT_OK};
		Attempt		wrong = {verify_wrong, alg, JWT_E_SIGNATURE};

		jwk = vectors_jwk(&vectors, cases[i].name);
		want_memory(&right);
		want_memory(&wrong);
	}
}

static void
secrets_want_memory(void)
{
	Attempt		derive = {derive_seal_key, NULL, JWT_OK};
	Attempt		sealed = {seal_and_open, NULL, JWT_OK};
	Attempt		tag = {seal_refresh_token, NULL, JWT_OK};
	Attempt		successor = {succeed_refresh_token, NULL, JWT_OK};
	static const unsigned char zeroes[sizeof(JwtRefreshToken)] = {0};

	want_memory(&derive);
	want_memory(&sealed);
	want_memory(&tag);
	want_memory(&successor);

	/* Half a successor is none. */
	memory_fail_from(1, false);
	succeed_refresh_token(NULL);
	memory_fail_from(0, false);
	CHECK(status != JWT_OK);
	CHECK(memcmp(&next, zeroes, sizeof(next)) == 0);
}

const Test	memory_tests[] = {
	{"memory: no key is left", no_key_is_left},
	{"memory: no checked secret is left", no_checked_secret_is_left},
	{"memory: no MAC is left", no_mac_is_left},
	{"memory: no signature is left", no_signature_is_left},
	{"memory: no refresh token is left", no_refresh_token_is_left},
	{"memory: no sealed secret is left", no_sealed_secret_is_left},
	{"memory: compares take their time", compares_take_their_time},
	{"memory: keys want memory", keys_want_memory},
	{"memory: key files want memory", key_files_want_memory},
	{"memory: signatures want memory", signatures_want_memory},
	{"memory: secrets want memory", secrets_want_memory},
	{NULL, NULL}
};
