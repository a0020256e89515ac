/*-------------------------------------------------------------------------
 *
 * issuer.c
 *	  Whom we trust to issue tokens, and what we demand of theirs.
 *
 * A policy is made from an issuer's row, for our own tokens from settings
 * and, if there is one, the row of our own name, which can only add to what
 * is demanded.  Policies are kept until a change of the table or of a
 * setting is heard, then all are forgotten at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "compat.h"
#include "guc.h"
#include "issuer.h"
#include "json.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Columns of jwt.issuers. */
enum
{
	COL_ISSUER = 1,
	COL_AUDIENCES,
	COL_ALGORITHMS,
	COL_JWKS_URI,
	COL_LEEWAY,
	COL_MAX_TOKEN_AGE,
	COL_TYP,
	COL_REQUIRED_CLAIMS,
	COL_ROLE_CLAIM,
	COL_ALLOWED_ROLES,
	COL_DEFAULT_ROLE,
	COL_SUBJECT_PREFIX,
	COL_ENABLED
};

#define MAX_LEEWAY (300 * USECS_PER_SEC)

static MemoryContext policy_context = NULL;
static List *policies = NIL;
static uint64 policies_of_table;	/* generations they were made under */
static uint64 policies_of_settings;

bool
jwtauth_list_has(const JwtAuthList *list, JwtSlice item)
{
	for (int i = 0; i < list->count; i++)
		if (jwt_slice_equal(list->items[i], item))
			return true;
	return false;
}

JwtAuthList
jwtauth_list_of(Datum text_array)
{
	JwtAuthList list;
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;

	deconstruct_array(DatumGetArrayTypeP(text_array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &nelements);
	list.count = 0;
	list.items = palloc(Max(nelements, 1) * sizeof(JwtSlice));
	for (int i = 0; i < nelements; i++)
		if (!nulls[i])
			list.items[list.count++] = jwtauth_text_slice(elements[i]);
	return list;
}

static JwtAuthList
list_column(JwtAuthScan *scan, int attno)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);
	JwtAuthList none = {-1, NULL};

	return isnull ? none : jwtauth_list_of(datum);
}

static char *
string_column(JwtAuthScan *scan, int attno)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);

	return isnull ? NULL : TextDatumGetCString(datum);
}

/* Microseconds of an interval that has no months; if_null without one. */
static int64
interval_column(JwtAuthScan *scan, int attno, int64 if_null)
{
	bool		isnull;
	Datum		datum = jwtauth_scan_column(scan, attno, &isnull);
	Interval   *interval = DatumGetIntervalP(datum);

	int64		us;

	if (isnull)
		return if_null;
	if (pg_mul_s64_overflow(interval->day + interval->month * (int64) DAYS_PER_MONTH,
							USECS_PER_DAY, &us) ||
		pg_add_s64_overflow(us, interval->time, &us))
		return PG_INT64_MAX / 4;	/* longer than any token lives */
	return Min(us, PG_INT64_MAX / 4);
}

/* A row's demands, on top of what the policy holds already. */
static void
add_row(JwtAuthPolicy *policy, JwtAuthScan *scan)
{
	bool		isnull;
	Datum		datum;
	JwtAuthList required = list_column(scan, COL_REQUIRED_CLAIMS);

	policy->audiences = list_column(scan, COL_AUDIENCES);
	policy->algorithms = list_column(scan, COL_ALGORITHMS);
	if (!policy->own)
		policy->leeway = Min(Max(interval_column(scan, COL_LEEWAY, 0), 0),
							 MAX_LEEWAY);
	policy->max_age = interval_column(scan, COL_MAX_TOKEN_AGE, -1);
	policy->typ = list_column(scan, COL_TYP);
	if (required.count >= 0)
		policy->required_claims = required;
	datum = jwtauth_scan_column(scan, COL_ROLE_CLAIM, &isnull);
	policy->role_claim = isnull ? NULL : DatumGetJsonPathP(datum);
	policy->allowed_roles = list_column(scan, COL_ALLOWED_ROLES);
	policy->default_role = string_column(scan, COL_DEFAULT_ROLE);
	policy->subject_prefix = string_column(scan, COL_SUBJECT_PREFIX);
	if (policy->subject_prefix == NULL)
		policy->subject_prefix = "";
}

static JwtAuthPolicy *
make_policy(JwtSlice iss, bool own)
{
	JwtAuthPolicy *policy = palloc0(sizeof(JwtAuthPolicy));

	policy->own = own;
	policy->issuer.data = pnstrdup(iss.data ? iss.data : "", iss.len);
	policy->issuer.len = iss.len;
	policy->key_issuer = own ? jwt_slice_of("") : policy->issuer;
	policy->audiences.count = -1;
	if (own && jwtauth_audience != NULL && jwtauth_audience[0] != '\0')
		policy->own_audience = jwt_slice_of(pstrdup(jwtauth_audience));
	policy->algorithms.count = -1;
	policy->leeway = jwtauth_leeway * USECS_PER_SEC;
	policy->max_age = -1;
	policy->typ.count = -1;
	policy->required_claims.count = -1;
	policy->allowed_roles.count = -1;
	policy->subject_prefix = "";
	return policy;
}

/*
 * Reads the row of that issuer into the policy.  False if such tokens are
 * not trusted: no row and not our own, or a row that is not enabled.
 */
