/*-------------------------------------------------------------------------
 *
 * key_jwk.c
 *	  JWK to key: RFC 7517, Sec. 4, the members that all types share.
 *
 * The material of each type is read and checked in key_oct.c, key_rsa.c and
 * key_curve.c.  Keys from PEM come through here too, so that there is one
 * set of checks.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/err.h>

#include "base64url.h"
#include "key_internal.h"
#include "primitive.h"

/* By JwtJwkMember: RFC 7517, Sec. 4; RFC 7518, Sec. 6; RFC 8037, Sec. 2. */
static const struct
{
	const char *name;
	bool		is_private;
}			members[JWT_JWK_NUM_MEMBERS] =
{
	{"kty", false},
	{"crv", false},
	{"alg", false},
	{"use", false},
	{"k", true},
	{"n", false},
	{"e", false},
	{"x", false},
	{"y", false},
	{"d", true},
	{"p", true},
	{"q", true},
	{"dp", true},
	{"dq", true},
	{"qi", true}
};

const char *
jwt_jwk_member_name(JwtJwkMember member)
{
	return members[member].name;
}

bool
jwt_jwk_member_is_private(JwtJwkMember member)
{
	return members[member].is_private;
}

JwtStatus
jwt_jwk_decode(const JwtJwk *jwk, JwtJwkMember member,
			   unsigned char *buf, size_t cap, size_t *len)
{
	JwtSlice	text = jwk->member[member];

	memset(buf, 0, cap);
	*len = 0;

	/* The length of the text is judged first: no work for a huge member. */
	if (text.data == NULL || text.len == 0)
		return JWT_E_KEY_MEMBER;
	if (jwt_base64url_dec_len(text.len) > cap)
		return JWT_E_KEY_TOO_LARGE;
	if (jwt_base64url_decode(text, buf, cap, len) != JWT_OK)
		return JWT_E_KEY_MEMBER;
	return JWT_OK;
}

EVP_PKEY *
jwt_pkey_build(const char *type, OSSL_PARAM_BLD *bld, bool is_private)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY   *pkey = NULL;

	/* On failure fromdata leaves NULL in pkey. */
	if (ctx != NULL && params != NULL &&
		EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &pkey,
						  is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
						  params) != 1)
		pkey = NULL;

	/* Wipes what came from a BIGNUM that is marked secure. */
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/*
 * Type: RFC 7517, Sec. 4.1; and curve: RFC 7518, Sec. 6.2.1.1; RFC 8037,
 * Sec. 2.  Other types have no use for a "crv" and it is ignored there, as
 * RFC 7517, Sec. 4 has it for members that are not understood.
 */
static JwtStatus
read_type(JwtKey *key, const JwtJwk *jwk)
{
	JwtSlice	kty = jwk->member[JWT_JWK_KTY];
	int			i;

	if (kty.data == NULL)
		return JWT_E_KEY_TYPE;

	for (i = 0; i < JWT_NUM_KEY_TYPES; i++)
	{
		key->kty = (JwtKeyType) i;
		if (jwt_slice_equal(kty, jwt_slice_of(jwt_kty_name(key->kty))))
			break;
	}
	if (i == JWT_NUM_KEY_TYPES)
		return JWT_E_KEY_TYPE;

	if (key->kty == JWT_KTY_EC || key->kty == JWT_KTY_OKP)
	{
		key->curve = jwt_curve_find(key->kty, jwk->member[JWT_JWK_CRV]);
		if (key->curve == NULL)
			return JWT_E_KEY_TYPE;
	}

	/* RFC 7518, Sec. 6.3.2.7: more than two primes are not supported. */
	if (key->kty == JWT_KTY_RSA && jwk->has_oth)
		return JWT_E_KEY_TYPE;
	return JWT_OK;
}

/*
 * RFC 7517, Sec. 4.4.  An "alg" that is known, but for keys of another kind,
 * is a contradiction and no reason to guess.
 */
static JwtStatus
read_alg(JwtKey *key, const JwtJwk *jwk)
{
	JwtSlice	name = jwk->member[JWT_JWK_ALG];

	if (name.data == NULL)
		return JWT_OK;

	key->alg = jwt_alg_find(name);
	if (key->alg == NULL || !jwt_key_fits(key, key->alg))
		return JWT_E_KEY_ALG;
	return JWT_OK;
}

/* RFC 7517, Sec. 4.2 and 4.3: a key for something else is none of ours. */
static JwtStatus
read_use(JwtKey *key, const JwtJwk *jwk)
{
	JwtSlice	use = jwk->member[JWT_JWK_USE];

	if (use.data != NULL && !jwt_slice_equal(use, jwt_slice_of("sig")))
		return JWT_E_KEY_USE;

	/* Both may be there, and then both count. */
	if (jwk->has_key_ops)
		key->ops &= jwk->key_ops;
	return key->ops != 0 ? JWT_OK : JWT_E_KEY_USE;
}

/* The type's own members, and what its size allows. */
static JwtStatus
read_material(JwtKey *key, const JwtJwk *jwk, const JwtKeyLimits *limits)
{
	JwtStatus	status = JWT_E_KEY_TYPE;

	switch (key->kty)
	{
		case JWT_KTY_OCT:
			status = jwt_key_fill_oct(key, jwk);
			break;
		case JWT_KTY_RSA:
			status = jwt_key_fill_rsa(key, jwk, limits);
			break;
		case JWT_KTY_EC:
			status = jwt_key_fill_ec(key, jwk);
			break;
		case JWT_KTY_OKP:
			status = jwt_key_fill_okp(key, jwk);
			break;
	}

	/* Without "alg" the size is judged algorithm by algorithm. */
	if (status == JWT_OK && key->alg != NULL)
		status = jwt_key_check_size(key, key->alg);
	return status;
}

/*
 * The cheap members come first, so that a key for something else is refused
 * before any arithmetic is done with it.
 */
JwtStatus
jwt_key_from_jwk(const JwtJwk *jwk, const JwtKeyLimits *limits,
				 JwtKey **key)
{
	JwtKey	   *made = jwt_key_new(JWT_KTY_OCT);
	JwtStatus	status = JWT_E_CRYPTO;

	*key = NULL;
	if (made == NULL)
		goto out;

	status = read_type(made, jwk);
	if (status == JWT_OK)
		status = read_alg(made, jwk);
	if (status == JWT_OK)
		status = read_use(made, jwk);
	if (status == JWT_OK)
		status = read_material(made, jwk, limits);
	if (status == JWT_OK)
	{
		made->is_whole = true;
		*key = made;
		made = NULL;
	}

out:
	jwt_key_free(made);
	ERR_clear_error();
	return status;
}
