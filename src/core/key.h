/*-------------------------------------------------------------------------
 *
 * key.h
 *	  Keys: made from a JWK, a PEM text, a secret, or new; checked when made.
 *
 * A JwtKey owns its libcrypto objects and every context that an operation
 * with it needs, each made once and kept.  It holds no pointer into what it
 * was made from.  All key material is wiped when the key is freed and on
 * every failure on the way to one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_KEY_H
#define JWT_KEY_H

#include "alg.h"
#include "slice.h"
#include "status.h"

typedef struct JwtKey JwtKey;

/*
 * Members of a JWK that the core reads: RFC 7517, Sec. 4; RFC 7518, Sec. 6;
 * RFC 8037, Sec. 2.  jwt_jwk_member_name() gives their spelling, so that a
 * caller with a JSON parser can fill or write a JwtJwk in a loop.
 */
typedef enum JwtJwkMember
{
	JWT_JWK_KTY,
	JWT_JWK_CRV,
	JWT_JWK_ALG,
	JWT_JWK_USE,
	JWT_JWK_K,
	JWT_JWK_N,
	JWT_JWK_E,
	JWT_JWK_X,
	JWT_JWK_Y,
	JWT_JWK_D,
	JWT_JWK_P,
	JWT_JWK_Q,
	JWT_JWK_DP,
	JWT_JWK_DQ,
	JWT_JWK_QI
} JwtJwkMember;

#define JWT_JWK_NUM_MEMBERS (JWT_JWK_QI + 1)

extern const char *jwt_jwk_member_name(JwtJwkMember member);

/* True for the members that must never be shown: k, d, p, q, dp, dq, qi. */
extern bool jwt_jwk_member_is_private(JwtJwkMember member);

/* Bits of JwtJwk.key_ops; JWT_OP_OTHER stands for wrapping, deriving, ... */
#define JWT_OP_SIGN		0x01
#define JWT_OP_VERIFY	0x02
#define JWT_OP_OTHER	0x04

typedef struct JwtJwk
{
	JwtSlice	member[JWT_JWK_NUM_MEMBERS];	/* JSON string values */
	bool		has_key_ops;
	unsigned	key_ops;		/* JWT_OP_*; meaningful if has_key_ops */
	bool		has_oth;		/* RSA with more than two primes: refused */
} JwtJwk;

/* What the caller demands beyond the RFCs' own minimum. */
typedef struct JwtKeyLimits
{
	int			min_rsa_bits;
} JwtKeyLimits;

#define JWT_MIN_RSA_BITS 1024	/* nobody may ask for less */
#define JWT_MAX_RSA_BITS 16384
#define JWT_MAX_SECRET_LEN 4096 /* bytes of an oct key */
#define JWT_MAX_PEM_LEN 65536	/* bytes of a PEM text */
#define JWT_MAX_URI_LEN 4096	/* bytes */
#define JWT_THUMBPRINT_LEN 43	/* base64url of a SHA-256 */

/*
 * Constructors.  On JWT_OK *key is a new key that jwt_key_free releases;
 * otherwise *key is NULL and the status says what is wrong.  A key without
 * "alg" serves every algorithm that its type, curve and size allow.
 */
extern JwtStatus jwt_key_from_jwk(const JwtJwk *jwk,
								  const JwtKeyLimits *limits, JwtKey **key);

/*
 * From PEM: SPKI, PKCS#8, PKCS#1, SEC1, or a certificate's public key.  Text
 * around blocks and blocks of other kinds, "EC PARAMETERS" say, are skipped,
 * CR LF is accepted.  Several blocks of one key make that key, private if one
 * of them is; several keys are JWT_E_PEM_SEVERAL, an encrypted private key
 * anywhere is JWT_E_PEM_ENCRYPTED.  alg may be NULL.
 */
extern JwtStatus jwt_key_from_pem(JwtSlice pem, const JwtAlg *alg,
								  const JwtKeyLimits *limits, JwtKey **key);

/*
 * The same key by key: *rest, at first the whole text and no longer than
 * JWT_MAX_PEM_LEN, moves on behind what was read.  *key is NULL, and the
 * status JWT_OK, at its end.
 */
extern JwtStatus jwt_key_next_from_pem(JwtSlice *rest,
									   const JwtKeyLimits *limits,
									   JwtKey **key);

