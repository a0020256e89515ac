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

#include "compat.h"
#include "expression.h"
#include "expression_index.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

typedef struct Walk
{
	Oid			relation;		/* table of the outermost level */
	const JwtAuthHelpers *helpers;
	List	   *queries;		/* of the levels around us, innermost first */
	JwtAuthFactSink sink;
	void	   *arg;
} Walk;

static void
tell(Walk *walk, JwtAuthFactKind kind, Oid function, const char *text)
{
	JwtAuthFact fact = {kind, function, InvalidOid, 0, false, text};

	walk->sink(&fact, walk->arg);
}

static bool
tell_call(Oid function, void *context)
{
	tell((Walk *) context, JWTAUTH_CALLS, function, NULL);
	return false;
}

/*----------
 * Comparisons
 *----------
 */

/* What one side of a comparison holds. */
typedef struct Side
{
	const JwtAuthHelpers *helpers;
	Oid			helper;			/* the first one called */
	bool		has_column;
} Side;

static bool
is_helper(Oid function, void *context)
{
	Side	   *side = context;

	if (!OidIsValid(side->helper) &&
		list_member_oid(side->helpers->all, function))
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

/* The function that asks us on that side; InvalidOid if a row is asked too. */
static Oid
asked_by(Node *node, const JwtAuthHelpers *helpers)
{
	Side		side = {helpers, InvalidOid, false};

	(void) look_at_side(node, &side);
	return side.has_column ? InvalidOid : side.helper;
}

/* Operands of an "=" that an index could answer; else NIL. */
static List *
operands(Node *node)
{
	if (node != NULL && IsA(node, OpExpr) &&
		list_length(((OpExpr *) node)->args) == 2 &&
		get_mergejoin_opfamilies(((OpExpr *) node)->opno) != NIL)
		return ((OpExpr *) node)->args;
	return NIL;
}

static SubLink *
in_subquery(Node *node)
{
	SubLink    *link = (SubLink *) node;

	return IsA(node, SubLink) && link->subLinkType == ANY_SUBLINK &&
		operands(link->testexpr) != NIL ? link : NULL;
}

bool
jwtauth_expression_is_asked_in(Node *node, const JwtAuthHelpers *helpers)
{
	SubLink    *link = in_subquery(node);
	bool		cast;

	return link != NULL && OidIsValid(asked_by(link->subselect, helpers)) &&
		jwtauth_indexed_column(linitial(operands(link->testexpr)), &cast) != NULL;
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

static void
compare(Walk *walk, JwtAuthFactKind kind, Node *column_side, Node *helper_side)
{
	JwtAuthFact fact = {kind};
	bool		cast;
	Var		   *var = jwtauth_indexed_column(column_side, &cast);

	if (var == NULL || var->varattno <= 0)
		return;
	fact.function = asked_by(helper_side, walk->helpers);
	fact.relation = table_of(walk, var);
	if (!OidIsValid(fact.function) || !OidIsValid(fact.relation))
		return;
	fact.column = var->varattno;
	if (cast)
		fact.text = jwtauth_indexed_as(column_side, fact.relation);
	fact.is_indexed = kind == JWTAUTH_COMPARES &&
		jwtauth_index_begins_with(fact.relation, column_side);
	walk->sink(&fact, walk->arg);
}

static void
look_for_comparison(Walk *walk, Node *node)
{
	List	   *both = operands(node);
	SubLink    *link = in_subquery(node);
	ScalarArrayOpExpr *any = (ScalarArrayOpExpr *) node;

	if (both != NIL)
	{
		compare(walk, JWTAUTH_COMPARES, linitial(both), lsecond(both));
		compare(walk, JWTAUTH_COMPARES, lsecond(both), linitial(both));
	}
	else if (link != NULL)
		compare(walk, JWTAUTH_COMPARES_IN, linitial(operands(link->testexpr)),
				link->subselect);
	else if (IsA(node, ScalarArrayOpExpr) && any->useOr &&
			 get_mergejoin_opfamilies(any->opno) != NIL)
		compare(walk, JWTAUTH_COMPARES, linitial(any->args), lsecond(any->args));
}

/*----------
 * The walk
 *----------
 */

static void
tell_of_node(Walk *walk, Node *node)
{
	const char *claim;
	ListCell   *lc;

	(void) check_functions_in_node(node, tell_call, walk);
	if (jwtauth_setting_read(node, &claim) != JWTAUTH_HOLDS_NONE)
		tell(walk, JWTAUTH_READS_SETTING, InvalidOid, NULL);
	foreach(lc, jwtauth_claim_names(node, walk->helpers))
		tell(walk, JWTAUTH_NAMES, InvalidOid,
			 jwtauth_constant_text(lfirst(lc)));
	if (IsA(node, BoolExpr) && ((BoolExpr *) node)->boolop == OR_EXPR)
		tell(walk, JWTAUTH_OFFERS, InvalidOid, NULL);
	look_for_comparison(walk, node);
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
	tell_of_node(walk, node);
	return expression_tree_walker(node, walk_node, walk);
}

void
jwtauth_expression_walk(Node *expression, Oid relation,
						const JwtAuthHelpers *helpers,
						JwtAuthFactSink sink, void *arg)
{
	Walk		walk = {relation, helpers, NIL, sink, arg};

	(void) walk_node(expression, &walk);
}
