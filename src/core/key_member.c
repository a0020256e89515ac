/*-------------------------------------------------------------------------
 *
 * key_member.c
 *	  Key to JWK members, and their thumbprint: RFC 7638.
 *
 * Who may see a private member is the caller's affair.
 *
 *-------------------------------------------------------------------------
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "base64url.h"
#include "key_internal.h"
#include "primitive.h"

/*
 * Bytes of one number of pkey: as many as it takes if pad is 0, else pad.
 * None, and no error, if pkey has no such number.
 */
static JwtStatus
number_bytes(EVP_PKEY *pkey, const char *param, size_t pad,
			 unsigned char *buf, size_t cap, size_t *len)
{
	BIGNUM	   *bn = BN_secure_new();
	size_t		need;
	JwtStatus	status = JWT_E_CRYPTO;

	if (bn == NULL)
		return JWT_E_CRYPTO;

	/* An RSA key without primes has d but not p. */
	if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1)
	{
		status = JWT_OK;
		goto out;
	}

	need = pad > 0 ? pad : (size_t) BN_num_bytes(bn);
	if (need > cap)
		status = JWT_E_KEY_TOO_LARGE;
	else if (BN_bn2binpad(bn, buf, (int) need) == (int) need)
	{
		*len = need;
		status = JWT_OK;
	}

out:
	BN_clear_free(bn);
	return status;
}

/*
 * x or y from the point as a whole, which is all that some providers of keys
 * outside show, and only to whoever exports the public half.
 */
