/*-------------------------------------------------------------------------
 *
 * test_jws.c
 *	  Compact tokens: the RFCs' own, byte for byte, and what is none.
 *
 *-------------------------------------------------------------------------
 */
#include "base64url.h"
#include "harness.h"
#include "jws.h"

static JwtStatus
split(const char *text, JwtJws *jws)
{
	return jwt_jws_split(jwt_slice_of(text), jws);
}

static void
shape(void)
{
	static const char *const bad[] = {
		".", "..", "a", "a.b", ".b.c", "a.b.c.", "a.b.c.d", "a.b.c.d.e"
	};
	JwtJws		jws;
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		CHECK_STATUS(split(bad[i], &jws), JWT_E_TOKEN_PARTS);
		CHECK(jws.header.data == NULL);
	}
	CHECK_STATUS(split("", &jws), JWT_E_TOKEN_EMPTY);
	CHECK_STATUS(jwt_jws_split(slice_of_bytes(NULL, 0), &jws),
				 JWT_E_TOKEN_EMPTY);

	CHECK_STATUS(split("a.bc.def", &jws), JWT_OK);
	CHECK(jwt_slice_equal(jws.header, jwt_slice_of("a")));
	CHECK(jwt_slice_equal(jws.payload, jwt_slice_of("bc")));
	CHECK(jwt_slice_equal(jws.signature, jwt_slice_of("def")));
	CHECK(jwt_slice_equal(jws.signing_input, jwt_slice_of("a.bc")));

	CHECK_STATUS(split("a..", &jws), JWT_OK);
	CHECK(jws.payload.len == 0 && jws.payload.data != NULL);
	CHECK(jws.signature.len == 0 && jws.signature.data != NULL);
}

/* One RFC's example: verified, spoilt, and signed again if it can be. */
static void
check_example(const char *file, bool deterministic)
{
	Vectors		v;
	JwtSlice	token;
	JwtSlice	name;
	JwtJwk		jwk;
	JwtKey	   *key;
	const JwtAlg *alg;
	JwtJws		jws;
	unsigned char header[200];
	unsigned char payload[400];
	char		out[4000];
	size_t		hlen;
	size_t		plen;
	size_t		len = 0;

	vectors_load(&v, file);
	token = vectors_get(&v, "token");
	name = vectors_get(&v, "alg");
	alg = jwt_alg_find(name);
	jwk = vectors_jwk(&v, "key");
	key = make_key(&jwk);
	CHECK_STATUS(jwt_jws_split(token, &jws), JWT_OK);
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_OK);

	CHECK_STATUS(jwt_base64url_decode(jws.header, header, sizeof(header),
									  &hlen), JWT_OK);
	CHECK_STATUS(jwt_base64url_decode(jws.payload, payload, sizeof(payload),
									  &plen), JWT_OK);
	CHECK(jwt_jws_max_len(hlen, plen) <= sizeof(out));
	CHECK_STATUS(jwt_jws_sign(slice_of_bytes(header, hlen),
							  slice_of_bytes(payload, plen), key, alg, out,
							  &len), JWT_OK);
	CHECK(len == token.len);
	CHECK(jwt_slice_equal(slice_of_bytes(out, len), token) == deterministic);
	CHECK_STATUS(jwt_jws_split(slice_of_bytes(out, len), &jws), JWT_OK);
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_OK);

	/* One character of the payload */
	out[jws.header.len + 3] ^= 1;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_E_SIGNATURE);
	out[jws.header.len + 3] ^= 1;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_OK);
	jwt_key_free(key);
}

static void
rfc7515_a1(void)
{
	check_example("rfc7515_a1.txt", true);
}

static void
rfc7515_a2(void)
{
	check_example("rfc7515_a2.txt", true);
}

static void
rfc7515_a3(void)
{
	check_example("rfc7515_a3.txt", false);
}

static void
rfc7515_a4(void)
{
	check_example("rfc7515_a4.txt", false);
}

static void
rfc8037_a4(void)
{
	check_example("rfc8037_a4.txt", true);
}

/* The signature's base64url is judged before its worth. */
static void
spelling_of_the_signature(void)
{
	Vectors		v;
	JwtJwk		jwk;
	JwtKey	   *key;
	const JwtAlg *alg = find_alg("HS256");
	JwtJws		jws;
	char		sig[3000];
	size_t		len;

	vectors_load(&v, "rfc7515_a1.txt");
	jwk = vectors_jwk(&v, "key");
	key = make_key(&jwk);
	CHECK_STATUS(jwt_jws_split(vectors_get(&v, "token"), &jws), JWT_OK);
	len = jws.signature.len;
	memcpy(sig, jws.signature.data, len);
	jws.signature.data = sig;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_OK);

	/* "k" ends in two bits that must be zero. */
	CHECK(sig[len - 1] == 'k');
	sig[len - 1] = 'l';
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_E_TOKEN_BASE64);
	sig[len - 1] = 'k';
	sig[len] = '=';
	jws.signature.len = len + 1;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_E_TOKEN_BASE64);
	jws.signature.len = 0;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_E_SIGNATURE);

	/* As long as the longest signature, and longer */
	memset(sig, 'A', sizeof(sig));
	jws.signature.len = 2731;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_E_SIGNATURE);
	jws.signature.len = 2732;
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_E_SIGNATURE);
	jwt_key_free(key);
}

static void
failure_leaves_no_token(void)
{
	Vectors		v;
	JwtJwk		jwk;
	JwtKey	   *key;
	char		out[4000];
	size_t		len = 1;

	vectors_load(&v, "keys.txt");
	jwk = jwk_public_part(vectors_jwk(&v, "p256"));
	key = make_key(&jwk);
	CHECK_STATUS(jwt_jws_sign(jwt_slice_of("{}"), jwt_slice_of("{}"), key,
							  find_alg("ES256"), out, &len),
				 JWT_E_KEY_NOT_PRIVATE);
	CHECK(len == 0 && out[0] == '\0');
	jwt_key_free(key);
}

/* RFC 7515 allows a payload of no bytes. */
static void
empty_payload(void)
{
	JwtKey	   *key = NULL;
	const JwtAlg *alg = find_alg("HS512");
	JwtJws		jws;
	char		out[4000];
	size_t		len = 0;

	CHECK_STATUS(jwt_key_generate(alg, 0, NULL, &key), JWT_OK);
	CHECK_STATUS(jwt_jws_sign(jwt_slice_of("{}"), jwt_slice_of(""), key, alg,
							  out, &len), JWT_OK);
	CHECK_STATUS(jwt_jws_split(slice_of_bytes(out, len), &jws), JWT_OK);
	CHECK(jws.payload.len == 0);
	CHECK_STATUS(jwt_jws_verify(&jws, key, alg), JWT_OK);
	jwt_key_free(key);
}

const Test	jws_tests[] = {
	{"jws: shape", shape},
	{"jws: RFC 7515 A.1, HS256", rfc7515_a1},
	{"jws: RFC 7515 A.2, RS256", rfc7515_a2},
	{"jws: RFC 7515 A.3, ES256", rfc7515_a3},
	{"jws: RFC 7515 A.4, ES512", rfc7515_a4},
	{"jws: RFC 8037 A.4, Ed25519", rfc8037_a4},
	{"jws: spelling of the signature", spelling_of_the_signature},
	{"jws: failure leaves no token", failure_leaves_no_token},
	{"jws: empty payload", empty_payload},
	{NULL, NULL}
};
