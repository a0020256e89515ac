/*-------------------------------------------------------------------------
 *
 * jwk.c
 *	  Fuzz target: JWK members.
 *
 * The input is a JWK as lines "member value"; see fuzz_parse_jwk.  A key
 * that is taken must come back as it was given, be one to libcrypto too, and
 * sign what its public half verifies.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>

#include "base64url.h"
#include "fuzz.h"

/* Texts of all members of a key. */
typedef struct Members
{
	char		text[JWT_JWK_NUM_MEMBERS][JWT_JWK_MEMBER_MAX];
	JwtJwk		jwk;
} Members;

static void
read_members(const JwtKey *key, bool with_private, Members *m)
{
	int			i;

	memset(&m->jwk, 0, sizeof(m->jwk));
	m->jwk.member[JWT_JWK_KTY] = jwt_slice_of(jwt_kty_name(jwt_key_type(key)));
	if (jwt_key_crv(key) != NULL)
		m->jwk.member[JWT_JWK_CRV] = jwt_slice_of(jwt_key_crv(key));
	if (jwt_key_alg(key) != NULL)
		m->jwk.member[JWT_JWK_ALG] = jwt_slice_of(jwt_key_alg(key)->name);

	for (i = JWT_JWK_K; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		size_t		len = 0;

		REQUIRE_CLEAN(jwt_key_member(key, (JwtJwkMember) i, m->text[i],
									 JWT_JWK_MEMBER_MAX, &len) == JWT_OK);
		if (len > 0 &&
			(with_private || !jwt_jwk_member_is_private((JwtJwkMember) i)))
		{
			m->jwk.member[i].data = m->text[i];
			m->jwk.member[i].len = len;
		}
		if (!jwt_key_is_private(key) &&
			jwt_jwk_member_is_private((JwtJwkMember) i))
			REQUIRE(len == 0);
	}
}

/* Numbers may come back without zeroes in front. */
static bool
same_number(JwtSlice a, JwtSlice b)
{
	unsigned char *x = malloc(a.len + b.len + 8);
	unsigned char *y = x + a.len + 4;
	BIGNUM	   *p;
	BIGNUM	   *q;
	int			alen;
	int			blen;
	bool		same;

	REQUIRE(x != NULL);
	alen = fuzz_base64url(a, x);
	blen = fuzz_base64url(b, y);
	REQUIRE(alen >= 0 && blen >= 0);
	p = BN_bin2bn(x, alen, NULL);
	q = BN_bin2bn(y, blen, NULL);
	same = p != NULL && q != NULL && BN_cmp(p, q) == 0;
	BN_free(p);
	BN_free(q);
	free(x);
	return same;
}

/* What was given comes back: public members letter for letter. */
static void
compare(const JwtJwk *given, const JwtJwk *got)
{
	int			i;

	for (i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		JwtSlice	a = given->member[i];
		JwtSlice	b = got->member[i];

		if (b.data == NULL || i == JWT_JWK_CRV)
			continue;
		REQUIRE(a.data != NULL);
		if (jwt_jwk_member_is_private((JwtJwkMember) i) &&
			jwt_slice_equal(got->member[JWT_JWK_KTY], jwt_slice_of("RSA")))
			REQUIRE(same_number(a, b));
		else
			REQUIRE(jwt_slice_equal(a, b));
	}
}

/* Made again from its own members it is the same key. */
static JwtKey *
make_again(const JwtKey *key, const JwtJwk *jwk, const JwtKeyLimits *limits)
{
	char		one[JWT_THUMBPRINT_LEN];
	char		two[JWT_THUMBPRINT_LEN];
	JwtKey	   *again = NULL;

	REQUIRE_CLEAN(jwt_key_from_jwk(jwk, limits, &again) == JWT_OK);
	REQUIRE_CLEAN(jwt_key_thumbprint(key, one) == JWT_OK);
	REQUIRE_CLEAN(jwt_key_thumbprint(again, two) == JWT_OK);
	REQUIRE(memcmp(one, two, sizeof(one)) == 0);
	REQUIRE(jwt_key_bits(key) == jwt_key_bits(again));
	return again;
}

