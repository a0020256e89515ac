/*-------------------------------------------------------------------------
 *
 * verifier_rules.h
 *	  The rules that a token's claims must keep; shared by both verifiers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_VERIFIER_RULES_H
#define JWTAUTH_VERIFIER_RULES_H

#include "verifier.h"

/*
 * May a key that names no algorithm serve this one?  For RSA and oct the
 * list decides; without a list RS256 and HS256 alone are meant.
 */
extern bool jwtauth_alg_is_meant(JwtKeyType kty, const JwtAlg *alg,
								 const JwtAuthList *algorithms);

/* Types (28J08), exp (01), nbf and iat (02): obeyed wherever present. */
extern JwtStatus jwtauth_rules_times(JwtAuthToken *token,
									 const JwtAuthDemand *demand,
									 int64 leeway, JwtAuthFault *fault);

/* The caller's own audience (07). */
extern JwtStatus jwtauth_rules_demand(const JwtAuthToken *token,
									  const JwtAuthDemand *demand,
									  JwtAuthFault *fault);

/* All of a policy: the two above, its audiences, claims, age and typ. */
extern JwtStatus jwtauth_rules_claims(JwtAuthToken *token,
									  const JwtAuthPolicy *policy,
									  const JwtAuthDemand *demand,
									  JwtAuthFault *fault);

#endif							/* JWTAUTH_VERIFIER_RULES_H */
