/*-------------------------------------------------------------------------
 *
 * signer.h
 *	  Tokens made: claims completed, header written, signed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_SIGNER_H
#define JWTAUTH_SIGNER_H

#include "key.h"
#include "slice.h"
#include "utils/jsonb.h"

typedef struct JwtAuthSignRequest
{
	Jsonb	   *claims;
	Jsonb	   *header;			/* members to add; NULL: none */
	bool		has_expires_in;
	int64		expires_in;		/* microseconds */
} JwtAuthSignRequest;

/* The members of a token's header that another token's may take over. */
extern Jsonb *jwtauth_header_members(Jsonb *header);

/*
 * Signs with the stored key of that name, or (kid data NULL) with the one
 * that became current last.  Adds iss, iat, exp, jti where absent.
 */
extern text * jwtauth_sign(const JwtAuthSignRequest *request, JwtSlice kid);

/* The same with a JWK that the caller holds. */
extern text * jwtauth_sign_with(const JwtAuthSignRequest *request, Jsonb *jwk);

/* RFC 7515: a compact JWS over any payload. */
extern text * jwtauth_jws_sign(JwtSlice payload, Jsonb *jwk, Jsonb *header);

#endif							/* JWTAUTH_SIGNER_H */
