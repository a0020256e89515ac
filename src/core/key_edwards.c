/*-------------------------------------------------------------------------
 *
 * key_edwards.c
 *	  Is it a public key of EdDSA?  RFC 8032, Sec. 5.1.3 and 5.2.3.
 *
 * libcrypto takes any octets of the right length for a key, looks at them
 * when it verifies, and never asks for the order of the point.  Under a point
 * of small order everybody can sign: with the identity for a key, R = identity
 * and S = 0 are a signature of any message.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/bn.h>

#include "key_internal.h"

/*
 * A curve a * x^2 + y^2 = 1 + d * x^2 * y^2 modulo p, a being 1 or -1 and d no
 * square: RFC 8032, Sec. 5.1 and 5.2.
 */
typedef struct Edwards
{
	const char *crv;
	const char *p;
	const char *d;
	bool		a_is_minus_one;
} Edwards;

static const Edwards edwards[] = {
	/* 2^255 - 19, and -121665/121666 */
	{"Ed25519",
		"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
		"52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3",
	true},
	/* 2^448 - 2^224 - 1, and -39081 */
	{"Ed448",
		"fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
		"ffffffffffffffffffffffffffffffffffffffffffffffffffff6756",
	false}
};

#define NUM_EDWARDS (sizeof(edwards) / sizeof(edwards[0]))

/* Longest JwtCurve.len of these. */
#define MAX_LEN 57

static const Edwards *
find_edwards(const JwtCurve *curve)
{
	size_t		i;

	for (i = 0; i < NUM_EDWARDS; i++)
	{
		if (strcmp(edwards[i].crv, curve->crv) == 0)
			return &edwards[i];
	}
	return NULL;
}

/*
 * y as the octets have it, least significant first; the highest bit is not
 * its own but x's lowest.
 */
static bool
read_y(const JwtCurve *curve, const unsigned char *octets, BIGNUM *y)
{
	unsigned char copy[MAX_LEN];

	memcpy(copy, octets, curve->len);
	copy[curve->len - 1] &= 0x7f;
	return BN_lebin2bn(copy, (int) curve->len, y) != NULL;
}

/*
 * Is there a point with that y, and is its order large?  The curve says
 *
 *		x^2 = (y^2 - 1) / (d * y^2 - a)
 *
 * where the divisor is never 0, as d is no square and a is one.  The fraction
 * is a square, and x exists, if the product of its parts is one: BN_kronecker
 * answers 1.  It answers 0 for y = 1 and y = -1, of order 1 and 2, whose x is
 * 0.  The points with y = 0 have order 4.  Ed25519 has others of order 8, the
 * double of which has y = 0: y^2 + x^2 = 0 there, and with the curve's own
 * equation d * y^4 + 2 * y^2 - 1 = 0.  The cofactor of Ed448 is 4.
 */
static JwtStatus
check_y(const Edwards *e, const BIGNUM *y, BN_CTX *ctx)
{
	BIGNUM	   *p = BN_CTX_get(ctx);
	BIGNUM	   *d = BN_CTX_get(ctx);
	BIGNUM	   *y2 = BN_CTX_get(ctx);
	BIGNUM	   *dy2 = BN_CTX_get(ctx);
	BIGNUM	   *u = BN_CTX_get(ctx);
	BIGNUM	   *v = BN_CTX_get(ctx);
	BIGNUM	   *t = BN_CTX_get(ctx);

	if (p == NULL || d == NULL || y2 == NULL || dy2 == NULL || u == NULL ||
		v == NULL || t == NULL ||
		BN_hex2bn(&p, e->p) == 0 || BN_hex2bn(&d, e->d) == 0)
		return JWT_E_CRYPTO;

	/*
	 * One key has one spelling: "If the resulting value is >= p, decoding
	 * fails."
	 */
	if (BN_cmp(y, p) >= 0 || BN_is_zero(y))
		return JWT_E_KEY_INVALID;

	if (BN_mod_sqr(y2, y, p, ctx) != 1 ||
		BN_mod_mul(dy2, d, y2, p, ctx) != 1 ||
		BN_mod_sub_quick(u, y2, BN_value_one(), p) != 1 ||
		(e->a_is_minus_one
		 ? BN_mod_add_quick(v, dy2, BN_value_one(), p)
		 : BN_mod_sub_quick(v, dy2, BN_value_one(), p)) != 1 ||
		BN_mod_mul(t, u, v, p, ctx) != 1)
		return JWT_E_CRYPTO;
	if (BN_kronecker(t, p, ctx) != 1)
		return JWT_E_KEY_INVALID;

	/* (d * y^2) * y^2 + y^2 + (y^2 - 1) */
	if (BN_mod_mul(t, dy2, y2, p, ctx) != 1 ||
		BN_mod_add_quick(t, t, y2, p) != 1 ||
		BN_mod_add_quick(t, t, u, p) != 1)
		return JWT_E_CRYPTO;
	return e->a_is_minus_one && BN_is_zero(t) ? JWT_E_KEY_INVALID : JWT_OK;
}

JwtStatus
jwt_edwards_check(const JwtCurve *curve, const unsigned char *octets)
{
	const Edwards *e = find_edwards(curve);
	BN_CTX	   *ctx = BN_CTX_new();
	BIGNUM	   *y = BN_new();
	JwtStatus	status = JWT_E_CRYPTO;

	if (e != NULL && ctx != NULL && y != NULL && read_y(curve, octets, y))
	{
		BN_CTX_start(ctx);
		status = check_y(e, y, ctx);
		BN_CTX_end(ctx);
	}
	BN_free(y);
	BN_CTX_free(ctx);
	return status;
}
