/*-------------------------------------------------------------------------
 *
 * test_signature.c
 *	  Signatures of every algorithm: ours, another implementation's, and
 *	  those that are none.
 *
 *-------------------------------------------------------------------------
 */
#include "harness.h"

/* Which of keys.txt goes with an algorithm, and under which name its vector */
static const struct
{
	const char *alg;
	const char *key;
	const char *vector;
}			pairs[] =
{
	{"HS256", "oct", "hs256"},
	{"HS384", "oct", "hs384"},
	{"HS512", "oct", "hs512"},
	{"RS256", "rsa2048", "rs256"},
	{"RS384", "rsa2048", "rs384"},
	{"RS512", "rsa2048", "rs512"},
	{"PS256", "rsa2048", "ps256.salt32"},
	{"PS384", "rsa2048", "ps384"},
	{"PS512", "rsa2048", "ps512"},
	{"ES256", "p256", "es256"},
	{"ES384", "p384", "es384"},
	{"ES512", "p521", "es512"},
	{"ES256K", "k256", "es256k"},
	{"EdDSA", "ed25519", "ed25519"},
	{"EdDSA", "ed448", "ed448"},
	{"Ed25519", "ed25519", "ed25519"},
	{"Ed448", "ed448", "ed448"}
};

#define NUM_PAIRS (sizeof(pairs) / sizeof(pairs[0]))

/* Everything that is one change away from a good signature is none. */
static void
check_neighbours(JwtKey *key, const JwtAlg *alg, JwtSlice message,
				 unsigned char *sig, size_t len)
{
	static const size_t none[] = {0, 1};
	JwtSlice	shorter = {message.data, message.len - 1};
	size_t		i;

	CHECK_STATUS(jwt_key_verify(key, alg, message, sig, len), JWT_OK);
	CHECK_STATUS(jwt_key_verify(key, alg, shorter, sig, len),
				 JWT_E_SIGNATURE);
	CHECK_STATUS(jwt_key_verify(key, alg, message, sig, len - 1),
				 JWT_E_SIGNATURE);
	sig[len] = 0;
	CHECK_STATUS(jwt_key_verify(key, alg, message, sig, len + 1),
				 JWT_E_SIGNATURE);
	for (i = 0; i < 2; i++)
		CHECK_STATUS(jwt_key_verify(key, alg, message, sig, none[i]),
					 JWT_E_SIGNATURE);
	for (i = 0; i < len; i += len / 7 + 1)
	{
		sig[i] ^= 0x10;
		CHECK_STATUS(jwt_key_verify(key, alg, message, sig, len),
					 JWT_E_SIGNATURE);
		sig[i] ^= 0x10;
	}
	CHECK_STATUS(jwt_key_verify(key, alg, message, sig, len), JWT_OK);
}

static void
every_algorithm(void)
{
	Vectors		keys;
	Vectors		vectors;
	unsigned char sig[JWT_MAX_SIGNATURE_LEN + 1];
	unsigned char message[100];
	JwtSlice	input;
	size_t		len;
	size_t		i;

	vectors_load(&keys, "keys.txt");
	vectors_load(&vectors, "signatures.txt");
	len = vectors_get_bytes(&vectors, "message", message, sizeof(message));
	input = slice_of_bytes(message, len);
	for (i = 0; i < NUM_PAIRS; i++)
	{
		const JwtAlg *alg = find_alg(pairs[i].alg);
		JwtJwk		jwk = vectors_jwk(&keys, pairs[i].key);
		JwtKey	   *key = make_key(&jwk);

		if (key == NULL)
			continue;
		len = vectors_get_bytes(&vectors, pairs[i].vector, sig, sizeof(sig));
		check_neighbours(key, alg, input, sig, len);

		/* Twice, because contexts are kept. */
		CHECK_STATUS(jwt_key_sign(key, alg, input, sig, &len), JWT_OK);
		check_neighbours(key, alg, input, sig, len);
		CHECK_STATUS(jwt_key_sign(key, alg, input, sig, &len), JWT_OK);
		check_neighbours(key, alg, input, sig, len);
		jwt_key_free(key);
	}
}

