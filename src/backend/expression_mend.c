/*-------------------------------------------------------------------------
 *
 * expression_mend.c
 *	  The expression of a policy as jwt.advise() would have it.
 *
 * Claims come from us instead of a setting, from app_metadata instead of
 * user_metadata, the time from statement_timestamp(), and what was looked for
 * in a subquery is looked for in an array, which an index can answer.  The
 * parsed expression is changed, not its text: a constant that only looks like
 * one of these stays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "expression.h"
#include "expression_mend.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#define EDITED_BY_USERS "user_metadata"
#define EDITED_BY_US "app_metadata"

typedef struct Mend
{
	const JwtAuthHelpers *helpers;
	bool		changed;
} Mend;

/*----------
 * Claims from us
 *----------
 */

static Node *
cast_to(Node *node, Oid type)
{
	CoerceViaIO *cast = makeNode(CoerceViaIO);

	cast->arg = (Expr *) node;
	cast->resulttype = type;
	cast->resultcollid = get_typcollation(type);
	cast->coerceformat = COERCE_EXPLICIT_CAST;
	cast->location = -1;
	return (Node *) cast;
}

static Node *
all_claims(const JwtAuthHelpers *helpers)
{
	return (Node *) makeFuncExpr(helpers->claims, JSONBOID, NIL, InvalidOid,
								 InvalidOid, COERCE_EXPLICIT_CALL);
}

/* Written as one would: the server's own form is VARIADIC ARRAY[...]. */
static Node *
one_claim(const JwtAuthHelpers *helpers, const char *name)
{
	Const	   *path = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
								 CStringGetTextDatum(name), false, false);

	return (Node *) makeFuncExpr(helpers->claim, TEXTOID, list_make1(path),
								 DEFAULT_COLLATION_OID, DEFAULT_COLLATION_OID,
								 COERCE_EXPLICIT_CALL);
}

/* Is this jwt.claims()::text, NULLIF(..., '') taken off? */
static bool
is_claims_as_text(Node *node, const JwtAuthHelpers *helpers)
{
	if (IsA(node, NullIfExpr))
		node = linitial(((NullIfExpr *) node)->args);
	if (!IsA(node, CoerceViaIO))
		return false;
	node = (Node *) ((CoerceViaIO *) node)->arg;
	return IsA(node, FuncExpr) &&
		((FuncExpr *) node)->funcid == helpers->claims;
}

/* The arguments have been mended already. */
static Node *
from_us(Node *node, Mend *mend)
{
	const char *claim;
	CoerceViaIO *cast = (CoerceViaIO *) node;

	switch (jwtauth_setting_read(node, &claim))
	{
		case JWTAUTH_HOLDS_ALL:
			mend->changed = true;
			return cast_to(all_claims(mend->helpers), TEXTOID);
		case JWTAUTH_HOLDS_ONE:
			mend->changed = true;
			return one_claim(mend->helpers, claim);
		default:
			break;
	}
	if (!mend->changed || !IsA(node, CoerceViaIO) ||
		!is_claims_as_text((Node *) cast->arg, mend->helpers))
		return node;
	if (cast->resulttype == JSONBOID)
		return all_claims(mend->helpers);
	if (cast->resulttype == JSONOID)
		return cast_to(all_claims(mend->helpers), JSONOID);
	return node;
}

/*----------
 * Members that users do not edit
 *----------
 */

static bool
rename_in_array(Const *names)
{
	ArrayType  *array = DatumGetArrayTypeP(names->constvalue);
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	bool		found = false;

	if (ARR_NDIM(array) != 1)
		return false;
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			return false;
		if (strcmp(TextDatumGetCString(elements[i]), EDITED_BY_USERS) != 0)
			continue;
		elements[i] = CStringGetTextDatum(EDITED_BY_US);
		found = true;
	}
	if (found)
		names->constvalue =
			PointerGetDatum(construct_array(elements, count, TEXTOID, -1,
											false, TYPALIGN_INT));
	return found;
}

