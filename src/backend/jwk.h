/*-------------------------------------------------------------------------
 *
 * jwk.h
 *	  Keys between jsonb and the core: RFC 7517.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_JWK_H
#define JWTAUTH_JWK_H

#include "key.h"
#include "utils/jsonb.h"
#include "utils/palloc.h"

/*
 * Parses one JWK.  The key belongs to the memory context given: resetting or
 * deleting the context wipes and frees it, an error on the way leaks nothing.
 */
extern JwtStatus jwtauth_key_from_jwk(Jsonb *jwk, MemoryContext context,
									  JwtKey **key);

/*
 * The same for a JWK that a caller passes: the last one stays parsed, for
 * callers that pass the same key again and again.  The key is good until the
 * next call.
 */
extern JwtStatus jwtauth_key_of_argument(Jsonb *jwk, JwtKey **key);

/* The same under limits other than those of the settings. */
extern JwtStatus jwtauth_key_from_jwk_limited(Jsonb *jwk,
											  const JwtKeyLimits *limits,
											  MemoryContext context,
											  JwtKey **key);

/*
 * An oct key of raw bytes; text that is a key in another dress is refused.
 * The key belongs to the caller.
 */
extern JwtStatus jwtauth_key_from_secret(JwtSlice secret, const JwtAlg *alg,
										 const JwtKeyLimits *limits,
										 JwtKey **key);

/* Makes an already built key belong to a memory context. */
typedef struct JwtAuthKeyOwner JwtAuthKeyOwner;
extern JwtAuthKeyOwner *jwtauth_key_owner(MemoryContext context);
extern void jwtauth_key_own(JwtAuthKeyOwner *owner, JwtKey *key);

/* Frees a key before its context goes. */
extern void jwtauth_key_release(JwtAuthKeyOwner *owner);

/*
 * JWK of a key: public members only, or all.  kid and alg are put in where
 * given.  For a public JWK of an oct key there is nothing: NULL.
 */
extern Jsonb *jwtauth_jwk_of(const JwtKey *key, JwtSlice kid,
							 const JwtAlg *alg, bool with_private);

/* Builds a JWKS, RFC 7517, Sec. 5: begin, put keys, end. */
typedef struct JwtAuthJwksBuilder JwtAuthJwksBuilder;
extern JwtAuthJwksBuilder *jwtauth_jwks_begin(void);
extern void jwtauth_jwks_put(JwtAuthJwksBuilder *b, Jsonb *jwk);
extern Jsonb *jwtauth_jwks_end(JwtAuthJwksBuilder *b);

/* "kid" member of what makes a key; data NULL if there is none. */
extern JwtSlice jwtauth_jwk_kid(Jsonb *jwk);

/* RFC 7638 thumbprint as a slice of palloc'd text. */
extern JwtSlice jwtauth_jwk_thumbprint(const JwtKey *key);

/* The row of an algorithm that a caller named, or 22023. */
extern const JwtAlg *jwtauth_alg_argument(JwtSlice name);

#endif							/* JWTAUTH_JWK_H */
