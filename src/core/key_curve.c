/*-------------------------------------------------------------------------
 *
 * key_curve.c
 *	  Keys on curves: EC, RFC 7518, Sec. 6.2, and OKP, RFC 8037, Sec. 2.
 *
 * The table of curves lives here.  X25519 and X448 are not in it: they agree
 * on keys and sign nothing.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include "key_internal.h"
#include "primitive.h"

static const JwtCurve curves[] = {
	{"P-256", JWT_KTY_EC, "EC", "prime256v1",
	NID_X9_62_prime256v1, 256, 32},
	{"P-384", JWT_KTY_EC, "EC", "secp384r1", NID_secp384r1, 384, 48},
	{"P-521", JWT_KTY_EC, "EC", "secp521r1", NID_secp521r1, 521, 66},
	{"secp256k1", JWT_KTY_EC, "EC", "secp256k1", NID_secp256k1, 256, 32},
	{"Ed25519", JWT_KTY_OKP, "ED25519", NULL, NID_undef, 256, 32},
	{"Ed448", JWT_KTY_OKP, "ED448", NULL, NID_undef, 456, 57}
};

#define NUM_CURVES (sizeof(curves) / sizeof(curves[0]))

/* Longest JwtCurve.len. */
#define MAX_LEN 66

const JwtCurve *
jwt_curve_find(JwtKeyType kty, JwtSlice crv)
{
	size_t		i;

	if (crv.data == NULL)
		return NULL;

	for (i = 0; i < NUM_CURVES; i++)
	{
		if (curves[i].kty == kty &&
			jwt_slice_equal(crv, jwt_slice_of(curves[i].crv)))
			return &curves[i];
	}
	return NULL;
}

/*
 * Does the key spell out its curve?  A provider that has no such parameter
 * knows curves by name only; one that has it and cannot say is not trusted.
 */
static bool
has_explicit_curve(EVP_PKEY *pkey)
{
	static const char param[] = OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS;
	int			is_explicit = 0;

	return OSSL_PARAM_locate_const(EVP_PKEY_gettable_params(pkey),
								   param) != NULL &&
		(EVP_PKEY_get_int_param(pkey, param, &is_explicit) != 1 ||
		 is_explicit != 0);
}

/*
 * The curve of a key that libcrypto decoded; NULL if there is none in the
 * table, or if the key spells out a curve instead of naming it.  Such
 * parameters let an adversary choose a generator to his taste.
 */
const JwtCurve *
jwt_curve_of_pkey(EVP_PKEY *pkey)
{
	char		group[64] = "";
	size_t		i;

	/* The name is what libcrypto makes of the OID, the table's "group". */
	if (EVP_PKEY_is_a(pkey, "EC") &&
		(EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
		 has_explicit_curve(pkey)))
		return NULL;

	for (i = 0; i < NUM_CURVES; i++)
	{
		if (EVP_PKEY_is_a(pkey, curves[i].type) &&
			(curves[i].group == NULL || strcmp(curves[i].group, group) == 0))
			return &curves[i];
	}
	return NULL;
}

/*
 * A member whose length is the curve's to the byte: "The length of this
 * octet string MUST be the full size of a coordinate", RFC 7518, Sec.
 * 6.2.1.2.
 */
static JwtStatus
read_exact(const JwtJwk *jwk, JwtJwkMember member, unsigned char *buf,
		   size_t want)
{
	size_t		len = 0;

	if (jwt_jwk_decode(jwk, member, buf, want, &len) != JWT_OK ||
		len != want)
	{
		jwt_wipe(buf, want);
		return JWT_E_KEY_MEMBER;
	}
	return JWT_OK;
}

/*
 * point is 04 || x || y: SEC 1, Sec. 2.3.3.  d may be NULL.  libcrypto takes
 * no point that is off the curve, nor a coordinate out of the field.
 */
static EVP_PKEY *
build_ec(const JwtCurve *curve, const unsigned char *point, const BIGNUM *d)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY   *pkey = NULL;

	if (bld != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
										curve->group, 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
										 point, 1 + 2 * curve->len) == 1 &&
		(d == NULL ||
		 OSSL_PARAM_BLD_push_BN_pad(bld, OSSL_PKEY_PARAM_PRIV_KEY, d,
									curve->len) == 1))
		pkey = jwt_pkey_build(curve->type, bld, d != NULL);

	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