/* Keys are always in quotes there, and quotes in strings are escaped. */
static bool
rename_in_path(Const *path)
{
	char	   *written = jwtauth_constant_text(path);
	Datum		renamed;
	Oid			input;
	Oid			parameter;

	if (strstr(written, ".\"" EDITED_BY_USERS "\"") == NULL)
		return false;
	renamed = DirectFunctionCall3Coll(replace_text, DEFAULT_COLLATION_OID,
									  CStringGetTextDatum(written),
									  CStringGetTextDatum(".\"" EDITED_BY_USERS "\""),
									  CStringGetTextDatum(".\"" EDITED_BY_US "\""));
	getTypeInputInfo(JSONPATHOID, &input, &parameter);
	path->constvalue = OidInputFunctionCall(input, TextDatumGetCString(renamed),
											parameter, -1);
	return true;
}

static bool
rename_name(Const *name)
{
	switch (name->consttype)
	{
		case TEXTOID:
		case VARCHAROID:
			if (strcmp(TextDatumGetCString(name->constvalue),
					   EDITED_BY_USERS) != 0)
				return false;
			name->constvalue = CStringGetTextDatum(EDITED_BY_US);
			return true;
		case TEXTARRAYOID:
			return rename_in_array(name);
		case JSONPATHOID:
			return rename_in_path(name);
		default:
			return false;
	}
}

/*----------
 * What an index can answer
 *----------
 */

/* x IN (SELECT f()) becomes x = ANY (ARRAY(SELECT f())). */
static Node *
in_array(SubLink * link)
{
	OpExpr	   *equal = (OpExpr *) link->testexpr;
	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);
	SubLink    *array = makeNode(SubLink);

	array->subLinkType = ARRAY_SUBLINK;
	array->subselect = link->subselect;
	array->location = -1;
	any->opno = equal->opno;
	any->opfuncid = equal->opfuncid;
	any->useOr = true;
	any->inputcollid = equal->inputcollid;
	any->args = list_make2(linitial(equal->args), array);
	any->location = -1;
	return (Node *) any;
}

static Node *
mend_node(Node *node, Mend *mend)
{
	ListCell   *lc;

	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, mend_node, mend, 0);
	node = from_us(expression_tree_mutator(node, mend_node, mend), mend);
	foreach(lc, jwtauth_claim_names(node, mend->helpers))
		mend->changed |= rename_name(lfirst(lc));
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == F_CLOCK_TIMESTAMP)
	{
		((FuncExpr *) node)->funcid = F_STATEMENT_TIMESTAMP;
		mend->changed = true;
	}
	if (jwtauth_expression_is_asked_in(node, mend->helpers))
	{
		mend->changed = true;
		return in_array((SubLink *) node);
	}
	return node;
}

/*
 * A literal whose type's input may call a function of somebody's, as that of
 * an array of a domain does: whoever runs the SQL would call it by parsing
 * it.  What a base type has was written by a superuser, and labels of an enum
 * call nothing.
 */
static bool
has_foreign_literal(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_foreign_literal, context, 0);
	if (IsA(node, Const) && ((Const *) node)->consttype >= FirstNormalObjectId)
	{
		Oid			type = ((Const *) node)->consttype;
		Oid			element = get_element_type(type);
		char		kind = get_typtype(OidIsValid(element) ? element : type);

		return kind != TYPTYPE_BASE && kind != TYPTYPE_ENUM;
	}
	return expression_tree_walker(node, has_foreign_literal, context);
}

char *
jwtauth_expression_mended(Node *expression, Oid relation,
						  const JwtAuthHelpers *helpers)
{
	Mend		mend = {helpers, false};
	Node	   *mended = mend_node(expression, &mend);
	char	   *name = get_rel_name(relation);	/* NULL: dropped meanwhile */

	if (!mend.changed || name == NULL || has_foreign_literal(mended, NULL))
		return NULL;
	return deparse_expression(mended, deparse_context_for(name, relation),
							  false, false);
}
