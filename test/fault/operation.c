/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  What src/core does, each thing once.
 *
 * Whatever fails on the way: a result that is called good is good, one that
 * is not is empty, and what was at hand before serves as before.
 *
 *-------------------------------------------------------------------------
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "jws.h"
#include "operation.h"
#include "primitive.h"
#include "refresh_token.h"
#include "seal.h"

static const JwtKeyLimits limits = {1024};

/* A whole file; *slice points into text. */
static void
load(const char *folder, const char *name, char text[10000], JwtSlice *slice)
{
	char		path[200];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL)
	{
		perror(path);
		exit(EXIT_FAILURE);
	}
	slice->data = text;
	slice->len = fread(text, 1, 10000, file);
	fclose(file);
}

/* Two keys that are the same, as far as can be seen from outside. */
static bool
same_key(const JwtKey *a, const JwtKey *b)
{
	char		one[JWT_THUMBPRINT_LEN];
	char		two[JWT_THUMBPRINT_LEN];

	return jwt_key_thumbprint(a, one) == JWT_OK &&
		jwt_key_thumbprint(b, two) == JWT_OK &&
		memcmp(one, two, sizeof(one)) == 0 &&
		jwt_key_is_private(a) == jwt_key_is_private(b) &&
		jwt_key_bits(a) == jwt_key_bits(b);
}

static void
check_made(JwtStatus status, JwtKey *key, JwtKey *expected)
{
	hold((status == JWT_OK) == (key != NULL), "a key if all went well");
	if (key != NULL)
		hold(same_key(key, expected), "the key is the right one");
	jwt_key_free(key);
	jwt_key_free(expected);
}

static void
from_jwk(const char *arg)
{
	char		text[10000];
	JwtSlice	slice;
	JwtKeyLimits own;
	JwtJwk		jwk;
	JwtKey	   *expected = fuzz_load_key(arg);
	JwtKey	   *key = NULL;
	JwtStatus	status;

	load("test/fuzz/corpus/jwk", arg, text, &slice);
	jwk = fuzz_parse_jwk(slice, &own);
	begin();
	status = end(jwt_key_from_jwk(&jwk, &own, &key));
	check_made(status, key, expected);
}

static void
from_pem(const char *arg)
{
	char		text[10000];
	JwtSlice	slice;
	JwtKey	   *expected = NULL;
	JwtKey	   *key = NULL;
	JwtStatus	status;

	load("test/unit/vectors", arg, text, &slice);
	if (jwt_key_from_pem(slice, NULL, &limits, &expected) != JWT_OK)
		exit(EXIT_FAILURE);
	begin();
	status = end(jwt_key_from_pem(slice, NULL, &limits, &key));
	check_made(status, key, expected);
}

/* What is refused is refused. */
static void
from_bad_pem(const char *arg)
{
	char		text[10000];
	JwtSlice	slice;
	JwtKey	   *key = NULL;

	load("test/unit/vectors", arg, text, &slice);
	begin();
	(void) end(jwt_key_from_pem(slice, NULL, &limits, &key));
	hold(key == NULL, "no key");
	jwt_key_free(key);
}

static void
from_uri(const char *arg)
{
	char		path[1000];
	char		text[10000];
	JwtSlice	slice;
	JwtKey	   *expected = NULL;
	JwtKey	   *key = NULL;
	JwtStatus	status;

	load("test/unit/vectors", arg, text, &slice);
	if (jwt_key_from_pem(slice, NULL, &limits, &expected) != JWT_OK)
		exit(EXIT_FAILURE);
	snprintf(path, sizeof(path), "file:%s/test/unit/vectors/%s",
			 getcwd(text, sizeof(text)), arg);
	slice = jwt_slice_of(path);
	begin();
	status = end(jwt_key_from_uri(slice, NULL, &limits, &key));
	check_made(status, key, expected);
}

static void
to_pem(const char *arg)
{
	JwtKey	   *key = fuzz_load_key(arg);
	JwtKey	   *again = NULL;
	JwtSlice	text = {NULL, 0};
	char	   *pem = NULL;
	JwtStatus	status;

	begin();
	status = end(jwt_key_to_pem(key, &pem, &text.len));
	text.data = pem;
	hold((status == JWT_OK) == (pem != NULL), "a PEM if all went well");
	if (status == JWT_OK)
		hold(jwt_key_from_pem(text, NULL, &limits, &again) == JWT_OK &&
			 same_key(key, again), "the PEM is right");
	jwt_pem_free(pem, text.len);
	jwt_key_free(again);
	jwt_key_free(key);
}

