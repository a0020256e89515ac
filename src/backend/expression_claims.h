/*-------------------------------------------------------------------------
 *
 * expression_claims.h
 *	  Where an expression reads claims: through us, or from a setting.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_EXPRESSION_CLAIMS_H
#define JWTAUTH_EXPRESSION_CLAIMS_H

#include "nodes/pg_list.h"

/* Functions that ask us. */
typedef struct JwtAuthHelpers
{
	List	   *all;			/* oids: ours, and those of others around them */
	Oid			claims;			/* jwt.claims() */
	Oid			claim;			/* jwt.claim() */
} JwtAuthHelpers;

extern JwtAuthHelpers jwtauth_helpers(Oid schema, List *all);

/* Which claims a setting holds that is known to hold any. */
typedef enum JwtAuthHeld
{
	JWTAUTH_HOLDS_NONE,
	JWTAUTH_HOLDS_ALL,			/* a JSON object */
	JWTAUTH_HOLDS_ONE,			/* that one */
	JWTAUTH_HOLDS_SOME			/* something of them */
} JwtAuthHeld;

/* What the setting holds that a node reads; claim is set for HOLDS_ONE. */
extern JwtAuthHeld jwtauth_setting_read(Node *node, const char **claim);

/*
 * The constants that name members of the claims in a node, which are of type
 * text, text[], jsonpath or jsonb.  The node's arguments are not looked into.
 */
extern List *jwtauth_claim_names(Node *node, const JwtAuthHelpers *helpers);

/* A constant as text. */
extern char *jwtauth_constant_text(Const *constant);

#endif							/* JWTAUTH_EXPRESSION_CLAIMS_H */