static void
point_bytes(const JwtKey *key, JwtJwkMember member,
			unsigned char *buf, size_t cap, size_t *len)
{
	size_t		half = key->curve->len;
	OSSL_PARAM *params = NULL;
	const OSSL_PARAM *found;
	const void *data = NULL;
	const unsigned char *point;
	size_t		got = 0;

	if (EVP_PKEY_todata(key->pkey, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return;

	found = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY);
	if (found != NULL &&
		OSSL_PARAM_get_octet_string_ptr(found, &data, &got) == 1 &&
		got == 1 + 2 * half && half <= cap)
	{
		point = data;
		if (point[0] == POINT_CONVERSION_UNCOMPRESSED)
		{
			memcpy(buf, point + 1 + (member == JWT_JWK_Y ? half : 0), half);
			*len = half;
		}
	}
	OSSL_PARAM_free(params);
}

/* As long as the curve has it, whatever the number: RFC 7518, Sec. 6.2. */
static JwtStatus
ec_bytes(const JwtKey *key, JwtJwkMember member,
		 unsigned char *buf, size_t cap, size_t *len)
{
	const char *param = NULL;
	JwtStatus	status;

	if (member == JWT_JWK_X)
		param = OSSL_PKEY_PARAM_EC_PUB_X;
	else if (member == JWT_JWK_Y)
		param = OSSL_PKEY_PARAM_EC_PUB_Y;
	else if (member == JWT_JWK_D)
		param = OSSL_PKEY_PARAM_PRIV_KEY;

	if (param == NULL)
		return JWT_OK;
	status = number_bytes(key->pkey, param, key->curve->len, buf, cap, len);
	if (status == JWT_OK && *len == 0 && member != JWT_JWK_D)
		point_bytes(key, member, buf, cap, len);
	return status;
}

/* RFC 8032 keys are octets, not numbers. */
static JwtStatus
okp_bytes(const JwtKey *key, JwtJwkMember member,
		  unsigned char *buf, size_t cap, size_t *len)
{
	size_t		got = cap;
	int			done;

	if (member == JWT_JWK_X)
		done = EVP_PKEY_get_raw_public_key(key->pkey, buf, &got);
	else if (member == JWT_JWK_D)
		done = EVP_PKEY_get_raw_private_key(key->pkey, buf, &got);
	else
		return JWT_OK;

	if (done != 1)
		return JWT_E_CRYPTO;
	*len = got;
	return JWT_OK;
}

/*
 * Must a key of RSA or EC have that number?  libcrypto tells a key without
 * it from a want of memory in no way that can be relied on.  Of a key that is
 * not whole nothing is known: whoever checks it sees what is missing.
 */
static bool
must_have(const JwtKey *key, JwtJwkMember member)
{
	if (!key->is_whole)
		return false;
	if (!jwt_jwk_member_is_private(member))
		return key->kty == JWT_KTY_RSA
			? member == JWT_JWK_N || member == JWT_JWK_E
			: member == JWT_JWK_X || member == JWT_JWK_Y;
	return key->is_private &&
		(member == JWT_JWK_D ||
		 (key->has_primes && jwt_rsa_param_name(member) != NULL));
}

/* Bytes of one member; *len stays 0 if the key has no such member. */
static JwtStatus
read_bytes(const JwtKey *key, JwtJwkMember member,
		   unsigned char *buf, size_t cap, size_t *len)
{
	const char *param;

	if (jwt_jwk_member_is_private(member) && !key->is_private)
		return JWT_OK;

	switch (key->kty)
	{
		case JWT_KTY_OCT:
			if (member == JWT_JWK_K)
			{
				if (key->secret_len > cap)
					return JWT_E_KEY_TOO_LARGE;
				memcpy(buf, key->secret, key->secret_len);
				*len = key->secret_len;
			}
			return JWT_OK;
		case JWT_KTY_RSA:
			param = jwt_rsa_param_name(member);
			if (param == NULL)
				return JWT_OK;
			return number_bytes(key->pkey, param, 0, buf, cap, len);
		case JWT_KTY_EC:
			return ec_bytes(key, member, buf, cap, len);
		case JWT_KTY_OKP:
			return okp_bytes(key, member, buf, cap, len);
	}
	return JWT_E_CRYPTO;
}

static JwtStatus
member_bytes(const JwtKey *key, JwtJwkMember member,
			 unsigned char *buf, size_t cap, size_t *len)
{
	JwtStatus	status = read_bytes(key, member, buf, cap, len);

	if (status == JWT_OK && *len == 0 &&
		(key->kty == JWT_KTY_RSA || key->kty == JWT_KTY_EC) &&
		must_have(key, member))
		status = JWT_E_CRYPTO;
	return status;
}

JwtStatus
jwt_key_member(const JwtKey *key, JwtJwkMember member, char *buf, size_t cap,
			   size_t *len)
{
	unsigned char bytes[JWT_MAX_SECRET_LEN];
	size_t		nbytes = 0;
	JwtStatus	status;

	*len = 0;
	status = member_bytes(key, member, bytes, sizeof(bytes), &nbytes);
	if (status == JWT_OK && jwt_base64url_enc_len(nbytes) > cap)
		status = JWT_E_KEY_TOO_LARGE;

	if (status == JWT_OK)
		*len = jwt_base64url_encode(bytes, nbytes, buf);
	else if (cap > 0)
		memset(buf, 0, cap);

	/* Asking for what is not there leaves an error behind. */
	jwt_wipe(bytes, sizeof(bytes));
	ERR_clear_error();
	return status;
}

/*
 * RFC 7638, Sec. 3.2; RFC 8037, Sec. 2: the members that make the key, "in
 * lexicographic order".
 */
static const struct
{
	int			count;
	JwtJwkMember member[4];
}			required[JWT_NUM_KEY_TYPES] =
{
	{2, {JWT_JWK_K, JWT_JWK_KTY}},
	{3, {JWT_JWK_E, JWT_JWK_KTY, JWT_JWK_N}},
	{4, {JWT_JWK_CRV, JWT_JWK_KTY, JWT_JWK_X, JWT_JWK_Y}},
	{3, {JWT_JWK_CRV, JWT_JWK_KTY, JWT_JWK_X}}
};

/* Text of any member that a thumbprint takes. */
static JwtStatus
member_text(const JwtKey *key, JwtJwkMember member,
			char buf[JWT_JWK_MEMBER_MAX], size_t *len)
{
	const char *name;

	if (member == JWT_JWK_KTY)
		name = jwt_kty_name(key->kty);
	else if (member == JWT_JWK_CRV)
		name = key->curve->crv;
	else
		return jwt_key_member(key, member, buf, JWT_JWK_MEMBER_MAX, len);

	*len = strlen(name);
	memcpy(buf, name, *len);
	return JWT_OK;
}

/* {"crv":"...","kty":"...",...} without white space; no value needs a \ */
static JwtStatus
hash_members(const JwtKey *key, EVP_MD_CTX *ctx)
{
	char		buf[JWT_JWK_MEMBER_MAX];
	size_t		len = 0;
	JwtStatus	status = JWT_OK;
	int			i;

	for (i = 0; i < required[key->kty].count; i++)
	{
		JwtJwkMember member = required[key->kty].member[i];
		const char *name = jwt_jwk_member_name(member);

		status = member_text(key, member, buf, &len);
		if (status == JWT_OK &&
			(EVP_DigestUpdate(ctx, i == 0 ? "{\"" : ",\"", 2) != 1 ||
			 EVP_DigestUpdate(ctx, name, strlen(name)) != 1 ||
			 EVP_DigestUpdate(ctx, "\":\"", 3) != 1 ||
			 EVP_DigestUpdate(ctx, buf, len) != 1 ||
			 EVP_DigestUpdate(ctx, "\"", 1) != 1))
			status = JWT_E_CRYPTO;
		if (status != JWT_OK)
			break;
	}

	/* An oct key's members are its secret. */
	jwt_wipe(buf, sizeof(buf));
	return status;
}

/*
 * RFC 7638, Sec. 3: the hash of a private key is that of its public half.
 * That of an oct key gives away nothing but a means to guess short secrets.
 */
JwtStatus
jwt_key_thumbprint(const JwtKey *key, char buf[JWT_THUMBPRINT_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char hash[EVP_MAX_MD_SIZE];
	JwtStatus	status = JWT_E_CRYPTO;

	memset(buf, 0, JWT_THUMBPRINT_LEN);
	if (ctx == NULL || EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) != 1)
		goto out;

	status = hash_members(key, ctx);
	if (status == JWT_OK &&
		(EVP_DigestUpdate(ctx, "}", 1) != 1 ||
		 EVP_DigestFinal_ex(ctx, hash, NULL) != 1))
		status = JWT_E_CRYPTO;
	if (status == JWT_OK)
		(void) jwt_base64url_encode(hash, JWT_SHA256_LEN, buf);

out:
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return status;
}
