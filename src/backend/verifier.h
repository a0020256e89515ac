/*-------------------------------------------------------------------------
 *
 * verifier.h
 *	  Is a token good?
 *
 * The order in which faults are told is part of the contract: shape and
 * size 28J00, header 28J00, issuer 28J06, algorithm 28J05, key 28J04, key
 * revoked 28J09, signature 28J03, claim types 28J08, exp 28J01, nbf and iat
 * 28J02, audience 28J07, required claims and age 28J08, revocation 28J09,
 * transport 28J11.  The role (28J12) is identity's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_VERIFIER_H
#define JWTAUTH_VERIFIER_H

#include "issuer.h"
#include "token.h"

/* What the caller demands on top of the policy. */
typedef struct JwtAuthDemand
{
	JwtSlice	audience;		/* data NULL: nothing */
	JwtSlice	issuer;			/* data NULL: nothing */
	TimestampTz at;				/* when the token must be good */
	bool		is_now;			/* at is the statement's clock, nobody chose
								 * it */
} JwtAuthDemand;

/* No demands, judged now. */
extern JwtAuthDemand jwtauth_no_demand(void);

/*
 * Judges a token by the key store and the policies of issuers.  One that is
 * found among those verified before is judged anew in everything but the
 * signature, and that too if its key has other material now.  *policy is set
 * on JWT_OK; the results are good until the next call.
 */
extern JwtStatus jwtauth_verify(JwtSlice text, const JwtAuthDemand *demand,
								JwtAuthToken **token,
								const JwtAuthPolicy **policy,
								JwtAuthFault *fault);

/*
 * Issuer, algorithm, key and signature only, and the types of the claims:
 * is the token genuine, expired or not?
 */
extern JwtStatus jwtauth_verify_origin(JwtSlice text, JwtAuthToken *token,
									   const JwtAuthPolicy **policy,
									   JwtAuthFault *fault);

/*
 * Verifies the signature with a JWK or JWKS that the caller holds; the
 * token was read.  algorithms: count -1 for "as the key says".
 */
extern JwtStatus jwtauth_verify_signature_with(JwtAuthToken *token,
											   Jsonb *jwks,
											   const JwtAuthList *algorithms,
											   JwtAuthFault *fault);

/* All of verify_with(): signature, then only what the arguments demand. */
extern JwtStatus jwtauth_verify_with(JwtSlice text, Jsonb *jwks,
									 const JwtAuthList *algorithms,
									 const JwtAuthDemand *demand,
									 JwtAuthToken *token,
									 JwtAuthFault *fault);

#endif							/* JWTAUTH_VERIFIER_H */