static bool
read_policy(JwtAuthPolicy *policy)
{
	const Oid	types[] = {TEXTOID};
	Datum		keys[1];
	JwtAuthScan *scan;
	bool		trusted = policy->own;
	bool		isnull;

	if (policy->issuer.len == 0)
		return trusted;
	keys[0] = jwtauth_text(policy->issuer);
	scan = jwtauth_scan_begin(JWTAUTH_ISSUERS, 1, keys, types);
	if (jwtauth_scan_next(scan))
	{
		add_row(policy, scan);
		trusted = DatumGetBool(jwtauth_scan_column(scan, COL_ENABLED, &isnull));
	}
	jwtauth_scan_end(scan);
	return trusted;
}

static void
forget_stale_policies(void)
{
	(void) jwtauth_table_oid(JWTAUTH_ISSUERS);
	if (policy_context != NULL &&
		policies_of_table == jwtauth_table_generation(JWTAUTH_ISSUERS) &&
		policies_of_settings == jwtauth_settings_generation &&
		list_length(policies) < jwtauth_cache_size)
		return;

	policies = NIL;
	if (policy_context == NULL)
		policy_context = AllocSetContextCreate(TopMemoryContext,
											   "jwt_auth issuer cache",
											   ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(policy_context);
	policies_of_table = jwtauth_table_generation(JWTAUTH_ISSUERS);
	policies_of_settings = jwtauth_settings_generation;
}

const JwtAuthPolicy *
jwtauth_policy_for(JwtSlice iss)
{
	bool		has_name = jwtauth_issuer != NULL && jwtauth_issuer[0] != '\0';
	JwtAuthPolicy *policy;
	MemoryContext context;
	MemoryContext old;
	ListCell   *lc;
	bool		own;

	forget_stale_policies();
	foreach(lc, policies)
	{
		policy = lfirst(lc);
		if (jwt_slice_equal(policy->issuer, iss) &&
			(policy->issuer.len > 0 || iss.data == NULL))
			return policy;
	}

	/* Ours: without "iss" while the setting is empty, else by its name. */
	own = has_name ? jwtauth_is_own_issuer(iss) : iss.data == NULL;
	if (!own && iss.len == 0)
		return NULL;

	/* Built aside, and kept only when complete. */
	context = AllocSetContextCreate(CurrentMemoryContext, "jwt_auth policy",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	policy = make_policy(iss, own);
	if (!read_policy(policy))
	{
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
		return NULL;
	}
	MemoryContextSwitchTo(policy_context);
	policies = lappend(policies, policy);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, policy_context);
	return policy;
}

bool
jwtauth_policy_allows(const JwtAuthPolicy *policy, const JwtAlg *alg)
{
	return policy->algorithms.count < 0 ||
		jwtauth_list_has(&policy->algorithms, jwt_slice_of(alg->name));
}

/* Calls jsonb_path_query_array(target, path, '{}', silent). */
static Jsonb *
query_path(Jsonb *target, JsonPath *path)
{
	LOCAL_FCINFO(fcinfo, 4);
	Datum		result;
	Datum		no_vars = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));

	InitFunctionCallInfoData(*fcinfo, NULL, 4, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = JsonbPGetDatum(target);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = PointerGetDatum(path);
	fcinfo->args[1].isnull = false;
	fcinfo->args[2].value = no_vars;
	fcinfo->args[2].isnull = false;
	fcinfo->args[3].value = BoolGetDatum(true);
	fcinfo->args[3].isnull = false;
	result = jsonb_path_query_array(fcinfo);
	return fcinfo->isnull ? NULL : DatumGetJsonbP(result);
}

/* What $.role finds, without parsing that path for each token. */
static Jsonb *
role_member(Jsonb *claims)
{
	JsonbInState out = {0};
	JsonbValue	role;

	if (!jwtauth_json_member(claims, "role", &role))
		return NULL;
	pushJsonbValue(&out, WJB_BEGIN_ARRAY, NULL);
	pushJsonbValue(&out, WJB_ELEM, &role);
	pushJsonbValue(&out, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(out.result);
}

/* Elements of nested arrays one level down become elements themselves. */
static Jsonb *
flatten(Jsonb *array)
{
	JsonbInState out = {0};
	uint32		count = JsonContainerSize(&array->root);

	pushJsonbValue(&out, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&array->root, i);

		if (value->type == jbvBinary &&
			JsonContainerIsArray(value->val.binary.data))
		{
			JsonbContainer *inner = value->val.binary.data;

			for (uint32 j = 0; j < JsonContainerSize(inner); j++)
				pushJsonbValue(&out, WJB_ELEM,
							   getIthJsonbValueFromContainer(inner, j));
		}
		else
			pushJsonbValue(&out, WJB_ELEM, value);
	}
	pushJsonbValue(&out, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(out.result);
}

Jsonb *
jwtauth_policy_roles(const JwtAuthPolicy *policy, Jsonb *claims)
{
	Jsonb	   *found = NULL;

	if (policy->role_claim != NULL)
		found = query_path(claims, policy->role_claim);
	else if (policy->own)
		found = role_member(claims);
	if (found == NULL || JsonContainerSize(&found->root) == 0)
		return NULL;

	/* A claim that is there and empty is no missing claim. */
	return flatten(found);
}