/* Why was there no key?  Some builds of libcrypto leave curves out. */
static JwtStatus
explain_no_ec(const JwtCurve *curve)
{
	EC_GROUP   *group = EC_GROUP_new_by_curve_name(curve->nid);

	if (group == NULL)
		return JWT_E_UNSUPPORTED;

	EC_GROUP_free(group);
	return JWT_E_KEY_INVALID;
}

/* Is d in [1, n-1], and d * G the point? */
static bool
halves_match(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool		match;

	match = ctx != NULL && EVP_PKEY_private_check(ctx) == 1 &&
		EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return match;
}

/*
 * Material of an EC key: RFC 7518, Sec. 6.2.  A private one carries x and y
 * as well, and they must be its own.
 */
JwtStatus
jwt_key_fill_ec(JwtKey *key, const JwtJwk *jwk)
{
	unsigned char point[1 + 2 * MAX_LEN];
	unsigned char bytes[MAX_LEN];
	size_t		len = key->curve->len;
	BIGNUM	   *d = NULL;
	JwtStatus	status;

	key->bits = key->curve->bits;
	key->is_private = jwk->member[JWT_JWK_D].data != NULL;

	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	status = read_exact(jwk, JWT_JWK_X, point + 1, len);
	if (status == JWT_OK)
		status = read_exact(jwk, JWT_JWK_Y, point + 1 + len, len);
	if (status == JWT_OK && key->is_private)
	{
		status = read_exact(jwk, JWT_JWK_D, bytes, len);
		d = BN_secure_new();
		if (status == JWT_OK &&
			(d == NULL || BN_bin2bn(bytes, (int) len, d) == NULL))
			status = JWT_E_CRYPTO;
	}
	if (status != JWT_OK)
		goto out;

	if (d != NULL)
		BN_set_flags(d, BN_FLG_CONSTTIME);
	key->pkey = build_ec(key->curve, point, d);
	if (key->pkey == NULL)
		status = explain_no_ec(key->curve);
	else if (key->is_private && !halves_match(key->pkey))
		status = JWT_E_KEY_INVALID;

out:
	BN_clear_free(d);
	jwt_wipe(bytes, sizeof(bytes));
	return status;
}

/* Does the public key that pkey derives for itself equal x? */
static bool
public_equals(EVP_PKEY *pkey, const unsigned char *x, size_t len)
{
	unsigned char derived[MAX_LEN];
	size_t		got = sizeof(derived);

	return EVP_PKEY_get_raw_public_key(pkey, derived, &got) == 1 &&
		got == len && CRYPTO_memcmp(derived, x, len) == 0;
}

/*
 * Material of an OKP key: RFC 8037, Sec. 2.  libcrypto derives the public
 * half from d and knows no other, so x is compared with that.
 */
JwtStatus
jwt_key_fill_okp(JwtKey *key, const JwtJwk *jwk)
{
	unsigned char x[MAX_LEN];
	unsigned char d[MAX_LEN];
	const JwtCurve *curve = key->curve;
	JwtStatus	status;

	key->bits = curve->bits;
	key->is_private = jwk->member[JWT_JWK_D].data != NULL;

	status = read_exact(jwk, JWT_JWK_X, x, curve->len);
	if (status == JWT_OK)
		status = jwt_edwards_check(curve, x);
	if (status == JWT_OK && key->is_private)
		status = read_exact(jwk, JWT_JWK_D, d, curve->len);
	if (status != JWT_OK)
		goto out;

	if (key->is_private)
		key->pkey = EVP_PKEY_new_raw_private_key_ex(NULL, curve->type, NULL,
													d, curve->len);
	else
		key->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, curve->type, NULL,
												   x, curve->len);

	/* Of the right length, it can fail only for want of the curve. */
	if (key->pkey == NULL)
		status = JWT_E_UNSUPPORTED;
	else if (key->is_private && !public_equals(key->pkey, x, curve->len))
		status = JWT_E_KEY_INVALID;

out:
	jwt_wipe(d, sizeof(d));
	return status;
}
