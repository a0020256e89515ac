/*-------------------------------------------------------------------------
 *
 * test_key.c
 *	  JWK to key: what is accepted, what is refused, and as what.
 *
 * Each refused key differs in one member from one that is accepted.
 *
 *-------------------------------------------------------------------------
 */
#include "base64url.h"
#include "harness.h"

/* What becomes of jwk if one member is text, or absent if that is NULL. */
static JwtStatus
with(JwtJwk jwk, JwtJwkMember member, const char *text)
{
	JwtKey	   *key = NULL;
	JwtStatus	status;

	jwk.member[member] = slice_of_bytes(text, text ? strlen(text) : 0);
	status = jwt_key_from_jwk(&jwk, &default_limits, &key);
	CHECK((key != NULL) == (status == JWT_OK));
	jwt_key_free(key);
	return status;
}

/* The same with one member taken from another key. */
static JwtStatus
with_others(JwtJwk jwk, JwtJwkMember member, JwtJwk other)
{
	JwtKey	   *key = NULL;
	JwtStatus	status;

	jwk.member[member] = other.member[member];
	status = jwt_key_from_jwk(&jwk, &default_limits, &key);
	jwt_key_free(key);
	return status;
}

static JwtStatus
with_ops(JwtJwk jwk, unsigned ops)
{
	JwtKey	   *key = NULL;
	JwtStatus	status;

	jwk.has_key_ops = true;
	jwk.key_ops = ops;
	status = jwt_key_from_jwk(&jwk, &default_limits, &key);
	jwt_key_free(key);
	return status;
}

static void
every_kind_is_accepted(void)
{
	static const int bits[] = {2048, 256, 384, 521, 256, 256, 456};
	Vectors		vectors;
	size_t		i;

	vectors_load(&vectors, "keys.txt");
	for (i = 0; i < NUM_KEY_NAMES; i++)
	{
		JwtJwk		jwk = vectors_jwk(&vectors, key_names[i]);
		JwtJwk		public_jwk = jwk_public_part(jwk);
		JwtKey	   *key = make_key(&jwk);
		JwtKey	   *public_key = make_key(&public_jwk);
		const char *kty;

		if (CHECK(key != NULL && public_key != NULL))
		{
			CHECK(jwt_key_is_private(key) && !jwt_key_is_private(public_key));
			CHECK(jwt_key_bits(key) == bits[i]);
			CHECK(jwt_key_alg(key) == NULL);
			kty = jwt_kty_name(jwt_key_type(key));
			CHECK(jwt_slice_equal(jwt_slice_of(kty), jwk.member[JWT_JWK_KTY]));
			if (jwk.member[JWT_JWK_CRV].data != NULL)
				CHECK(jwt_slice_equal(jwt_slice_of(jwt_key_crv(key)),
									  jwk.member[JWT_JWK_CRV]));
			else
				CHECK(jwt_key_crv(key) == NULL);
		}
		jwt_key_free(key);
		jwt_key_free(public_key);
	}
	jwt_key_free(NULL);
}

static void
type_and_curve(void)
{
	Vectors		vectors;
	JwtJwk		ec;
	JwtJwk		okp;
	char		k[100];

	vectors_load(&vectors, "keys.txt");
	ec = vectors_jwk(&vectors, "p256");
	okp = vectors_jwk(&vectors, "ed25519");

	CHECK_STATUS(with(ec, JWT_JWK_KTY, "EC"), JWT_OK);
	CHECK_STATUS(with(ec, JWT_JWK_KTY, NULL), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(ec, JWT_JWK_KTY, "ec"), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(ec, JWT_JWK_KTY, "OKP"), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(ec, JWT_JWK_CRV, NULL), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(ec, JWT_JWK_CRV, "P-224"), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(ec, JWT_JWK_CRV, "p-256"), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(okp, JWT_JWK_CRV, "X25519"), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(okp, JWT_JWK_CRV, "X448"), JWT_E_KEY_TYPE);
	CHECK_STATUS(with(oct_jwk(32, k), JWT_JWK_CRV, "P-256"), JWT_OK);
}

