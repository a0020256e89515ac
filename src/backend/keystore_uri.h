/*-------------------------------------------------------------------------
 *
 * keystore_uri.h
 *	  Private keys that are not stored but opened at a URI.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_KEYSTORE_URI_H
#define JWTAUTH_KEYSTORE_URI_H

#include "jwk.h"
#include "key.h"

/*
 * May the current user have this server open that URI, and is it one?  What
 * a file holds may be told from what becomes of it, and other schemes run
 * code of OpenSSL's providers.  Raises 42501 or 22023.
 */
extern void jwtauth_uri_check(JwtSlice uri);

/* A key that belongs to context; raises if there is none. */
extern JwtKey *jwtauth_uri_open(JwtSlice uri, const JwtAlg *alg,
								MemoryContext context);

/*
 * The private key at the URI of a stored row; raises if it is not there or
 * not the one whose public half is stored.
 */
extern JwtStatus jwtauth_keystore_open_uri(text * uri, Jsonb *public_jwk,
										   const JwtAlg *alg,
										   MemoryContext context,
										   JwtKey **parsed);

#endif							/* JWTAUTH_KEYSTORE_URI_H */
