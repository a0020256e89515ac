/*-------------------------------------------------------------------------
 *
 * key_rsa.c
 *	  RSA keys: RFC 7518, Sec. 6.3.
 *
 * Everything here costs at most a few multiplications of the modulus' size,
 * for the key may be an adversary's: that its primes are prime is not asked.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "key_internal.h"
#include "primitive.h"

/* The members, in the order in which they are kept below. */
enum
{
	N, E, D, P, Q, DP, DQ, QI, NUM_PARTS
};

#define FIRST_PRIVATE	D
#define FIRST_CRT		P

static const struct
{
	JwtJwkMember member;
	const char *param;			/* OpenSSL's name */
}			parts[NUM_PARTS] =
{
	{JWT_JWK_N, OSSL_PKEY_PARAM_RSA_N},
	{JWT_JWK_E, OSSL_PKEY_PARAM_RSA_E},
	{JWT_JWK_D, OSSL_PKEY_PARAM_RSA_D},
	{JWT_JWK_P, OSSL_PKEY_PARAM_RSA_FACTOR1},
	{JWT_JWK_Q, OSSL_PKEY_PARAM_RSA_FACTOR2},
	{JWT_JWK_DP, OSSL_PKEY_PARAM_RSA_EXPONENT1},
	{JWT_JWK_DQ, OSSL_PKEY_PARAM_RSA_EXPONENT2},
	{JWT_JWK_QI, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}
};

/*
 * A private exponent without the primes is checked by an exponentiation,
 * and used by one that is four times slower than with them: some 15 ms at
 * this size, a second at the greatest that a modulus may have.
 */
#define MAX_BITS_WITHOUT_PRIMES 4096

#define MAX_EXPONENT_LEN 8

const char *
jwt_rsa_param_name(JwtJwkMember member)
{
	int			i;

	for (i = 0; i < NUM_PARTS; i++)
	{
		if (parts[i].member == member)
			return parts[i].param;
	}
	return NULL;
}

static bool
is_present(const JwtJwk *jwk, int part)
{
	return jwk->member[parts[part].member].data != NULL;
}

/*
 * How many of the parts the JWK has: E + 1, D + 1 or NUM_PARTS.  0 if it has
 * some of the primes' but not all: RFC 7518, Sec. 6.3.2.
 */
static int
count_parts(const JwtJwk *jwk)
{
	int			crt = 0;
	int			i;

	for (i = FIRST_CRT; i < NUM_PARTS; i++)
		crt += is_present(jwk, i) ? 1 : 0;

	if (crt == 0)
		return is_present(jwk, D) ? D + 1 : E + 1;
	if (crt == NUM_PARTS - FIRST_CRT && is_present(jwk, D))
		return NUM_PARTS;
	return 0;
}

/*
 * One part as a number.  n and e are Base64urlUInt, "the minimum number of
 * octets" (RFC 7518, Sec. 2): one spelling, one thumbprint.
 */
static JwtStatus
read_part(const JwtJwk *jwk, int part, BIGNUM **bn)
{
	unsigned char bytes[JWT_MAX_RSA_BITS / 8];
	size_t		cap = part == E ? MAX_EXPONENT_LEN : sizeof(bytes);
	size_t		len = 0;
	JwtStatus	status;

	status = jwt_jwk_decode(jwk, parts[part].member, bytes, cap, &len);
	if (status == JWT_E_KEY_TOO_LARGE && part == E)
		status = JWT_E_KEY_EXPONENT;
	if (status != JWT_OK)
		goto out;

	if (part < FIRST_PRIVATE && bytes[0] == 0)
	{
		status = JWT_E_KEY_MEMBER;
		goto out;
	}

	/* A secure one is wiped wherever libcrypto copies it to. */
	*bn = part < FIRST_PRIVATE ? BN_new() : BN_secure_new();
	if (*bn == NULL || BN_bin2bn(bytes, (int) len, *bn) == NULL)
		status = JWT_E_CRYPTO;
	else if (part >= FIRST_PRIVATE)
		BN_set_flags(*bn, BN_FLG_CONSTTIME);

out:
	jwt_wipe(bytes, len);
	return status;
}

/* RFC 7518, Sec. 3.3 asks for 2048 bits; limits are how a caller does. */
static JwtStatus
check_public(BIGNUM *const bn[NUM_PARTS], const JwtKeyLimits *limits)
{
	int			bits = BN_num_bits(bn[N]);
	int			least = JWT_MIN_RSA_BITS;

	if (limits != NULL && limits->min_rsa_bits > least)
		least = limits->min_rsa_bits;

	if (bits < least)
		return JWT_E_KEY_TOO_SMALL;
	if (bits > JWT_MAX_RSA_BITS)
		return JWT_E_KEY_TOO_LARGE;
	if (!BN_is_odd(bn[E]) || BN_is_one(bn[E]))
		return JWT_E_KEY_EXPONENT;
	if (!BN_is_odd(bn[N]))
		return JWT_E_KEY_INVALID;
	return JWT_OK;
}

