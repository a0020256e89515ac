/*-------------------------------------------------------------------------
 *
 * expression.h
 *	  What an expression of a policy calls, reads and compares.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_EXPRESSION_H
#define JWTAUTH_EXPRESSION_H

#include "nodes/nodes.h"

typedef enum JwtAuthFactKind
{
	JWTAUTH_CALLS,				/* function */
	JWTAUTH_READS_SETTING,		/* text: its name, where that is a constant */
	JWTAUTH_SAYS,				/* text: a constant */
	JWTAUTH_COMPARES			/* relation, column and function: "=" */
} JwtAuthFactKind;

typedef struct JwtAuthFact
{
	JwtAuthFactKind kind;
	Oid			function;		/* called; of a comparison: our helper */
	Oid			relation;		/* of a comparison: the column's table */
	int			column;
	const char *text;			/* comparison: the column's side as SQL if the
								 * column is cast there, else NULL */
} JwtAuthFact;

typedef void (*JwtAuthFactSink) (const JwtAuthFact *fact, void *arg);

/*
 * Hands sink every fact of an expression over a row of relation, subqueries
 * included.  Helpers are the functions of that schema.
 */
extern void jwtauth_expression_walk(Node *expression, Oid relation,
									Oid helpers, JwtAuthFactSink sink,
									void *arg);

#endif							/* JWTAUTH_EXPRESSION_H */
