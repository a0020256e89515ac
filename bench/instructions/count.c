/*-------------------------------------------------------------------------
 *
 * count.c
 *	  Operations of the core, to be run under callgrind, which writes a part
 *	  of its output for each: see count.sh.
 *
 * Keys are those of the unit tests, so that nothing varies but what
 * libcrypto draws at random, and libcrypto is not counted.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include <valgrind/callgrind.h>

#include "base64url.h"
#include "claims.h"
#include "jws.h"
#include "refresh_token.h"

#define TIMES 10				/* of each operation; count.sh divides by it */
#define MAX_FILE 8192
#define MAX_TOKEN 4096

/* What the operation at hand works on. */
static const JwtKeyLimits limits = {2048};
static JwtKey *key;
static const JwtAlg *alg;
static JwtJwk jwk;
static char member[JWT_JWK_NUM_MEMBERS][JWT_JWK_MEMBER_MAX];
static char pem[MAX_FILE];
static size_t pem_len;
static char token[MAX_TOKEN];
static size_t token_len;
static char payload[275];
static JwtRefreshToken refresh;
static unsigned char tag_key[JWT_REFRESH_TAG_KEY_LEN];
static unsigned char salt[JWT_REFRESH_SALT_LEN];

static void
need(JwtStatus status, const char *what)
{
	if (status == JWT_OK)
		return;
	fprintf(stderr, "%s: status %d\n", what, (int) status);
	exit(1);
}

static JwtSlice
slice(const void *data, size_t len)
{
	JwtSlice	s;

	s.data = data;
	s.len = len;
	return s;
}

static void
op_verify(void)
{
	JwtJws		jws;

	need(jwt_jws_split(slice(token, token_len), &jws), "split");
	need(jwt_jws_verify(&jws, key, jwt_alg_find(jwt_slice_of(alg->name))),
		 "verify");
}

static void
op_sign(void)
{
	need(jwt_jws_sign(jwt_slice_of("{\"alg\":\"none of your business\"}"),
					  slice(payload, sizeof(payload)), key, alg, token,
					  &token_len), "sign");
}

static void
op_parse_jwk(void)
{
	JwtKey	   *parsed;

	need(jwt_key_from_jwk(&jwk, &limits, &parsed), "JWK");
	jwt_key_free(parsed);
}

static void
op_parse_pem(void)
{
	JwtKey	   *parsed;

	need(jwt_key_from_pem(slice(pem, pem_len), NULL, &limits, &parsed), "PEM");
	jwt_key_free(parsed);
}

static void
op_encode(void)
{
	(void) jwt_base64url_encode((const unsigned char *) payload,
								sizeof(payload), token);
}

static void
op_decode(void)
{
	unsigned char bytes[sizeof(payload)];
	size_t		len;

	need(jwt_base64url_decode(slice(token, jwt_base64url_enc_len(sizeof(payload))),
							  bytes, sizeof(bytes), &len), "decode");
}

static void
op_times(void)
{
	JwtTimes	times = {{true, 2000000}, {false, 0}, {true, 1000000}};

	need(jwt_claims_check_times(&times, 1500000, 0), "times");
	need(jwt_claims_check_age(&times, 1500000, 0, 9000000), "age");
}

/* All that a refresh asks of the core. */
static void
op_refresh(void)
{
	char		text[JWT_REFRESH_TOKEN_LEN];
	unsigned char hash[JWT_SHA256_LEN];
	JwtRefreshToken presented;
	JwtRefreshToken next;

	jwt_refresh_token_encode(&refresh, text);
	need(jwt_refresh_token_decode(slice(text, sizeof(text)), &presented),
		 "refresh token");
	need(jwt_refresh_token_check(&presented, tag_key), "tag");
	need(jwt_refresh_token_hash(&presented, hash), "hash");
	need(jwt_refresh_token_next(&presented, salt, tag_key, &next), "next");
}

/* Once to warm up: contexts are made at the first use. */
static void
count(const char *name, void (*operation) (void))
{
	int			i;

	operation();
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
	for (i = 0; i < TIMES; i++)
		operation();
	CALLGRIND_TOGGLE_COLLECT;
	CALLGRIND_DUMP_STATS_AT(name);
}

static void
load_pem(const char *name)
{
	char		path[200];
	FILE	   *file;

	snprintf(path, sizeof(path), "test/unit/vectors/%s.pem", name);
	file = fopen(path, "rb");
	if (file == NULL)
		need(JWT_E_PEM, path);
	pem_len = fread(pem, 1, sizeof(pem), file);
	fclose(file);
}

/* The key at hand as a JWK. */
static void
make_jwk(void)
{
	int			i;

	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of(jwt_kty_name(jwt_key_type(key)));
	if (jwt_key_crv(key) != NULL)
		jwk.member[JWT_JWK_CRV] = jwt_slice_of(jwt_key_crv(key));
	for (i = JWT_JWK_K; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		size_t		len;

		need(jwt_key_member(key, (JwtJwkMember) i, member[i],
							sizeof(member[i]), &len), "member");
		if (len > 0)
			jwk.member[i] = slice(member[i], len);
	}
}

static void
count_alg(const char *name)
{
	char		title[100];

	alg = jwt_alg_find(jwt_slice_of(name));
	snprintf(title, sizeof(title), "sign/%s", name);
	count(title, op_sign);
	snprintf(title, sizeof(title), "verify/%s", name);
	count(title, op_verify);
}

static void
count_key(const char *kind, const char *file)
{
	char		title[100];

	load_pem(file);
	need(jwt_key_from_pem(slice(pem, pem_len), NULL, &limits, &key), file);
	make_jwk();
	snprintf(title, sizeof(title), "parse/%s/PEM", kind);
	count(title, op_parse_pem);
	snprintf(title, sizeof(title), "parse/%s/JWK", kind);
	count(title, op_parse_jwk);
}

int
main(void)
{
	memset(payload, 'x', sizeof(payload));
	count("base64url/encode", op_encode);
	count("base64url/decode", op_decode);
	count("claims/times", op_times);

	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	jwk.member[JWT_JWK_K] =
		jwt_slice_of("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T");
	need(jwt_key_from_jwk(&jwk, &limits, &key), "oct");
	count("parse/oct/JWK", op_parse_jwk);
	count_alg("HS256");
	jwt_key_free(key);

	count_key("RSA", "rsa_pkcs8");
	count_alg("RS256");
	count_alg("PS256");
	jwt_key_free(key);
	count_key("EC", "p256_pkcs8");
	count_alg("ES256");
	jwt_key_free(key);
	count_key("OKP", "ed25519_pkcs8");
	count_alg("EdDSA");
	jwt_key_free(key);

	refresh.generation = 1;
	need(jwt_refresh_token_seal(&refresh, tag_key), "seal");
	count("refresh token", op_refresh);
	return 0;
}
