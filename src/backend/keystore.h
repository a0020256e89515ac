/*-------------------------------------------------------------------------
 *
 * keystore.h
 *	  Stored keys: look up by name, by fitness, by being the one that signs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_KEYSTORE_H
#define JWTAUTH_KEYSTORE_H

#include "datatype/timestamp.h"
#include "jwk.h"
#include "key.h"
#include "primitive.h"

/* Columns of jwt.key_store. */
typedef enum JwtAuthKeyColumn
{
	JWTAUTH_KEY_ISSUER = 1,		/* '' for our own */
	JWTAUTH_KEY_KID,
	JWTAUTH_KEY_ALG,
	JWTAUTH_KEY_KTY,
	JWTAUTH_KEY_STATUS,
	JWTAUTH_KEY_MAY_SIGN,
	JWTAUTH_KEY_PUBLIC_JWK,
	JWTAUTH_KEY_SECRET,
	JWTAUTH_KEY_CREATED_AT,
	JWTAUTH_KEY_CURRENT_SINCE,
	JWTAUTH_KEY_NOT_BEFORE,
	JWTAUTH_KEY_NOT_AFTER,
	JWTAUTH_KEY_STATUS_SINCE,
	JWTAUTH_KEY_SEALED_BY,		/* null: secret is in the clear */
	JWTAUTH_KEY_KEY_URI,		/* of a private key that is not stored */
	JWTAUTH_KEY_MISSING_SINCE,
	JWTAUTH_KEY_LONGEST_LIFE
} JwtAuthKeyColumn;

typedef enum JwtAuthKeyState
{
	JWTAUTH_KEY_STANDBY,		/* published, verifies, does not sign */
	JWTAUTH_KEY_CURRENT,		/* signs */
	JWTAUTH_KEY_PREVIOUS,		/* verifies only */
	JWTAUTH_KEY_REVOKED			/* nothing */
} JwtAuthKeyState;

/*
 * A stored key as this backend knows it.  Valid until the next call into
 * this module.
 */
typedef struct JwtAuthKey
{
	char	   *issuer;
	char	   *kid;
	const JwtAlg *alg;			/* NULL: the key's type and the policy say */
	JwtKeyType	kty;
	JwtAuthKeyState state;
	bool		may_sign;
	int32		longest_life;	/* of a token it signed; seconds */
	TimestampTz not_before;		/* -infinity if open */
	TimestampTz not_after;		/* infinity if open */

	/* SHA-256 over the key's material: the same bytes, the same key. */
	unsigned char digest[JWT_SHA256_LEN];
} JwtAuthKey;

/* NULL if there is none of that name; issuer is empty for our own. */
extern JwtAuthKey *jwtauth_keystore_find(JwtSlice issuer, JwtSlice kid);

/*
 * Names of the issuer's keys that are in force at that time and could have
 * signed with alg, newest first, palloc'd; -1 if there are more than max.
 */
extern int	jwtauth_keystore_fitting(JwtSlice issuer, const JwtAlg *alg,
									 TimestampTz at, JwtSlice *kids, int max);

/*
 * Name of the own key that signs by default, palloc'd: current, and became
 * so last; alg NULL: of any algorithm.  NULL if there is none.
 */
extern char *jwtauth_keystore_current(const JwtAlg *alg);

/* Is the key good for anything at that time: neither revoked nor outside. */
extern bool jwtauth_key_in_force(const JwtAuthKey *key, TimestampTz at);

/*
 * The parsed key.  For signing it holds the private half.  Raises if that is
 * sealed and cannot be opened, or lives outside and is not there.
 */
extern JwtStatus jwtauth_keystore_verifying(JwtAuthKey *key, JwtKey **parsed);
extern JwtStatus jwtauth_keystore_signing(JwtAuthKey *key, JwtKey **parsed);

#endif							/* JWTAUTH_KEYSTORE_H */