static void
own_algorithm(void)
{
	Vectors		vectors;
	JwtJwk		ec;
	JwtJwk		okp;
	JwtJwk		rsa;
	char		k[100];

	vectors_load(&vectors, "keys.txt");
	ec = vectors_jwk(&vectors, "p256");
	okp = vectors_jwk(&vectors, "ed25519");
	rsa = vectors_jwk(&vectors, "rsa2048");

	CHECK_STATUS(with(ec, JWT_JWK_ALG, "ES256"), JWT_OK);
	CHECK_STATUS(with(ec, JWT_JWK_ALG, "ES384"), JWT_E_KEY_ALG);
	CHECK_STATUS(with(ec, JWT_JWK_ALG, "ES256K"), JWT_E_KEY_ALG);
	CHECK_STATUS(with(ec, JWT_JWK_ALG, "none"), JWT_E_KEY_ALG);
	CHECK_STATUS(with(ec, JWT_JWK_ALG, ""), JWT_E_KEY_ALG);
	CHECK_STATUS(with(okp, JWT_JWK_ALG, "EdDSA"), JWT_OK);
	CHECK_STATUS(with(okp, JWT_JWK_ALG, "Ed25519"), JWT_OK);
	CHECK_STATUS(with(okp, JWT_JWK_ALG, "Ed448"), JWT_E_KEY_ALG);
	CHECK_STATUS(with(rsa, JWT_JWK_ALG, "PS512"), JWT_OK);
	CHECK_STATUS(with(rsa, JWT_JWK_ALG, "RSA-OAEP"), JWT_E_KEY_ALG);
	CHECK_STATUS(with(rsa, JWT_JWK_ALG, "HS256"), JWT_E_KEY_ALG);
	CHECK_STATUS(with(oct_jwk(32, k), JWT_JWK_ALG, "HS256"), JWT_OK);
	CHECK_STATUS(with(oct_jwk(32, k), JWT_JWK_ALG, "RS256"), JWT_E_KEY_ALG);
}

static void
use_and_key_ops(void)
{
	char		k[100];
	JwtJwk		jwk = oct_jwk(32, k);

	CHECK_STATUS(with(jwk, JWT_JWK_USE, "sig"), JWT_OK);
	CHECK_STATUS(with(jwk, JWT_JWK_USE, "enc"), JWT_E_KEY_USE);
	CHECK_STATUS(with(jwk, JWT_JWK_USE, ""), JWT_E_KEY_USE);
	CHECK_STATUS(with_ops(jwk, JWT_OP_SIGN), JWT_OK);
	CHECK_STATUS(with_ops(jwk, JWT_OP_VERIFY | JWT_OP_OTHER), JWT_OK);
	CHECK_STATUS(with_ops(jwk, JWT_OP_OTHER), JWT_E_KEY_USE);
	CHECK_STATUS(with_ops(jwk, 0), JWT_E_KEY_USE);
}

static void
oct_sizes(void)
{
	char		k[JWT_JWK_MEMBER_MAX + 3];

	CHECK_STATUS(with(oct_jwk(1, k), JWT_JWK_USE, NULL), JWT_OK);
	CHECK_STATUS(with(oct_jwk(1, k), JWT_JWK_K, ""), JWT_E_SECRET_TOO_SMALL);
	CHECK_STATUS(with(oct_jwk(1, k), JWT_JWK_K, NULL), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(oct_jwk(1, k), JWT_JWK_K, "Zh"), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(oct_jwk(1, k), JWT_JWK_K, "Zg=="), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(oct_jwk(31, k), JWT_JWK_ALG, NULL), JWT_OK);
	CHECK_STATUS(with(oct_jwk(31, k), JWT_JWK_ALG, "HS256"),
				 JWT_E_SECRET_TOO_SMALL);
	CHECK_STATUS(with(oct_jwk(63, k), JWT_JWK_ALG, "HS384"), JWT_OK);
	CHECK_STATUS(with(oct_jwk(63, k), JWT_JWK_ALG, "HS512"),
				 JWT_E_SECRET_TOO_SMALL);
	CHECK_STATUS(with(oct_jwk(64, k), JWT_JWK_ALG, "HS512"), JWT_OK);
	CHECK_STATUS(with(oct_jwk(JWT_MAX_SECRET_LEN, k), JWT_JWK_USE, NULL),
				 JWT_OK);
	CHECK_STATUS(with(oct_jwk(JWT_MAX_SECRET_LEN + 1, k), JWT_JWK_USE, NULL),
				 JWT_E_KEY_TOO_LARGE);
}

