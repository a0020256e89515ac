/*-------------------------------------------------------------------------
 *
 * alg.c
 *	  The table of JWS algorithms, and nothing that computes.
 *
 * A new algorithm is a new row, and a new family only if its scheme is new.
 * Within a key type the order matters: the first row that fits a key is its
 * default, see jwt_key_default_alg.
 *
 *-------------------------------------------------------------------------
 */
#include "key_internal.h"

/*
 * min_bits: an HMAC key is no shorter than the hash (RFC 7518, Sec. 3.2); a
 * PSS encoding with a salt as long as the digest needs 2 * digest + 2 bytes
 * (RFC 8017, Sec. 9.1.1), which 1024 bits do not give SHA-512.
 */
static const JwtAlg algorithms[] = {
	{"HS256", JWT_KTY_OCT, 0, "SHA256", 32, 256, NULL, &jwt_family_hmac},
	{"HS384", JWT_KTY_OCT, 1, "SHA384", 48, 384, NULL, &jwt_family_hmac},
	{"HS512", JWT_KTY_OCT, 2, "SHA512", 64, 512, NULL, &jwt_family_hmac},

	{"RS256", JWT_KTY_RSA, 0, "SHA256", 32, 0, NULL, &jwt_family_rsa},
	{"RS384", JWT_KTY_RSA, 1, "SHA384", 48, 0, NULL, &jwt_family_rsa},
	{"RS512", JWT_KTY_RSA, 2, "SHA512", 64, 0, NULL, &jwt_family_rsa},
	{"PS256", JWT_KTY_RSA, 3, "SHA256", 32, 0, NULL, &jwt_family_pss},
	{"PS384", JWT_KTY_RSA, 4, "SHA384", 48, 0, NULL, &jwt_family_pss},
	{"PS512", JWT_KTY_RSA, 5, "SHA512", 64, 1034, NULL, &jwt_family_pss},

	{"ES256", JWT_KTY_EC, 0, "SHA256", 32, 0, "P-256", &jwt_family_ec},
	{"ES384", JWT_KTY_EC, 1, "SHA384", 48, 0, "P-384", &jwt_family_ec},
	{"ES512", JWT_KTY_EC, 2, "SHA512", 64, 0, "P-521", &jwt_family_ec},
	{"ES256K", JWT_KTY_EC, 3, "SHA256", 32, 0, "secp256k1", &jwt_family_ec},

	{"EdDSA", JWT_KTY_OKP, 0, NULL, 0, 0, NULL, &jwt_family_eddsa},
	{"Ed25519", JWT_KTY_OKP, 1, NULL, 0, 0, "Ed25519", &jwt_family_eddsa},
	{"Ed448", JWT_KTY_OKP, 2, NULL, 0, 0, "Ed448", &jwt_family_eddsa}
};

#define NUM_ALGORITHMS ((int) (sizeof(algorithms) / sizeof(algorithms[0])))

const JwtAlg *
jwt_alg_at(int index)
{
	return index >= 0 && index < NUM_ALGORITHMS ? &algorithms[index] : NULL;
}

const JwtAlg *
jwt_alg_find(JwtSlice name)
{
	int			i;

	for (i = 0; i < NUM_ALGORITHMS; i++)
	{
		if (jwt_slice_equal(name, jwt_slice_of(algorithms[i].name)))
			return &algorithms[i];
	}
	return NULL;
}

const char *
jwt_kty_name(JwtKeyType kty)
{
	static const char *const names[JWT_NUM_KEY_TYPES] = {
		"oct", "RSA", "EC", "OKP"
	};

	return names[kty];
}