/*
 * Do prime, its CRT exponent, d and e belong together?  less has room for
 * prime - 1.
 */
static bool
prime_matches(const BIGNUM *prime, const BIGNUM *crt, BIGNUM *const *bn,
			  BIGNUM *less, BIGNUM *t, BN_CTX *ctx)
{
	if (!BN_is_odd(prime) || BN_is_one(prime) ||
		BN_sub(less, prime, BN_value_one()) != 1)
		return false;

	/* e * d == 1 and crt == d, both modulo prime - 1 */
	return BN_mod_mul(t, bn[E], bn[D], less, ctx) == 1 && BN_is_one(t) &&
		BN_nnmod(t, bn[D], less, ctx) == 1 && BN_cmp(t, crt) == 0;
}

/* n == p * q, both primes match, q * qi == 1 modulo p */
static bool
primes_match(BIGNUM *const *bn, BIGNUM *t, BIGNUM *u, BN_CTX *ctx)
{
	return BN_mul(t, bn[P], bn[Q], ctx) == 1 && BN_cmp(t, bn[N]) == 0 &&
		prime_matches(bn[P], bn[DP], bn, u, t, ctx) &&
		prime_matches(bn[Q], bn[DQ], bn, u, t, ctx) &&
		BN_cmp(bn[QI], bn[P]) < 0 &&
		BN_mod_mul(t, bn[Q], bn[QI], bn[P], ctx) == 1 && BN_is_one(t);
}

/* Without primes: is 2 raised to d and to e 2 again? */
static bool
exponents_match(BIGNUM *const *bn, BIGNUM *t, BIGNUM *u, BN_CTX *ctx)
{
	return BN_set_word(u, 2) == 1 &&
		BN_mod_exp_mont_consttime(t, u, bn[D], bn[N], ctx, NULL) == 1 &&
		BN_mod_exp(t, t, bn[E], bn[N], ctx) == 1 && BN_cmp(t, u) == 0;
}

/* d below n, and all that there is of the private half in agreement. */
static JwtStatus
check_private(BIGNUM *const bn[NUM_PARTS], int count)
{
	BN_CTX	   *ctx = BN_CTX_secure_new();
	BIGNUM	   *t = BN_secure_new();
	BIGNUM	   *u = BN_secure_new();
	JwtStatus	status = JWT_E_KEY_INVALID;

	if (ctx == NULL || t == NULL || u == NULL)
		status = JWT_E_CRYPTO;
	else if (BN_is_zero(bn[D]) || BN_cmp(bn[D], bn[N]) >= 0)
		status = JWT_E_KEY_INVALID;
	else if (count < NUM_PARTS &&
			 BN_num_bits(bn[N]) > MAX_BITS_WITHOUT_PRIMES)
		status = JWT_E_KEY_TOO_LARGE;
	else if (count < NUM_PARTS ? exponents_match(bn, t, u, ctx)
			 : primes_match(bn, t, u, ctx))
		status = JWT_OK;

	BN_clear_free(u);
	BN_clear_free(t);
	BN_CTX_free(ctx);
	return status;
}

/* count is as count_parts has it. */
static EVP_PKEY *
build_pkey(BIGNUM *const bn[NUM_PARTS], int count)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY   *pkey = NULL;
	int			i;

	if (bld == NULL)
		return NULL;

	for (i = 0; i < count; i++)
	{
		if (OSSL_PARAM_BLD_push_BN(bld, parts[i].param, bn[i]) != 1)
			goto out;
	}
	pkey = jwt_pkey_build("RSA", bld, count > FIRST_PRIVATE);

out:
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

JwtStatus
jwt_key_fill_rsa(JwtKey *key, const JwtJwk *jwk, const JwtKeyLimits *limits)
{
	BIGNUM	   *bn[NUM_PARTS] = {NULL};
	int			count = count_parts(jwk);
	int			i;
	JwtStatus	status = count > 0 ? JWT_OK : JWT_E_KEY_MEMBER;

	for (i = 0; status == JWT_OK && i < count; i++)
	{
		status = read_part(jwk, i, &bn[i]);

		/* Refuse a bad public half before the private one is decoded. */
		if (status == JWT_OK && i == E)
			status = check_public(bn, limits);
	}
	if (status == JWT_OK && count > FIRST_PRIVATE)
		status = check_private(bn, count);
	if (status != JWT_OK)
		goto out;

	key->pkey = build_pkey(bn, count);
	if (key->pkey == NULL)
	{
		status = JWT_E_CRYPTO;
		goto out;
	}
	key->bits = BN_num_bits(bn[N]);
	key->is_private = count > FIRST_PRIVATE;
	key->has_primes = count == NUM_PARTS;

out:
	for (i = 0; i < NUM_PARTS; i++)
		BN_clear_free(bn[i]);
	return status;
}
