/*-------------------------------------------------------------------------
 *
 * issuer.h
 *	  Whom we trust to issue tokens, and what we demand of theirs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_ISSUER_H
#define JWTAUTH_ISSUER_H

#include "alg.h"
#include "slice.h"
#include "status.h"
#include "utils/jsonb.h"
#include "utils/jsonpath.h"

/* A list of strings; count is -1 where nothing was said. */
typedef struct JwtAuthList
{
	int			count;
	JwtSlice   *items;
} JwtAuthList;

extern bool jwtauth_list_has(const JwtAuthList *list, JwtSlice item);

/* Elements of a text[] Datum, palloc'd; elements that are null are left out. */
extern JwtAuthList jwtauth_list_of(Datum text_array);

/* Valid until the next call into this module. */
typedef struct JwtAuthPolicy
{
	bool		own;			/* our own tokens */
	JwtSlice	issuer;			/* as in "iss"; empty: tokens without one */
	JwtSlice	key_issuer;		/* as in the key store: empty for our own */
	JwtAuthList audiences;		/* of its row; "*": any */
	JwtSlice	own_audience;	/* jwt_auth.audience; data NULL: not checked */
	JwtAuthList algorithms;
	int64		leeway;			/* microseconds */
	int64		max_age;		/* microseconds; -1: no limit */
	JwtAuthList typ;
	JwtAuthList required_claims;
	JsonPath   *role_claim;		/* NULL: "$.role" if own, else none */
	JwtAuthList allowed_roles;	/* count -1: unbounded if own, else none */
	char	   *default_role;	/* NULL: none */
	char	   *subject_prefix;
} JwtAuthPolicy;

/*
 * The policy for tokens with that "iss" (data NULL: without one); NULL if
 * such tokens are not trusted.
 */
extern const JwtAuthPolicy *jwtauth_policy_for(JwtSlice iss);

/* May that algorithm be used at all, as far as the issuer's row says? */
extern bool jwtauth_policy_allows(const JwtAuthPolicy *policy,
								  const JwtAlg *alg);

/*
 * Values of the role claim: an array of what the path finds, arrays
 * flattened; NULL if there is no path or it finds nothing.
 */
extern Jsonb *jwtauth_policy_roles(const JwtAuthPolicy *policy,
								   Jsonb *claims);

#endif							/* JWTAUTH_ISSUER_H */
