/*-------------------------------------------------------------------------
 *
 * expression.c
 *	  What an expression of a policy calls, reads and compares.
 *
 * pg_depend does not say it: built-in functions are not in it, nor which
 * column is compared with what.  Nothing here is evaluated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "expression.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

typedef struct Walk
{
	Oid			relation;		/* table of the outermost level */
	Oid			helpers;		/* schema */
	List	   *queries;		/* of the levels around us, innermost first */
	JwtAuthFactSink sink;
	void	   *arg;
} Walk;

static void
tell(Walk *walk, JwtAuthFactKind kind, Oid function, const char *text)
{
	JwtAuthFact fact = {kind, function, InvalidOid, 0, text};

	walk->sink(&fact, walk->arg);
}

static bool
tell_call(Oid function, void *context)
{
	tell((Walk *) context, JWTAUTH_CALLS, function, NULL);
	return false;
}

/* Text of a constant that may name a member of the claims; else NULL. */
static char *
text_of(Node *node)
{
	Const	   *constant = (Const *) node;
	Oid			output;
	bool		is_varlena;

	if (node == NULL || !IsA(node, Const) || constant->constisnull)
		return NULL;
	switch (constant->consttype)
	{
		case TEXTOID:
		case VARCHAROID:
		case TEXTARRAYOID:
		case JSONPATHOID:
			getTypeOutputInfo(constant->consttype, &output, &is_varlena);
			return OidOutputFunctionCall(output, constant->constvalue);
		default:
			return NULL;
	}
}

/* What one side of a comparison holds. */
typedef struct Side
{
	Oid			schema;			/* of the helpers */
	Oid			helper;			/* the first one called */
	bool		has_column;
} Side;

static bool
is_helper(Oid function, void *context)
{
	Side	   *side = context;

	if (!OidIsValid(side->helper) &&
		get_func_namespace(function) == side->schema)
		side->helper = function;
	return false;
}

static bool
look_at_side(Node *node, Side *side)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		side->has_column = true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, look_at_side, side, 0);
	(void) check_functions_in_node(node, is_helper, side);
	return expression_tree_walker(node, look_at_side, side);
}

/*
 * Is it a cast by a function?  SQL has other syntax for functions, AT TIME
 * ZONE and SYSTEM_USER among it.  What else a cast is given is constant.
 */
static bool
is_cast(Node *node)
{
	FuncExpr   *call = (FuncExpr *) node;
	ListCell   *lc;

	if (!IsA(node, FuncExpr) || call->args == NIL ||
		(call->funcformat != COERCE_EXPLICIT_CAST &&
		 call->funcformat != COERCE_IMPLICIT_CAST))
		return false;
	for_each_from(lc, call->args, 1)
	{
		if (!IsA(lfirst(lc), Const))
			return false;
	}
	return true;
}

/* The column that a side is, casts taken off; NULL if it is something else. */
static Var *
column_of(Node *node, bool *cast)
{
	*cast = false;
	while (node != NULL && !IsA(node, Var))
	{
		if (IsA(node, RelabelType))
		{
			node = (Node *) ((RelabelType *) node)->arg;
			continue;
		}
		*cast = true;
		if (IsA(node, CoerceViaIO))
			node = (Node *) ((CoerceViaIO *) node)->arg;
		else if (is_cast(node))
			node = linitial(((FuncExpr *) node)->args);
		else
			return NULL;
	}
	return (Var *) node;
}

/* The table of a column; InvalidOid if it comes from something else. */
static Oid
table_of(Walk *walk, Var *var)
{
	RangeTblEntry *entry;
	Query	   *query;

	if (var->varlevelsup >= list_length(walk->queries))
		return walk->relation;
	query = list_nth(walk->queries, var->varlevelsup);
	entry = rt_fetch(var->varno, query->rtable);
	return entry->rtekind == RTE_RELATION ? entry->relid : InvalidOid;
}

/*
 * The side as it would stand in an index: the deparser is to take the column
 * for one of a single table.
 */
static char *
indexed_as(Node *side, Var *var, Oid relation)
{
	Var			in_place = *var;
	Node	   *copy;

	var->varno = 1;
	var->varlevelsup = 0;
	copy = copyObject(side);
	*var = in_place;
	return deparse_expression(copy,
							  deparse_context_for(get_rel_name(relation),
												  relation),
							  false, false);
}

static void
compare(Walk *walk, Node *column_side, Node *helper_side)
{
	JwtAuthFact fact = {JWTAUTH_COMPARES, InvalidOid, InvalidOid, 0, NULL};
	Side		side = {walk->helpers, InvalidOid, false};
	bool		cast;
	Var		   *var = column_of(column_side, &cast);

	if (var == NULL || var->varattno <= 0)
		return;
	(void) look_at_side(helper_side, &side);
	if (side.has_column || !OidIsValid(side.helper))
		return;
	fact.relation = table_of(walk, var);
	if (!OidIsValid(fact.relation))
		return;
	fact.function = side.helper;
	fact.column = var->varattno;
	fact.text = cast ? indexed_as(column_side, var, fact.relation) : NULL;
	walk->sink(&fact, walk->arg);
}

static bool
walk_node(Node *node, Walk *walk)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		List	   *around = walk->queries;

		walk->queries = lcons(node, list_copy(around));
		(void) query_tree_walker((Query *) node, walk_node, walk, 0);
		walk->queries = around;
		return false;
	}

	(void) check_functions_in_node(node, tell_call, walk);
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2 &&
		get_mergejoin_opfamilies(((OpExpr *) node)->opno) != NIL)
	{
		List	   *args = ((OpExpr *) node)->args;

		compare(walk, linitial(args), lsecond(args));
		compare(walk, lsecond(args), linitial(args));
	}
	else if (IsA(node, FuncExpr) &&
			 (((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT ||
			  ((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT_BOOL))
		tell(walk, JWTAUTH_READS_SETTING, InvalidOid,
			 text_of(linitial(((FuncExpr *) node)->args)));
	else if (text_of(node) != NULL)
		tell(walk, JWTAUTH_SAYS, InvalidOid, text_of(node));
	return expression_tree_walker(node, walk_node, walk);
}

void
jwtauth_expression_walk(Node *expression, Oid relation, Oid helpers,
						JwtAuthFactSink sink, void *arg)
{
	Walk		walk = {relation, helpers, NIL, sink, arg};

	(void) walk_node(expression, &walk);
}