/* Signatures over the message that only a lax verifier takes */
static void
lax_signatures(void)
{
	static const char *const pss[] = {
		"ps256.salt20", "ps256.salt0", "ps256.mgf1sha1", "rs256", "ps384"
	};
	static const char *const ecdsa[] = {
		"es256.der", "es256.r0", "es256.s0", "es256.zero", "es256.rn",
		"es256.sn", "es256k"
	};
	Vectors		keys;
	Vectors		vectors;
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	unsigned char message[100];
	JwtSlice	input;
	JwtJwk		jwk;
	JwtKey	   *key;
	size_t		len;
	size_t		i;

	vectors_load(&keys, "keys.txt");
	vectors_load(&vectors, "signatures.txt");
	len = vectors_get_bytes(&vectors, "message", message, sizeof(message));
	input = slice_of_bytes(message, len);

	jwk = jwk_public_part(vectors_jwk(&keys, "rsa2048"));
	key = make_key(&jwk);
	for (i = 0; i < sizeof(pss) / sizeof(pss[0]); i++)
	{
		len = vectors_get_bytes(&vectors, pss[i], sig, sizeof(sig));
		CHECK_STATUS(jwt_key_verify(key, find_alg("PS256"), input, sig, len),
					 JWT_E_SIGNATURE);
	}
	len = vectors_get_bytes(&vectors, "ps256.salt32", sig, sizeof(sig));
	CHECK_STATUS(jwt_key_verify(key, find_alg("RS256"), input, sig, len),
				 JWT_E_SIGNATURE);
	CHECK_STATUS(jwt_key_verify(key, find_alg("PS256"), input, sig, len),
				 JWT_OK);
	jwt_key_free(key);

	jwk = jwk_public_part(vectors_jwk(&keys, "p256"));
	key = make_key(&jwk);
	for (i = 0; i < sizeof(ecdsa) / sizeof(ecdsa[0]); i++)
	{
		len = vectors_get_bytes(&vectors, ecdsa[i], sig, sizeof(sig));
		CHECK_STATUS(jwt_key_verify(key, find_alg("ES256"), input, sig, len),
					 JWT_E_SIGNATURE);
	}
	len = vectors_get_bytes(&vectors, "es256", sig, sizeof(sig));
	CHECK_STATUS(jwt_key_verify(key, find_alg("ES256"), input, sig, len),
				 JWT_OK);
	jwt_key_free(key);
}

/* What jwt_key_permits refuses is not tried. */
static void
permission_comes_first(void)
{
	Vectors		keys;
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	JwtSlice	input = jwt_slice_of("message");
	JwtJwk		jwk;
	JwtJwk		public_jwk;
	JwtKey	   *key;
	size_t		len = 1;

	vectors_load(&keys, "keys.txt");
	jwk = vectors_jwk(&keys, "p256");
	public_jwk = jwk_public_part(jwk);
	key = make_key(&public_jwk);
	memset(sig, 1, sizeof(sig));
	CHECK_STATUS(jwt_key_sign(key, find_alg("ES256"), input, sig, &len),
				 JWT_E_KEY_NOT_PRIVATE);
	CHECK(len == 0 && sig[0] == 0 && sig[sizeof(sig) - 1] == 0);
	CHECK_STATUS(jwt_key_sign(key, find_alg("ES384"), input, sig, &len),
				 JWT_E_ALGORITHM);
	CHECK_STATUS(jwt_key_verify(key, find_alg("HS256"), input, sig, 32),
				 JWT_E_ALGORITHM);
	CHECK_STATUS(jwt_key_verify(key, NULL, input, sig, 32), JWT_E_ALGORITHM);
	jwt_key_free(key);

	jwk.has_key_ops = true;
	jwk.key_ops = JWT_OP_SIGN;
	key = make_key(&jwk);
	CHECK_STATUS(jwt_key_sign(key, find_alg("ES256"), input, sig, &len),
				 JWT_OK);
	CHECK_STATUS(jwt_key_verify(key, find_alg("ES256"), input, sig, len),
				 JWT_E_KEY_USE);
	jwt_key_free(key);
}

/* One key, every algorithm that it has, in turn */
static void
algorithms_share_a_key(void)
{
	Vectors		keys;
	unsigned char sig[JWT_MAX_SIGNATURE_LEN + 1];
	JwtSlice	input = jwt_slice_of("message");
	JwtJwk		jwk;
	JwtKey	   *key;
	size_t		len;
	int			round;
	size_t		i;

	vectors_load(&keys, "keys.txt");
	jwk = vectors_jwk(&keys, "rsa2048");
	key = make_key(&jwk);
	for (round = 0; key != NULL && round < 3; round++)
	{
		for (i = 3; i < 9; i++)
		{
			const JwtAlg *alg = find_alg(pairs[i].alg);
			const JwtAlg *next = find_alg(pairs[i == 8 ? 3 : i + 1].alg);

			CHECK_STATUS(jwt_key_sign(key, alg, input, sig, &len), JWT_OK);
			CHECK_STATUS(jwt_key_verify(key, next, input, sig, len),
						 JWT_E_SIGNATURE);
			CHECK_STATUS(jwt_key_verify(key, alg, input, sig, len), JWT_OK);
		}
	}
	jwt_key_free(key);
}

/* A private exponent alone signs as well. */
static void
rsa_without_primes_signs(void)
{
	Vectors		keys;
	unsigned char sig[JWT_MAX_SIGNATURE_LEN + 1];
	JwtSlice	input = jwt_slice_of("message");
	JwtJwk		jwk;
	JwtJwk		bare;
	JwtKey	   *key;
	size_t		len = 0;

	vectors_load(&keys, "keys.txt");
	jwk = vectors_jwk(&keys, "rsa2048");
	bare = jwk_public_part(jwk);
	bare.member[JWT_JWK_D] = jwk.member[JWT_JWK_D];
	key = make_key(&bare);
	CHECK_STATUS(jwt_key_sign(key, find_alg("PS256"), input, sig, &len),
				 JWT_OK);
	check_neighbours(key, find_alg("PS256"), input, sig, len);
	jwt_key_free(key);
}

const Test	signature_tests[] = {
	{"signature: every algorithm", every_algorithm},
	{"signature: lax signatures", lax_signatures},
	{"signature: permission comes first", permission_comes_first},
	{"signature: algorithms share a key", algorithms_share_a_key},
	{"signature: RSA key without primes", rsa_without_primes_signs},
	{NULL, NULL}
};