static void
rsa_sizes(void)
{
	Vectors		vectors;
	JwtJwk		small;
	JwtJwk		jwk;
	JwtKeyLimits limits = {1024};
	JwtKey	   *key = NULL;
	char		n[2800];

	vectors_load(&vectors, "keys.txt");
	small = vectors_jwk(&vectors, "rsa1024");
	CHECK_STATUS(jwt_key_from_jwk(&small, &limits, &key), JWT_OK);
	CHECK_STATUS(jwt_key_permits(key, find_alg("PS384"), JWT_OP_SIGN),
				 JWT_OK);
	CHECK_STATUS(jwt_key_permits(key, find_alg("PS512"), JWT_OP_SIGN),
				 JWT_E_KEY_TOO_SMALL);
	jwt_key_free(key);

	limits.min_rsa_bits = 1025;
	CHECK_STATUS(jwt_key_from_jwk(&small, &limits, &key),
				 JWT_E_KEY_TOO_SMALL);

	/* Nobody may ask for less than 1024: "_____w" is 32 bits. */
	limits.min_rsa_bits = 0;
	small = jwk_public_part(small);
	CHECK_STATUS(jwt_key_from_jwk(&small, &limits, &key), JWT_OK);
	jwt_key_free(key);
	small.member[JWT_JWK_N] = jwt_slice_of("_____w");
	CHECK_STATUS(jwt_key_from_jwk(&small, &limits, &key),
				 JWT_E_KEY_TOO_SMALL);

	/* 2048 bytes of ones, an odd number, and then one byte more */
	jwk = jwk_public_part(vectors_jwk(&vectors, "rsa2048"));
	memset(n, '_', sizeof(n));
	n[2730] = '8';
	n[2731] = '\0';
	CHECK_STATUS(with(jwk, JWT_JWK_N, n), JWT_OK);
	n[2730] = '_';
	n[2732] = '\0';
	n[2731] = '_';
	CHECK_STATUS(with(jwk, JWT_JWK_N, n), JWT_E_KEY_TOO_LARGE);
}

static void
rsa_public_members(void)
{
	Vectors		vectors;
	JwtJwk		jwk;
	char		n[400];
	unsigned char bytes[257];
	size_t		len = 0;

	vectors_load(&vectors, "keys.txt");
	jwk = jwk_public_part(vectors_jwk(&vectors, "rsa2048"));
	CHECK_STATUS(with(jwk, JWT_JWK_E, "AQAB"), JWT_OK);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "Aw"), JWT_OK);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "__________8"), JWT_OK);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "AQAAAAAAAAAB"), JWT_E_KEY_EXPONENT);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "AQ"), JWT_E_KEY_EXPONENT);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "Ag"), JWT_E_KEY_EXPONENT);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "AQAA"), JWT_E_KEY_EXPONENT);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "AAEAAQ"), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "AQAB="), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(jwk, JWT_JWK_E, ""), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(jwk, JWT_JWK_E, NULL), JWT_E_KEY_MEMBER);
	CHECK_STATUS(with(jwk, JWT_JWK_N, NULL), JWT_E_KEY_MEMBER);

	/* n with a zero in front, and n even */
	CHECK_STATUS(jwt_base64url_decode(jwk.member[JWT_JWK_N], bytes + 1, 256,
									  &len), JWT_OK);
	bytes[0] = 0;
	n[jwt_base64url_encode(bytes, 257, n)] = '\0';
	CHECK_STATUS(with(jwk, JWT_JWK_N, n), JWT_E_KEY_MEMBER);
	bytes[256] ^= 1;
	n[jwt_base64url_encode(bytes + 1, 256, n)] = '\0';
	CHECK_STATUS(with(jwk, JWT_JWK_N, n), JWT_E_KEY_INVALID);
	bytes[256] ^= 1;
	n[jwt_base64url_encode(bytes + 1, 256, n)] = '\0';
	CHECK_STATUS(with(jwk, JWT_JWK_N, n), JWT_OK);
}

