/*-------------------------------------------------------------------------
 *
 * expression_mend.h
 *	  The expression of a policy as jwt.advise() would have it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_EXPRESSION_MEND_H
#define JWTAUTH_EXPRESSION_MEND_H

#include "expression_claims.h"

/*
 * As SQL; NULL if there is nothing that could be mended.  Names are written
 * as the search_path demands, and the tables in it are locked for reading.
 */
extern char *jwtauth_expression_mended(Node *expression, Oid relation,
									   const JwtAuthHelpers *helpers);

#endif							/* JWTAUTH_EXPRESSION_MEND_H */
