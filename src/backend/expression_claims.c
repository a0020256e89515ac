/*-------------------------------------------------------------------------
 *
 * expression_claims.c
 *	  Where an expression reads claims: through us, or from a setting.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "expression_claims.h"
#include "guc.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static Oid
function_of(Oid schema, const char *name, Oid argument)
{
	oidvector  *types = buildoidvector(&argument, OidIsValid(argument) ? 1 : 0);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name), PointerGetDatum(types),
						   ObjectIdGetDatum(schema));
}

JwtAuthHelpers
jwtauth_helpers(Oid schema, List *all)
{
	JwtAuthHelpers helpers;

	helpers.all = all;
	helpers.claims = function_of(schema, "claims", InvalidOid);
	helpers.claim = function_of(schema, "claim", TEXTARRAYOID);
	return helpers;
}

char *
jwtauth_constant_text(Const *constant)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(constant->consttype, &output, &is_varlena);
	return OidOutputFunctionCall(output, constant->constvalue);
}

/*----------
 * Settings
 *----------
 */

static const char *
after_prefix(const char *name, const char *prefix, size_t len)
{
	return pg_strncasecmp(name, prefix, len) == 0 ? name + len : NULL;
}

static JwtAuthHeld
held_by_ours(const char *name, const char **claim)
{
	const char *setting = jwtauth_claims_setting;
	size_t		len = strlen(setting);

	if (len == 0)
		return JWTAUTH_HOLDS_NONE;
	if (setting[len - 1] != '*')
		return pg_strcasecmp(name, setting) == 0 ?
			JWTAUTH_HOLDS_ALL : JWTAUTH_HOLDS_NONE;
	*claim = after_prefix(name, setting, len - 1);
	return *claim != NULL && **claim != '\0' ?
		JWTAUTH_HOLDS_ONE : JWTAUTH_HOLDS_NONE;
}

/* What jwt_auth.claims_setting says, and the names that others are used to. */
static JwtAuthHeld
held_by(const char *name, const char **claim)
{
	static const char *const ones[] = {"request.jwt.claim.", "jwt.claims."};
	JwtAuthHeld held = held_by_ours(name, claim);

	if (held != JWTAUTH_HOLDS_NONE)
		return held;
	if (pg_strcasecmp(name, "request.jwt.claims") == 0)
		return JWTAUTH_HOLDS_ALL;
	for (int i = 0; i < lengthof(ones); i++)
	{
		*claim = after_prefix(name, ones[i], strlen(ones[i]));
		if (*claim != NULL && **claim != '\0')
			return JWTAUTH_HOLDS_ONE;
	}
	return after_prefix(name, "request.jwt.claim", 17) != NULL ?
		JWTAUTH_HOLDS_SOME : JWTAUTH_HOLDS_NONE;
}

JwtAuthHeld
jwtauth_setting_read(Node *node, const char **claim)
{
	Const	   *name;

	if (!IsA(node, FuncExpr) ||
		(((FuncExpr *) node)->funcid != F_CURRENT_SETTING_TEXT &&
		 ((FuncExpr *) node)->funcid != F_CURRENT_SETTING_TEXT_BOOL))
		return JWTAUTH_HOLDS_NONE;
	name = linitial(((FuncExpr *) node)->args);
	if (!IsA(name, Const) || name->constisnull)
		return JWTAUTH_HOLDS_NONE;
	return held_by(TextDatumGetCString(name->constvalue), claim);
}

/*----------
 * Members
 *----------
 */

/* Functions, also behind operators, that take a member out of JSON. */
static const Oid takes_member[] = {
	F_JSON_OBJECT_FIELD, F_JSON_OBJECT_FIELD_TEXT,
	F_JSON_EXTRACT_PATH, F_JSON_EXTRACT_PATH_TEXT,
	F_JSONB_OBJECT_FIELD, F_JSONB_OBJECT_FIELD_TEXT,
	F_JSONB_EXTRACT_PATH, F_JSONB_EXTRACT_PATH_TEXT,
	F_JSONB_PATH_EXISTS, F_JSONB_PATH_MATCH, F_JSONB_PATH_QUERY,
	F_JSONB_PATH_QUERY_ARRAY, F_JSONB_PATH_QUERY_FIRST,
	F_JSONB_PATH_EXISTS_TZ, F_JSONB_PATH_MATCH_TZ, F_JSONB_PATH_QUERY_TZ,
	F_JSONB_PATH_QUERY_ARRAY_TZ, F_JSONB_PATH_QUERY_FIRST_TZ,
	F_JSONB_PATH_EXISTS_OPR, F_JSONB_PATH_MATCH_OPR,
	F_JSONB_CONTAINS
};

static bool
is_helper(Oid function, void *context)
{
	return list_member_oid(((const JwtAuthHelpers *) context)->all, function);
}

static bool
reads_claims(Node *node, void *context)
{
	const char *claim;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, reads_claims, context, 0);
	return check_functions_in_node(node, is_helper, context) ||
		jwtauth_setting_read(node, &claim) != JWTAUTH_HOLDS_NONE ||
		expression_tree_walker(node, reads_claims, context);
}

static bool
collect_constants(Node *node, void *context)
{
	List	  **constants = context;

	if (node == NULL)
		return false;
	if (!IsA(node, Const))
		return expression_tree_walker(node, collect_constants, context);
	if (!((Const *) node)->constisnull)
		switch (((Const *) node)->consttype)
		{
			case TEXTOID:
			case VARCHAROID:
			case TEXTARRAYOID:
			case JSONPATHOID:
			case JSONBOID:
				*constants = lappend(*constants, node);
		}
	return false;
}

/* What a call takes members from, and the names of these. */
static Node *
taken_by_call(Oid function, List *args, List **names)
{
	for (int i = 0; i < lengthof(takes_member); i++)
		if (takes_member[i] == function && list_length(args) >= 2)
		{
			*names = list_make1(lsecond(args));
			return linitial(args);
		}
	return NULL;
}

static Node *
taken_from(Node *node, List **names)
{
	Node	   *path;
	Node	   *json;

	if (IsA(node, FuncExpr))
		return taken_by_call(((FuncExpr *) node)->funcid,
							 ((FuncExpr *) node)->args, names);
	if (IsA(node, OpExpr))
		return taken_by_call(get_opcode(((OpExpr *) node)->opno),
							 ((OpExpr *) node)->args, names);
	if (IsA(node, SubscriptingRef) &&
		((SubscriptingRef *) node)->refcontainertype == JSONBOID)
	{
		*names = ((SubscriptingRef *) node)->refupperindexpr;
		return (Node *) ((SubscriptingRef *) node)->refexpr;
	}
	json = jwtauth_json_expr(node, &path);
	if (json != NULL)
		*names = list_make1(path);
	return json;
}

List *
jwtauth_claim_names(Node *node, const JwtAuthHelpers *helpers)
{
	List	   *names = NIL;
	List	   *constants = NIL;
	Node	   *from;

	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == helpers->claim)
		names = ((FuncExpr *) node)->args;
	else if ((from = taken_from(node, &names)) == NULL ||
			 !reads_claims(from, (void *) helpers))
		return NIL;
	(void) collect_constants((Node *) names, &constants);
	return constants;
}
