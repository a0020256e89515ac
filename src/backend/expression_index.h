/*-------------------------------------------------------------------------
 *
 * expression_index.h
 *	  The column that is compared, and the index that answers.
 *
 * No table is locked, nor opened: who holds a lock on one keeps nobody here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef JWTAUTH_EXPRESSION_INDEX_H
#define JWTAUTH_EXPRESSION_INDEX_H

#include "nodes/primnodes.h"

/*
 * The column that one side of a comparison is; NULL if it is something else.
 * cast: an index must hold what the column is cast to.
 */
extern Var *jwtauth_indexed_column(Node *side, bool *cast);

/* That side as SQL, every type with its schema. */
extern char *jwtauth_indexed_as(Node *side, Oid relation);

/* Is there an index without condition that begins with it? */
extern bool jwtauth_index_begins_with(Oid relation, Node *side);

#endif							/* JWTAUTH_EXPRESSION_INDEX_H */