/*
 * The private key that libcrypto opens at a URI: "file:/path/key.pem", or
 * "pkcs11:..." where a provider is configured.  It only signs, and may be
 * one that nobody can read; so its public half is checked as that of any
 * other key, and its private half by a signature.  JWT_E_KEY_OUTSIDE if
 * nothing can be opened there, JWT_E_KEY_NOT_PRIVATE if there is no private
 * key, JWT_E_KEY_LOCKED if it wants a passphrase or PIN that the URI does
 * not bring: nobody is ever asked.  alg may be NULL.
 */
extern JwtStatus jwt_key_from_uri(JwtSlice uri, const JwtAlg *alg,
								  const JwtKeyLimits *limits, JwtKey **key);

/*
 * JWT_E_SECRET_IS_KEY if the bytes begin, after white space or a BOM, like
 * PEM, an ssh key or JSON, or are a key in DER, as it is or in base64: such
 * text is a key in another dress, never an HMAC secret.
 */
extern JwtStatus jwt_secret_check(JwtSlice secret);

/*
 * A new key for alg; rsa_bits counts for RSA alone, which may take minutes:
 * must_stop, unless it is NULL, is asked again and again, and where it answers
 * true the status is JWT_E_STOPPED.
 */
extern JwtStatus jwt_key_generate(const JwtAlg *alg, int rsa_bits,
								  bool (*must_stop) (void), JwtKey **key);

/* Wipes and releases; NULL is fine. */
extern void jwt_key_free(JwtKey *key);

/* What a key is. */
extern JwtKeyType jwt_key_type(const JwtKey *key);
extern const char *jwt_key_crv(const JwtKey *key);	/* NULL but for EC, OKP */
extern const JwtAlg *jwt_key_alg(const JwtKey *key);	/* its "alg", or NULL */
extern int	jwt_key_bits(const JwtKey *key);
extern bool jwt_key_is_private(const JwtKey *key);	/* oct always is */

/*
 * The algorithm that is meant when nobody says: the key's own, else that of
 * its curve (EdDSA for OKP), else RS256 or HS256.
 */
extern const JwtAlg *jwt_key_default_alg(const JwtKey *key);

/*
 * May the key do operation op (JWT_OP_SIGN or JWT_OP_VERIFY) with alg?
 * JWT_E_ALGORITHM if its type, curve or own "alg" says otherwise,
 * JWT_E_KEY_TOO_SMALL or, of an oct key, JWT_E_SECRET_TOO_SMALL if it is too
 * short for alg, JWT_E_KEY_USE if "use" or "key_ops" forbid op,
 * JWT_E_KEY_NOT_PRIVATE if it cannot sign.
 */
extern JwtStatus jwt_key_permits(const JwtKey *key, const JwtAlg *alg,
								 unsigned op);

/*
 * Base64url text of one member (never kty, crv, alg, use: those are read
 * above) into buf, which has room for cap characters; *len becomes 0 if the
 * key has no such member.  JWT_JWK_K and the other private members come out
 * too: the caller guards them.  JWT_JWK_MEMBER_MAX always suffices.
 */
#define JWT_JWK_MEMBER_MAX 5462 /* base64url of JWT_MAX_SECRET_LEN bytes */
extern JwtStatus jwt_key_member(const JwtKey *key, JwtJwkMember member,
								char *buf, size_t cap, size_t *len);

/* RFC 7638: SHA-256 thumbprint of the public key, base64url. */
extern JwtStatus jwt_key_thumbprint(const JwtKey *key,
									char buf[JWT_THUMBPRINT_LEN]);

/*
 * PEM text: PKCS#8 for a private key, SPKI for a public one; an oct key is
 * JWT_E_KEY_TYPE, a private RSA key without its primes JWT_E_KEY_PRIMES.
 * *pem is released by jwt_pem_free, which wipes it.
 */
extern JwtStatus jwt_key_to_pem(const JwtKey *key, char **pem, size_t *len);
extern void jwt_pem_free(char *pem, size_t len);

/*
 * Raw signatures over input.  Both ask jwt_key_permits first.  Verifying
 * answers JWT_OK or JWT_E_SIGNATURE; MACs are compared in constant time,
 * ECDSA's r and s are of exact length and in range, PSS salts as long as the
 * digest.
 */
extern JwtStatus jwt_key_sign(JwtKey *key, const JwtAlg *alg, JwtSlice input,
							  unsigned char sig[JWT_MAX_SIGNATURE_LEN],
							  size_t *siglen);
extern JwtStatus jwt_key_verify(JwtKey *key, const JwtAlg *alg,
								JwtSlice input,
								const unsigned char *sig, size_t siglen);

#endif							/* JWT_KEY_H */