static void
thumbprint(const char *arg)
{
	JwtKey	   *key = fuzz_load_key(arg);
	char		right[JWT_THUMBPRINT_LEN];
	char		made[JWT_THUMBPRINT_LEN];

	if (jwt_key_thumbprint(key, right) != JWT_OK)
		exit(EXIT_FAILURE);
	begin();
	if (end(jwt_key_thumbprint(key, made)) == JWT_OK)
		hold(memcmp(right, made, sizeof(made)) == 0, "the thumbprint is right");
	jwt_key_free(key);
}

static void
members(const char *arg)
{
	JwtKey	   *key = fuzz_load_key(arg);
	char		right[JWT_JWK_MEMBER_MAX];
	char		made[JWT_JWK_MEMBER_MAX];
	int			i;

	for (i = JWT_JWK_K; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		size_t		rightlen = 0;
		size_t		len = 0;

		if (jwt_key_member(key, (JwtJwkMember) i, right, sizeof(right),
						   &rightlen) != JWT_OK)
			exit(EXIT_FAILURE);
		begin();
		if (end(jwt_key_member(key, (JwtJwkMember) i, made, sizeof(made),
							   &len)) == JWT_OK)
			hold(len == rightlen && memcmp(made, right, len) == 0,
				 "the member is right");
		else
			hold(len == 0, "no member");
	}
	jwt_key_free(key);
}

/* Any two halves of the new key work together. */
static void
generate(const char *arg)
{
	const JwtAlg *alg = jwt_alg_find(jwt_slice_of(arg));
	JwtSlice	text = jwt_slice_of("a.b");
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		len = 0;
	JwtKey	   *key = NULL;
	JwtStatus	status;

	begin();
	status = end(jwt_key_generate(alg, 1024, NULL, &key));
	hold((status == JWT_OK) == (key != NULL), "a key if all went well");
	if (key != NULL)
		hold(jwt_key_sign(key, alg, text, sig, &len) == JWT_OK &&
			 jwt_key_verify(key, alg, text, sig, len) == JWT_OK,
			 "the new key works");
	jwt_key_free(key);
}

/* "KEY ALG" */
static JwtKey *
load_pair(const char *arg, const JwtAlg **alg)
{
	char		name[100];
	const char *space = strchr(arg, ' ');

	snprintf(name, sizeof(name), "%.*s", (int) (space - arg), arg);
	*alg = jwt_alg_find(jwt_slice_of(space + 1));
	return fuzz_load_key(name);
}

static void
sign(const char *arg)
{
	const JwtAlg *alg;
	JwtKey	   *key = load_pair(arg, &alg);
	JwtKey	   *other = load_pair(arg, &alg);
	JwtSlice	header = jwt_slice_of("{\"alg\":\"?\"}");
	JwtJws		jws;
	char		out[4000];
	JwtSlice	token = {out, 0};
	JwtStatus	status;
	int			i;

	/* The first time makes contexts, the second uses them. */
	for (i = 0; i < 2; i++)
	{
		begin();
		status = end(jwt_jws_sign(header, header, key, alg, out, &token.len));
		hold((status == JWT_OK) == (token.len > 0), "a token if all went well");
		if (status == JWT_OK)
			hold(jwt_jws_split(token, &jws) == JWT_OK &&
				 jwt_jws_verify(&jws, other, alg) == JWT_OK,
				 "the token is good");
		hold(jwt_jws_sign(header, header, key, alg, out, &token.len) ==
			 JWT_OK, "the key signs as before");
	}
	jwt_key_free(other);
	jwt_key_free(key);
}

/* Verifies with a key that is new or was used; spoilt or not. */
static void
verify_one(const char *arg, bool spoil, bool used)
{
	const JwtAlg *alg;
	JwtKey	   *key = load_pair(arg, &alg);
	JwtKey	   *signer = load_pair(arg, &alg);
	JwtSlice	text = jwt_slice_of("header.payload");
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		len = 0;

	if (jwt_key_sign(signer, alg, text, sig, &len) != JWT_OK ||
		(used && jwt_key_verify(key, alg, text, sig, len) != JWT_OK))
		exit(EXIT_FAILURE);
	if (spoil)
		sig[len / 3] ^= 4;
	begin();
	(void) end(jwt_key_verify(key, alg, text, sig, len));
	if (spoil)
		sig[len / 3] ^= 4;
	hold(jwt_key_verify(key, alg, text, sig, len) == JWT_OK,
		 "the key verifies as before");
	jwt_key_free(signer);
	jwt_key_free(key);
}

