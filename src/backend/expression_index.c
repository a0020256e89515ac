/*-------------------------------------------------------------------------
 *
 * expression_index.c
 *	  The column that is compared, and the index that answers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "compat.h"
#include "expression_index.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* What a cast is applied to; NULL if it is no cast. */
static Node *
under_cast(Node *node)
{
	FuncExpr   *call = (FuncExpr *) node;
	ListCell   *lc;

	if (IsA(node, RelabelType))
		return (Node *) ((RelabelType *) node)->arg;
	if (IsA(node, CoerceViaIO))
		return (Node *) ((CoerceViaIO *) node)->arg;
	if (!IsA(node, FuncExpr) || call->args == NIL ||
		(call->funcformat != COERCE_EXPLICIT_CAST &&
		 call->funcformat != COERCE_IMPLICIT_CAST))
		return NULL;

	/* What else a cast is given is constant: a length, is it explicit. */
	for_each_from(lc, call->args, 1)
	{
		if (!IsA(lfirst(lc), Const))
			return NULL;
	}
	return linitial(call->args);
}

Var *
jwtauth_indexed_column(Node *side, bool *cast)
{
	*cast = false;
	while (side != NULL && !IsA(side, Var))
	{
		*cast |= !IsA(side, RelabelType);
		side = under_cast(side);
	}
	return (Var *) side;
}

char *
jwtauth_indexed_as(Node *side, Oid relation)
{
	if (IsA(side, Var))
		return pstrdup(quote_identifier(get_attname(relation,
													((Var *) side)->varattno,
													false)));
	return psprintf("(%s)::%s",
					jwtauth_indexed_as(under_cast(side), relation),
					format_type_extended(exprType(side), exprTypmod(side),
										 FORMAT_TYPE_TYPEMOD_GIVEN |
										 FORMAT_TYPE_FORCE_QUALIFY));
}

/* The side as it stands in an index. */
static Node *
in_index(Node *side)
{
	Node	   *copy = copyObject(side);
	bool		cast;
	Var		   *var = jwtauth_indexed_column(copy, &cast);

	var->varno = 1;
	var->varlevelsup = 0;
	return copy;
}

/* The first expression of an index; NULL if it has none. */
static Node *
first_expression(Relation catalog, HeapTuple tuple)
{
	bool		isnull;
	Datum		trees = heap_getattr(tuple, Anum_pg_index_indexprs,
									 RelationGetDescr(catalog), &isnull);

	return isnull ? NULL :
		linitial((List *) stringToNode(TextDatumGetCString(trees)));
}

/* Does it compare by "=", and for all rows? */
static bool
answers(Form_pg_index index, HeapTuple tuple)
{
	HeapTuple	class;
	Oid			am;

	if (!index->indisvalid ||
		!heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		return false;
	class = SearchSysCache1(RELOID, ObjectIdGetDatum(index->indexrelid));
	if (!HeapTupleIsValid(class))
		return false;
	am = ((Form_pg_class) GETSTRUCT(class))->relam;
	ReleaseSysCache(class);
	return am == BTREE_AM_OID || am == HASH_AM_OID;
}

bool
jwtauth_index_begins_with(Oid relation, Node *side)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		cast;
	Var		   *var = jwtauth_indexed_column(side, &cast);
	bool		found = false;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relation));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1,
							  &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

		if (!answers(index, tuple))
			continue;
		if (!cast)
			found = index->indkey.values[0] == var->varattno;
		else if (index->indkey.values[0] == 0)
			found = equal(in_index(side), first_expression(catalog, tuple));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}
