/*-------------------------------------------------------------------------
 *
 * alg.h
 *	  The table of JWS algorithms: RFC 7518, Sec. 3.1; RFC 8037; RFC 8812;
 *	  RFC 9864.
 *
 * Everything that depends on the algorithm is a column of this table; no
 * caller switches on a name.  There is no row for "none".
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWT_ALG_H
#define JWT_ALG_H

#include "slice.h"
#include "status.h"

struct JwtKey;

typedef enum JwtKeyType
{
	JWT_KTY_OCT,
	JWT_KTY_RSA,
	JWT_KTY_EC,
	JWT_KTY_OKP
} JwtKeyType;

#define JWT_NUM_KEY_TYPES 4

/* Longest signature of any row: RSA with 16384 bits. */
#define JWT_MAX_SIGNATURE_LEN 2048

typedef struct JwtAlg JwtAlg;

/* What a family of algorithms can do; one instance each in alg_*.c. */
typedef struct JwtAlgFamily
{
	/* Makes the operation's contexts inside the key; called once a key. */
	JwtStatus	(*prepare) (struct JwtKey *key, const JwtAlg *alg);

	/* sig has room for JWT_MAX_SIGNATURE_LEN bytes. */
	JwtStatus	(*sign) (struct JwtKey *key, const JwtAlg *alg,
						 JwtSlice input, unsigned char *sig, size_t *siglen);
	JwtStatus	(*verify) (struct JwtKey *key, const JwtAlg *alg,
						   JwtSlice input,
						   const unsigned char *sig, size_t siglen);
} JwtAlgFamily;

struct JwtAlg
{
	const char *name;			/* as in the header's "alg" */
	JwtKeyType	kty;
	int			slot;			/* place among its key type's algorithms */
	const char *digest;			/* OpenSSL's name; NULL: part of the scheme */
	size_t		digest_len;		/* bytes; 0 without digest */
	int			min_bits;		/* least key size: RFC 7518, Sec. 3.2, 3.5 */
	const char *crv;			/* JWK "crv" demanded; NULL: any of its kty */
	const JwtAlgFamily *family;
};

/* More algorithms than any one key type has rows. */
#define JWT_MAX_SLOTS 6

/* The row of that exact name, or NULL. */
extern const JwtAlg *jwt_alg_find(JwtSlice name);

/* Rows in table order, NULL past the end: to list and to search. */
extern const JwtAlg *jwt_alg_at(int index);

/* "oct", "RSA", "EC", "OKP". */
extern const char *jwt_kty_name(JwtKeyType kty);

#endif							/* JWT_ALG_H */