/* RFC 7518, Sec. 6.3.2: all of p, q, dp, dq, qi, or none, and never oth. */
static void
rsa_private_members(void)
{
	Vectors		vectors;
	JwtJwk		jwk;
	JwtJwk		other;
	JwtJwk		bare;
	JwtKey	   *key = NULL;
	int			i;

	vectors_load(&vectors, "keys.txt");
	jwk = vectors_jwk(&vectors, "rsa2048");
	other = vectors_jwk(&vectors, "rsa2048b");
	bare = jwk_public_part(jwk);
	bare.member[JWT_JWK_D] = jwk.member[JWT_JWK_D];

	CHECK_STATUS(with(bare, JWT_JWK_USE, NULL), JWT_OK);
	CHECK_STATUS(with_others(bare, JWT_JWK_D, other), JWT_E_KEY_INVALID);
	CHECK_STATUS(with(bare, JWT_JWK_D, "AA"), JWT_E_KEY_INVALID);
	CHECK_STATUS(with_others(jwk, JWT_JWK_N, other), JWT_E_KEY_INVALID);
	CHECK_STATUS(with(jwk, JWT_JWK_E, "Aw"), JWT_E_KEY_INVALID);
	CHECK_STATUS(with(jwk, JWT_JWK_D, NULL), JWT_E_KEY_MEMBER);
	for (i = JWT_JWK_P; i <= JWT_JWK_QI; i++)
	{
		CHECK_STATUS(with(jwk, (JwtJwkMember) i, NULL), JWT_E_KEY_MEMBER);
		CHECK_STATUS(with(jwk, (JwtJwkMember) i, ""), JWT_E_KEY_MEMBER);
		CHECK_STATUS(with(jwk, (JwtJwkMember) i, "AQ"), JWT_E_KEY_INVALID);
		CHECK_STATUS(with(jwk, (JwtJwkMember) i, "AA"), JWT_E_KEY_INVALID);
		CHECK_STATUS(with_others(jwk, (JwtJwkMember) i, other),
					 JWT_E_KEY_INVALID);
		CHECK_STATUS(with_others(jwk, (JwtJwkMember) i, jwk), JWT_OK);
	}

	jwk.has_oth = true;
	CHECK_STATUS(jwt_key_from_jwk(&jwk, &default_limits, &key),
				 JWT_E_KEY_TYPE);
}

/*
 * Without primes a private exponent is raised to, which is too dear for a
 * modulus of any size.  The numbers are odd, and otherwise no key.
 */
static void
private_exponents_of_any_size(void)
{
	char		text[700];
	JwtJwk		jwk;

	memset(text, 'x', sizeof(text));
	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("RSA");
	jwk.member[JWT_JWK_E] = jwt_slice_of("AQAB");
	jwk.member[JWT_JWK_D] = jwt_slice_of("Aw");

	/* 'x' is 49: its last bit is set, and so is the last of a group. */
	jwk.member[JWT_JWK_N] = slice_of_bytes(text, 680);
	CHECK_STATUS(with(jwk, JWT_JWK_USE, NULL), JWT_E_KEY_INVALID);
	jwk.member[JWT_JWK_N] = slice_of_bytes(text, 684);
	CHECK_STATUS(with(jwk, JWT_JWK_USE, NULL), JWT_E_KEY_TOO_LARGE);
	jwk.member[JWT_JWK_D].data = NULL;
	CHECK_STATUS(with(jwk, JWT_JWK_USE, NULL), JWT_OK);
}