static void
verify_new(const char *arg)
{
	verify_one(arg, false, false);
}

static void
verify_used(const char *arg)
{
	verify_one(arg, false, true);
}

static void
verify_bad_new(const char *arg)
{
	verify_one(arg, true, false);
}

static void
verify_bad_used(const char *arg)
{
	verify_one(arg, true, true);
}

/* The parts of a seal: "seal", "open", "spoilt", "derive". */
static void
seal(const char *arg)
{
	JwtSlice	material = jwt_slice_of("0123456789abcdef0123456789abcdef");
	JwtSlice	clear = jwt_slice_of("a secret");
	JwtSealName name = {{"i", 1}, {"k", 1}, {"EC", 2}, {"ES256", 5}};
	JwtSealKey	key;
	JwtSealKey	again;
	unsigned char bytes[100];
	unsigned char opened[100];
	JwtSlice	sealed = {(const char *) bytes, clear.len + JWT_SEAL_OVERHEAD};
	size_t		len = 0;

	if (jwt_seal_derive(material, &key) != JWT_OK ||
		jwt_seal(&key, &name, clear, bytes) != JWT_OK)
		exit(EXIT_FAILURE);
	bytes[20] ^= arg[0] == 's' && arg[1] == 'p' ? 1 : 0;
	begin();
	if (strcmp(arg, "derive") == 0)
	{
		if (end(jwt_seal_derive(material, &again)) == JWT_OK)
			hold(memcmp(&again, &key, sizeof(key)) == 0, "the key is right");
		else
			hold(again.id[0] == '\0', "no key");
	}
	else if (strcmp(arg, "seal") == 0)
	{
		if (end(jwt_seal(&key, &name, clear, bytes)) == JWT_OK)
			hold(jwt_unseal(&key, &name, sealed, opened, &len) == JWT_OK &&
				 len == clear.len && memcmp(opened, clear.data, len) == 0,
				 "what was sealed opens");
		else
			hold(bytes[0] == 0 && bytes[20] == 0, "nothing is left");
	}
	else if (end(jwt_unseal(&key, &name, sealed, opened, &len)) == JWT_OK)
		hold(len == clear.len && memcmp(opened, clear.data, len) == 0,
			 "what opens is right");
	else
		hold(len == 0 && opened[0] == 0, "nothing opens");
}

/* "seal", "check", "spoilt", "next", "hash" */
static void
refresh(const char *arg)
{
	unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN] = {1};
	unsigned char salt[JWT_REFRESH_SALT_LEN] = {2};
	unsigned char right[JWT_SHA256_LEN];
	unsigned char hash[JWT_SHA256_LEN];
	JwtRefreshToken token = {{3}, 7, {4}, {0}};
	JwtRefreshToken expected;
	JwtRefreshToken made;

	if (jwt_refresh_token_seal(&token, tag_key) != JWT_OK ||
		jwt_refresh_token_next(&token, salt, tag_key, &expected) != JWT_OK ||
		jwt_refresh_token_hash(&token, right) != JWT_OK)
		exit(EXIT_FAILURE);
	made = token;
	if (strcmp(arg, "spoilt") == 0)
		token.tag[15] ^= 1;
	begin();
	if (strcmp(arg, "seal") == 0)
	{
		if (end(jwt_refresh_token_seal(&made, tag_key)) == JWT_OK)
			hold(memcmp(&made, &token, sizeof(made)) == 0, "the tag is right");
	}
	else if (strcmp(arg, "next") == 0)
	{
		if (end(jwt_refresh_token_next(&token, salt, tag_key,
									   &made)) == JWT_OK)
			hold(memcmp(&made, &expected, sizeof(made)) == 0,
				 "the next token is right");
		else
			hold(made.generation == 0 && made.secret[0] == 0, "no token");
	}
	else if (strcmp(arg, "hash") == 0)
	{
		if (end(jwt_refresh_token_hash(&token, hash)) == JWT_OK)
			hold(memcmp(hash, right, sizeof(hash)) == 0, "the hash is right");
	}
	else
		(void) end(jwt_refresh_token_check(&token, tag_key));
}