/* No secret has a PEM form, nor has a private RSA key without primes. */
static bool
has_pem(const JwtKey *key, const JwtJwk *jwk)
{
	char	   *pem = NULL;
	size_t		len = 0;
	JwtStatus	expected = JWT_OK;

	if (jwt_key_type(key) == JWT_KTY_OCT)
		expected = JWT_E_KEY_TYPE;
	else if (jwt_key_type(key) == JWT_KTY_RSA && jwt_key_is_private(key) &&
			 jwk->member[JWT_JWK_P].data == NULL)
		expected = JWT_E_KEY_PRIMES;
	REQUIRE_CLEAN(jwt_key_to_pem(key, &pem, &len) == expected);
	jwt_pem_free(pem, len);
	return expected == JWT_OK;
}

/* There and back through PEM, which libcrypto reads too. */
static void
through_pem(const JwtKey *key, const JwtKeyLimits *limits)
{
	EVP_PKEY   *pkey = fuzz_pkey(key);
	char	   *pem = NULL;
	JwtSlice	text = {NULL, 0};
	JwtKey	   *again = NULL;
	Members    *m = malloc(sizeof(Members));
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	REQUIRE(m != NULL && ctx != NULL);
	REQUIRE(EVP_PKEY_get_bits(pkey) == jwt_key_bits(key));
	if (jwt_key_type(key) == JWT_KTY_EC)
		REQUIRE(EVP_PKEY_public_check(ctx) == 1);
	REQUIRE_CLEAN(jwt_key_to_pem(key, &pem, &text.len) == JWT_OK);
	text.data = pem;
	REQUIRE(jwt_secret_check(text) == JWT_E_SECRET_IS_KEY);
	REQUIRE_CLEAN(jwt_key_from_pem(text, jwt_key_alg(key), limits,
								   &again) == JWT_OK);
	REQUIRE(jwt_key_is_private(key) == jwt_key_is_private(again));
	read_members(again, true, m);
	jwt_key_free(again);
	again = make_again(key, &m->jwk, limits);

	jwt_key_free(again);
	jwt_pem_free(pem, text.len);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	free(m);
}

/*
 * What the key signs, its public half verifies.  That RSA's primes are prime
 * is not asked, so that there a signature may be wrong; but it is then one
 * to nobody.
 */
static void
use(JwtKey *key, JwtKey *half)
{
	const JwtAlg *alg = jwt_key_default_alg(key);
	JwtSlice	text = jwt_slice_of("header.payload");
	unsigned char sig[JWT_MAX_SIGNATURE_LEN];
	size_t		len = 0;
	JwtStatus	status;
	EVP_PKEY   *pkey;

	REQUIRE(alg != NULL);
	status = jwt_key_sign(key, alg, text, sig, &len);
	REQUIRE_CLEAN((status == JWT_OK) == (len > 0));
	if (status != JWT_OK)
	{
		REQUIRE(jwt_key_permits(key, alg, JWT_OP_SIGN) == status ||
				jwt_key_type(key) == JWT_KTY_RSA);
		return;
	}

	status = jwt_key_verify(half, alg, text, sig, len);
	REQUIRE_CLEAN(status == JWT_OK || jwt_key_type(key) == JWT_KTY_RSA);
	if (jwt_key_type(key) != JWT_KTY_OCT)
	{
		pkey = fuzz_pkey(half);
		REQUIRE(fuzz_verify(pkey, alg, text, sig, len) ==
				(status == JWT_OK));
		EVP_PKEY_free(pkey);
	}
	sig[len / 2] ^= 0x10;
	REQUIRE_CLEAN(jwt_key_verify(half, alg, text, sig, len) ==
				  JWT_E_SIGNATURE);
}

void
fuzz_one(JwtSlice input)
{
	JwtSlice	text = fuzz_take(&input, input.len);
	JwtKeyLimits limits;
	JwtJwk		jwk = fuzz_parse_jwk(text, &limits);
	JwtKey	   *key = NULL;
	JwtStatus	status = jwt_key_from_jwk(&jwk, &limits, &key);
	Members    *m;
	JwtKey	   *half;

	REQUIRE_CLEAN((status == JWT_OK) == (key != NULL));
	if (key != NULL)
	{
		m = malloc(sizeof(Members));
		REQUIRE(m != NULL);
		read_members(key, true, m);
		compare(&jwk, &m->jwk);
		half = make_again(key, &m->jwk, &limits);
		jwt_key_free(half);
		if (has_pem(key, &m->jwk))
			through_pem(key, &limits);
		read_members(key, jwt_key_type(key) == JWT_KTY_OCT, m);
		half = make_again(key, &m->jwk, &limits);
		if (!jwk.has_key_ops)
			use(key, half);
		jwt_key_free(half);
		free(m);
	}
	jwt_key_free(key);
	fuzz_forget(text);
}