/* One byte added in front, one taken away, one changed. */
static void
check_coordinate(JwtJwk jwk, JwtJwkMember member)
{
	unsigned char bytes[80] = {0};
	char		text[120];
	size_t		len = 0;

	CHECK_STATUS(jwt_base64url_decode(jwk.member[member], bytes + 1, 79, &len),
				 JWT_OK);
	text[jwt_base64url_encode(bytes, len + 1, text)] = '\0';
	CHECK_STATUS(with(jwk, member, text), JWT_E_KEY_MEMBER);
	text[jwt_base64url_encode(bytes + 2, len - 1, text)] = '\0';
	CHECK_STATUS(with(jwk, member, text), JWT_E_KEY_MEMBER);

	bytes[len] ^= 1;
	text[jwt_base64url_encode(bytes + 1, len, text)] = '\0';
	CHECK_STATUS(with(jwk, member, text), JWT_E_KEY_INVALID);
	bytes[len] ^= 1;
	text[jwt_base64url_encode(bytes + 1, len, text)] = '\0';
	CHECK_STATUS(with(jwk, member, text), JWT_OK);
}

static void
curve_members(void)
{
	Vectors		vectors;
	size_t		i;

	vectors_load(&vectors, "keys.txt");
	for (i = 1; i < NUM_KEY_NAMES; i++)
	{
		JwtJwk		jwk = vectors_jwk(&vectors, key_names[i]);

		CHECK_STATUS(with(jwk, JWT_JWK_X, NULL), JWT_E_KEY_MEMBER);
		CHECK_STATUS(with(jwk, JWT_JWK_X, "AQAB"), JWT_E_KEY_MEMBER);
		CHECK_STATUS(with(jwk, JWT_JWK_D, ""), JWT_E_KEY_MEMBER);
		check_coordinate(jwk, JWT_JWK_X);
		check_coordinate(jwk, JWT_JWK_D);
		if (jwk.member[JWT_JWK_Y].data != NULL)
		{
			CHECK_STATUS(with(jwk, JWT_JWK_Y, NULL), JWT_E_KEY_MEMBER);
			check_coordinate(jwk, JWT_JWK_Y);
			check_coordinate(jwk_public_part(jwk), JWT_JWK_Y);
		}
	}
}

/* d is 0, is the order, is above it: SEC 1, Sec. 3.2.1 */
static void
ec_private_range(void)
{
	static const char zero[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static const char order[] = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
	static const char ones[] = "__________________________________________8";
	Vectors		vectors;
	JwtJwk		jwk;

	vectors_load(&vectors, "keys.txt");
	jwk = vectors_jwk(&vectors, "p256");
	CHECK_STATUS(with(jwk, JWT_JWK_D, zero), JWT_E_KEY_INVALID);
	CHECK_STATUS(with(jwk, JWT_JWK_D, order), JWT_E_KEY_INVALID);
	CHECK_STATUS(with(jwk, JWT_JWK_D, ones), JWT_E_KEY_INVALID);

	/* (0, 0), and coordinates out of the field */
	jwk = jwk_public_part(jwk);
	CHECK_STATUS(with(jwk, JWT_JWK_X, ones), JWT_E_KEY_INVALID);
	CHECK_STATUS(with(jwk, JWT_JWK_Y, ones), JWT_E_KEY_INVALID);
	jwk.member[JWT_JWK_Y] = jwt_slice_of(zero);
	CHECK_STATUS(with(jwk, JWT_JWK_X, zero), JWT_E_KEY_INVALID);
}

const Test	key_tests[] = {
	{"key: every kind is accepted", every_kind_is_accepted},
	{"key: type and curve", type_and_curve},
	{"key: own algorithm", own_algorithm},
	{"key: use and key_ops", use_and_key_ops},
	{"key: sizes of secrets", oct_sizes},
	{"key: sizes of RSA", rsa_sizes},
	{"key: public members of RSA", rsa_public_members},
	{"key: private members of RSA", rsa_private_members},
	{"key: private exponents of any size", private_exponents_of_any_size},
	{"key: members of EC and OKP", curve_members},
	{"key: range of EC", ec_private_range},
	{NULL, NULL}
};