static void
random_bytes(const char *arg)
{
	unsigned char buf[32] = {0};
	unsigned char zero[32] = {0};

	(void) arg;
	begin();
	if (end(jwt_random(buf, sizeof(buf))) == JWT_OK)
		hold(memcmp(buf, zero, sizeof(buf)) != 0, "the bytes are random");
	else
		hold(memcmp(buf, zero, sizeof(buf)) == 0, "no bytes");
}

/* A public key in DER is no secret, even if there is no memory to see it. */
static void
der_secret(const char *arg)
{
	char		text[10000];
	JwtSlice	slice;

	load("test/fuzz/corpus/pem", arg, text, &slice);
	begin();
	(void) end(jwt_secret_check(slice));
}

#define SIGNATURE(pair) \
	{sign, "sign", pair, false}, \
	{verify_new, "verify", pair, false}, \
	{verify_used, "verify again", pair, false}, \
	{verify_bad_new, "verify what is forged", pair, true}, \
	{verify_bad_used, "verify again what is forged", pair, true}
#define KEY(name) \
	{from_jwk, "read JWK", name, false}, \
	{thumbprint, "thumbprint", name, false}, \
	{members, "write JWK", name, false}
#define PEM_KEY(name) KEY(name), {to_pem, "write PEM", name, false}

const Operation operations[] = {
	KEY("oct"), PEM_KEY("rsa1024"), KEY("rsa1024_without_primes"),
	PEM_KEY("rsa1024_public"), PEM_KEY("p256"), PEM_KEY("p256_public"),
	PEM_KEY("p521"), PEM_KEY("k256"), PEM_KEY("ed25519"),
	PEM_KEY("ed25519_public"), PEM_KEY("ed448"),
	{from_pem, "read PEM", "p256_pkcs8.pem", false},
	{from_pem, "read PEM", "p256_spki.pem", false},
	{from_pem, "read PEM", "p256_sec1_with_text.pem", false},
	{from_pem, "read PEM", "rsa_pkcs8.pem", false},
	{from_pem, "read PEM", "rsa_pkcs1.pem", false},
	{from_pem, "read PEM", "rsa_pkcs1_public.pem", false},
	{from_pem, "read PEM", "rsa_certificate.pem", false},
	{from_pem, "read PEM", "ed25519_pkcs8.pem", false},
	{from_pem, "read PEM", "ed448_spki.pem", false},
	{from_pem, "read PEM", "p256_bundle.pem", false},
	{from_bad_pem, "read bad PEM", "p256_explicit_spki.pem", true},
	{from_bad_pem, "read bad PEM", "rsa_three_primes.pem", true},
	{from_bad_pem, "read bad PEM", "rsa_zero_private.pem", true},
	{from_bad_pem, "read bad PEM", "encrypted_pkcs8.pem", true},
	{from_bad_pem, "read bad PEM", "several_keys.pem", true},
	{from_uri, "open URI", "p256_pkcs8.pem", false},
	{from_uri, "open URI", "rsa_pkcs8.pem", false},
	{generate, "generate", "HS256", false},
	{generate, "generate", "ES256", false},
	{generate, "generate", "ES512", false},
	{generate, "generate", "EdDSA", false},
	{generate, "generate", "Ed448", false},
	SIGNATURE("oct HS256"), SIGNATURE("oct HS512"),
	SIGNATURE("rsa1024 RS256"), SIGNATURE("rsa1024 PS384"),
	SIGNATURE("p256 ES256"), SIGNATURE("p521 ES512"),
	SIGNATURE("k256 ES256K"), SIGNATURE("ed25519 EdDSA"),
	SIGNATURE("ed448 Ed448"),
	{seal, "seal", "derive", false}, {seal, "seal", "seal", false},
	{seal, "seal", "open", false}, {seal, "seal", "spoilt", true},
	{refresh, "refresh token", "seal", false},
	{refresh, "refresh token", "check", false},
	{refresh, "refresh token", "spoilt", true},
	{refresh, "refresh token", "next", false},
	{refresh, "refresh token", "hash", false},
	{random_bytes, "random bytes", "32", false},
	{der_secret, "a secret that is a key", "der", true},
	{NULL, NULL, NULL, false}
};
