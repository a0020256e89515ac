/*-------------------------------------------------------------------------
 *
 * revocation.h
 *	  Has a token been taken back?  By session, by subject, by itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_REVOCATION_H
#define JWTAUTH_REVOCATION_H

#include "token.h"

/*
 * The name under which one token alone is revoked: its jti, or a hash of
 * what was signed where it has none.  The signature is left out of the hash:
 * an ECDSA signature has a twin that verifies as well.
 */
extern JwtSlice jwtauth_token_revocation_id(const JwtAuthToken *token);

/* True if the token must be refused; key_issuer is empty for our own. */
extern bool jwtauth_is_revoked(const JwtAuthToken *token,
							   JwtSlice key_issuer);

/*
 * The latest moment until which everything issued to a subject is void;
 * false if there is none.
 */
extern bool jwtauth_subject_cutoff(JwtSlice key_issuer, JwtSlice subject,
								   TimestampTz *cutoff);

#endif							/* JWTAUTH_REVOCATION_H */
