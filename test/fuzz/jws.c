/*-------------------------------------------------------------------------
 *
 * jws.c
 *	  Fuzz target: compact tokens, cut, verified and made.
 *
 * The first byte of the input chooses key and algorithm, the second what
 * follows: a token, or header and payload of one to be made and then spoilt.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

#include "base64url.h"
#include "fuzz.h"
#include "jws.h"

/* A key of the corpus and an algorithm that it serves. */
static struct
{
	const char *file;
	const char *name;
	JwtKey	   *key;
	const JwtAlg *alg;
	EVP_PKEY   *pkey;			/* NULL for oct */
	JwtSlice	secret;			/* oct */
}			setups[] =
{
	{"oct", "HS256", NULL, NULL, NULL, {NULL, 0}},
	{"oct", "HS384", NULL, NULL, NULL, {NULL, 0}},
	{"oct", "HS512", NULL, NULL, NULL, {NULL, 0}},
	{"rsa1024", "RS256", NULL, NULL, NULL, {NULL, 0}},
	{"rsa1024", "RS512", NULL, NULL, NULL, {NULL, 0}},
	{"rsa1024", "PS256", NULL, NULL, NULL, {NULL, 0}},
	{"p256", "ES256", NULL, NULL, NULL, {NULL, 0}},
	{"p384", "ES384", NULL, NULL, NULL, {NULL, 0}},
	{"p521", "ES512", NULL, NULL, NULL, {NULL, 0}},
	{"k256", "ES256K", NULL, NULL, NULL, {NULL, 0}},
	{"ed25519", "EdDSA", NULL, NULL, NULL, {NULL, 0}},
	{"ed448", "Ed448", NULL, NULL, NULL, {NULL, 0}}
};

#define NUM_SETUPS ((int) (sizeof(setups) / sizeof(setups[0])))

static void
load(int s)
{
	char		text[JWT_JWK_MEMBER_MAX];
	unsigned char *secret;
	size_t		len = 0;

	setups[s].key = fuzz_load_key(setups[s].file);
	setups[s].alg = jwt_alg_find(jwt_slice_of(setups[s].name));
	REQUIRE(setups[s].alg != NULL);
	if (jwt_key_type(setups[s].key) == JWT_KTY_OCT)
	{
		JwtSlice	slice = {text, 0};

		secret = malloc(JWT_MAX_SECRET_LEN);
		REQUIRE(secret != NULL);
		REQUIRE(jwt_key_member(setups[s].key, JWT_JWK_K, text, sizeof(text),
							   &slice.len) == JWT_OK);
		REQUIRE(jwt_base64url_decode(slice, secret, JWT_MAX_SECRET_LEN,
									 &len) == JWT_OK);
		setups[s].secret.data = (const char *) secret;
		setups[s].secret.len = len;
	}
	else
		setups[s].pkey = fuzz_pkey(setups[s].key);
}

/* Is it a good token, for whoever reads the RFC with other eyes? */
static bool
is_good(int s, const JwtJws *jws)
{
	unsigned char *sig = malloc(jws->signature.len + 4);
	unsigned char mac[EVP_MAX_MD_SIZE];
	int			len = fuzz_base64url(jws->signature, sig);
	bool		good;

	REQUIRE(sig != NULL);
	if (len < 0)
		good = false;
	else if (setups[s].pkey == NULL)
		good = (size_t) len == fuzz_hmac(setups[s].alg->digest,
										 setups[s].secret,
										 jws->signing_input, mac) &&
			memcmp(sig, mac, (size_t) len) == 0;
	else
		good = fuzz_verify(setups[s].pkey, setups[s].alg, jws->signing_input,
						   sig, (size_t) len);
	free(sig);
	return good;
}

/* RFC 7515, Sec. 7.1, said once more */
static bool
has_three_parts(JwtSlice token)
{
	int			dots = 0;
	size_t		i;

	for (i = 0; i < token.len; i++)
		dots += token.data[i] == '.';
	return dots == 2 && token.data[0] != '.';
}

/* The parts that a token was cut into are the token. */
static void
check_parts(JwtSlice token, const JwtJws *jws)
{
	REQUIRE(jws->header.data == token.data && jws->header.len > 0);
	REQUIRE(jws->payload.data == jws->header.data + jws->header.len + 1);
	REQUIRE(jws->signature.data == jws->payload.data + jws->payload.len + 1);
	REQUIRE(jws->signature.data + jws->signature.len ==
			token.data + token.len);
	REQUIRE(jws->signing_input.data == token.data &&
			jws->signing_input.len + 1 + jws->signature.len == token.len);
}

static JwtStatus
judge(int s, JwtSlice token)
{
	JwtJws		jws;
	JwtStatus	status = jwt_jws_split(token, &jws);

	REQUIRE((status == JWT_OK) == has_three_parts(token));
	if (status != JWT_OK)
		return status;

	check_parts(token, &jws);
	status = jwt_jws_verify(&jws, setups[s].key, setups[s].alg);
	REQUIRE_CLEAN((status == JWT_OK) == is_good(s, &jws));
	REQUIRE(status == JWT_OK || status == JWT_E_SIGNATURE ||
			status == JWT_E_TOKEN_BASE64);

	/* No key serves the algorithm of another type. */
	if (status == JWT_OK)
	{
		const JwtAlg *other = setups[(s + 6) % NUM_SETUPS].alg;

		REQUIRE(jwt_jws_verify(&jws, setups[s].key, other) != JWT_OK);
	}
	return status;
}

/* Made, verified, and with one bit changed no token any more. */
static void
make(int s, JwtSlice header, JwtSlice payload, unsigned where)
{
	size_t		cap = jwt_jws_max_len(header.len, payload.len);
	char	   *out = malloc(cap);
	size_t		len = 0;
	size_t		hlen = jwt_base64url_enc_len(header.len);
	JwtSlice	token;

	REQUIRE(out != NULL);
	REQUIRE_CLEAN(jwt_jws_sign(header, payload, setups[s].key, setups[s].alg,
							   out, &len) == JWT_OK && len <= cap);

	/* In memory of its own size, so that reading past it is seen */
	token.data = out;
	token.len = len;
	token = fuzz_take(&token, len);
	free(out);
	out = (char *) token.data;
	if (header.len == 0)
		REQUIRE(judge(s, token) == JWT_E_TOKEN_PARTS);
	else
	{
		REQUIRE(judge(s, token) == JWT_OK);
		where %= (unsigned) (len * 8);
		out[where / 8] ^= (char) (1 << where % 8);
		REQUIRE(judge(s, token) != JWT_OK);
		out[where / 8] ^= (char) (1 << where % 8);

		/* Cut anywhere it is none either. */
		token.len = where / 8;
		REQUIRE(judge(s, token) != JWT_OK);
		REQUIRE(out[hlen] == '.');
	}
	fuzz_forget(token);
}

void
fuzz_one(JwtSlice input)
{
	int			s = fuzz_take_byte(&input) % NUM_SETUPS;
	unsigned	how = fuzz_take_byte(&input);

	if (setups[s].key == NULL)
		load(s);

	if (how % 2 == 0)
	{
		JwtSlice	token = fuzz_take(&input, input.len);

		(void) judge(s, token);
		fuzz_forget(token);
	}
	else
	{
		unsigned	where = how / 2 << 8 | fuzz_take_byte(&input);
		JwtSlice	header = fuzz_take_line(&input, '\n');
		JwtSlice	payload = fuzz_take(&input, input.len);

		make(s, header, payload, where);
		fuzz_forget(payload);
		fuzz_forget(header);
	}
}
