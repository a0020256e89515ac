/*-------------------------------------------------------------------------
 *
 * expression.h
 *	  What an expression of a policy calls, reads and compares.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_EXPRESSION_H
#define JWTAUTH_EXPRESSION_H

#include "expression_claims.h"

typedef enum JwtAuthFactKind
{
	JWTAUTH_CALLS,				/* function */
	JWTAUTH_READS_SETTING,		/* that holds claims */
	JWTAUTH_NAMES,				/* text: constant that names a member of
								 * claims */
	JWTAUTH_COMPARES,			/* relation, column and function: "=" */
	JWTAUTH_COMPARES_IN,		/* the same: "IN (SELECT ...)", for no index */
	JWTAUTH_OFFERS				/* alternatives: OR */
} JwtAuthFactKind;

typedef struct JwtAuthFact
{
	JwtAuthFactKind kind;
	Oid			function;		/* called; of a comparison: one that asks us */
	Oid			relation;		/* of a comparison: the column's table */
	int			column;
	bool		is_indexed;		/* an index begins with what is compared */
	const char *text;			/* comparison: the column's side as SQL if the
								 * column is cast there, else NULL */
} JwtAuthFact;

typedef void (*JwtAuthFactSink) (const JwtAuthFact *fact, void *arg);

/*
 * Hands sink every fact of an expression over a row of relation, subqueries
 * included.  No table is locked, nor opened.
 */
extern void jwtauth_expression_walk(Node *expression, Oid relation,
									const JwtAuthHelpers *helpers,
									JwtAuthFactSink sink, void *arg);

/*
 * Is it a column IN (SELECT ...) of what asks us and no row?  Row security
 * runs it for each row.
 */
extern bool jwtauth_expression_is_asked_in(Node *node,
										   const JwtAuthHelpers *helpers);

#endif							/* JWTAUTH_EXPRESSION_H */
