/*-------------------------------------------------------------------------
 *
 * key_internal.h
 *	  What a key is made of, for the files of the core alone.
 *
 * Functions declared here leave the OpenSSL error queue as it falls: the
 * public function that calls them empties it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_KEY_INTERNAL_H
#define JWT_KEY_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "key.h"

/* A curve that JWKs know by "crv"; one table, in key_curve.c. */
typedef struct JwtCurve
{
	const char *crv;			/* JWK name */
	JwtKeyType	kty;			/* JWT_KTY_EC or JWT_KTY_OKP */
	const char *type;			/* OpenSSL's key type */
	const char *group;			/* OpenSSL's group name; NULL for OKP */
	int			nid;			/* of that group */
	int			bits;
	size_t		len;			/* bytes of x, of y and of d, always */
} JwtCurve;

/* Everything one algorithm needs with one key, made by family->prepare. */
typedef struct JwtKeySlot
{
	bool		ready;			/* prepare has succeeded */
	EVP_MD	   *md;				/* fetched; NULL for HMAC and EdDSA */
	EVP_MD_CTX *digest;			/* hashes the signing input */
	EVP_MAC_CTX *mac;			/* keyed; HMAC only */
	EVP_PKEY_CTX *signer;		/* initialised; NULL for a public key */
	EVP_PKEY_CTX *verifier;		/* initialised; NULL if only to sign */
} JwtKeySlot;

struct JwtKey
{
	JwtKeyType	kty;
	const JwtCurve *curve;		/* EC and OKP, else NULL */
	const JwtAlg *alg;			/* its own "alg", or NULL */
	unsigned	ops;			/* JWT_OP_SIGN, JWT_OP_VERIFY: allowed */
	int			bits;
	bool		is_private;
	bool		is_whole;		/* made by us: what it must have is there */
	bool		has_primes;		/* RSA: p, q, dp, dq and qi too */
	unsigned char *secret;		/* oct; wiped when freed */
	size_t		secret_len;
	EVP_PKEY   *pkey;			/* all but oct */
	JwtKeySlot	slot[JWT_MAX_SLOTS];	/* by JwtAlg.slot */
};

/* alg_*.c */
extern const JwtAlgFamily jwt_family_hmac;
extern const JwtAlgFamily jwt_family_rsa;
extern const JwtAlgFamily jwt_family_pss;
extern const JwtAlgFamily jwt_family_ec;
extern const JwtAlgFamily jwt_family_eddsa;

/* alg_digest.c: what the families that sign a digest share */
extern JwtStatus jwt_digest_prepare(JwtKey *key, const JwtAlg *alg,
									bool (*setup) (EVP_PKEY_CTX *ctx,
												   const JwtAlg *alg));
extern JwtStatus jwt_digest_input(JwtKey *key, const JwtAlg *alg,
								  JwtSlice input,
								  unsigned char hash[EVP_MAX_MD_SIZE]);

/* key.c */
extern JwtKey *jwt_key_new(JwtKeyType kty);

/* True if alg fits type and curve; says nothing of the key's own "alg". */
extern bool jwt_key_fits(const JwtKey *key, const JwtAlg *alg);

/* Is it long enough for alg?  JWT_E_KEY_TOO_SMALL or _SECRET_ if not. */
extern JwtStatus jwt_key_check_size(const JwtKey *key, const JwtAlg *alg);

/* key_curve.c */
extern const JwtCurve *jwt_curve_find(JwtKeyType kty, JwtSlice crv);
extern const JwtCurve *jwt_curve_of_pkey(EVP_PKEY *pkey);
extern JwtStatus jwt_key_fill_ec(JwtKey *key, const JwtJwk *jwk);
extern JwtStatus jwt_key_fill_okp(JwtKey *key, const JwtJwk *jwk);

/*
 * key_edwards.c: JWT_E_KEY_INVALID unless the octets, curve->len of them, are
 * the one spelling of a point on that curve, and one of no small order.
 */
extern JwtStatus jwt_edwards_check(const JwtCurve *curve,
								   const unsigned char *octets);

/* key_oct.c */
extern JwtStatus jwt_key_fill_oct(JwtKey *key, const JwtJwk *jwk);

/* key_rsa.c */
extern const char *jwt_rsa_param_name(JwtJwkMember member);
extern JwtStatus jwt_key_fill_rsa(JwtKey *key, const JwtJwk *jwk,
								  const JwtKeyLimits *limits);

/*
 * key_jwk.c: bytes of one member.  JWT_E_KEY_MEMBER if it is absent, empty
 * or not base64url, JWT_E_KEY_TOO_LARGE, before anything is decoded, if it
 * cannot fit; buf is then all zeroes.
 */
extern JwtStatus jwt_jwk_decode(const JwtJwk *jwk, JwtJwkMember member,
								unsigned char *buf, size_t cap, size_t *len);

/* key_pem.c: type and curve of raw->pkey into raw, or JWT_E_KEY_TYPE */
extern JwtStatus jwt_key_classify(JwtKey *raw, bool *has_oth);

/*
 * key_pem.c: makes the key that raw, of which nothing is checked but type
 * and curve, says it is: its public half alone unless raw->is_private.
 */
extern JwtStatus jwt_key_make_checked(const JwtKey *raw, bool has_oth,
									  const JwtAlg *alg,
									  const JwtKeyLimits *limits,
									  JwtKey **key);

/* key_jwk.c: a public or private key of OpenSSL's type from what bld holds */
extern EVP_PKEY *jwt_pkey_build(const char *type, OSSL_PARAM_BLD *bld,
								bool is_private);

#endif							/* JWT_KEY_INTERNAL_H */
