/*-------------------------------------------------------------------------
 *
 * key_admin.h
 *	  Changes of the key store.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_KEY_ADMIN_H
#define JWTAUTH_KEY_ADMIN_H

#include "key.h"
#include "keystore.h"
#include "slice.h"
#include "utils/jsonb.h"

typedef struct JwtAuthNewKey
{
	JwtSlice	issuer;			/* empty: our own */
	JwtSlice	kid;
	const JwtAlg *alg;			/* NULL: the issuer's policy decides */
	const char *status;
	bool		may_sign;
	JwtSlice	key_uri;		/* where a private half is that is not stored */
	const char *event;			/* "key made" and the like */
} JwtAuthNewKey;

/* The word as a constant, or 22023 with the list of words. */
extern const char *jwtauth_key_status(JwtSlice word);

/*
 * Waits for whoever changes the state of keys of that algorithm; NULL: of
 * keys without one.  Taken before the snapshot that a change is made under.
 */
extern void jwtauth_key_lock(const JwtAlg *alg);

/*
 * Stores a key.  An own key that is current makes the one before it
 * previous.  42710 if the name is taken.
 */
extern void jwtauth_key_add(const JwtAuthNewKey *new_key, const JwtKey *key);

/* 42704 if there is no such key. */
extern void jwtauth_key_set_status(JwtSlice issuer, JwtSlice kid,
								   const char *status);
extern void jwtauth_key_set_times(JwtSlice issuer, JwtSlice kid,
								  NullableDatum not_before,
								  NullableDatum not_after);
extern void jwtauth_key_drop(JwtSlice issuer, JwtSlice kid);

/* The own standby key of that algorithm that was made first; or none. */
extern JwtSlice jwtauth_key_standby(const JwtAlg *alg);

/*
 * Notes how long a token lives that the key, one of our own, has signed, as
 * the transaction commits; not on a standby or in a read-only transaction,
 * which sign all the same.
 */
extern void jwtauth_key_note_life(const JwtAuthKey *key, int64 seconds);

/*
 * The algorithm of the key that signs by default, or did until its time was
 * over; raises without one.
 */
extern const JwtAlg *jwtauth_default_signing_alg(void);

/*
 * Replaces the keys of an issuer by a JWKS; returns how many of the set are in
 * force now.  Keys that are not in it become revoked, unless kept; what was
 * revoked by hand stays so.
 */
extern int	jwtauth_key_set_replace(Jsonb *jwks, JwtSlice issuer,
									bool keep_missing);

/* Own public keys that are not revoked, as a JWKS. */
extern Jsonb *jwtauth_keystore_jwks(void);

/*
 * Moves every private key to the sealing key of the setting, or into the
 * clear if that is empty, or none at all; returns how many were moved.
 * old_path, NULL if there is none, is the file that they were sealed with.
 */
extern int	jwtauth_key_reseal(const char *old_path);

#endif							/* JWTAUTH_KEY_ADMIN_H */
