/*-------------------------------------------------------------------------
 *
 * access.c
 *	  Help for the SQL functions that explain and guard access.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#define SAMPLE_ROWS 1000		/* if not said otherwise */

/* What explain_access() finds out before it looks at policies. */
typedef struct Access
{
	Oid			rel;
	const char *table;			/* as SQL */
	char	   *role_name;		/* who is asking */
	Oid			role;
	bool		sees_all;		/* may the caller read every row? */
	bool		may_read;		/* may who is asking read the table? */
} Access;

static const char about_table[] =
"SELECT c.relkind IN ('r', 'p'), r.asking, a.oid,"
" pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')"
"  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
"  AND NOT pg_catalog.row_security_active(c.oid),"
" coalesce(pg_catalog.has_schema_privilege(a.oid, c.relnamespace, 'USAGE')"
"  AND pg_catalog.has_table_privilege(a.oid, c.oid, 'SELECT'), false)"
" FROM pg_catalog.pg_class c,"
"  (SELECT coalesce(jwt.role(), current_user)) r (asking)"
" LEFT JOIN pg_catalog.pg_roles a ON a.rolname::text = r.asking"
" WHERE c.oid = $1";

/* The columns of explain_access() up to "reads"; $2 is the role that asks. */
static const char about_policies[] =
"SELECT p.polname,"
" CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'"
"  WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,"
" p.polpermissive,"
" ARRAY(SELECT CASE WHEN o = 0 THEN 'public' ELSE pg_get_userbyid(o) END"
"  FROM unnest(p.polroles) o),"
" c.relrowsecurity AND NOT (a.rolsuper OR a.rolbypassrls)"
"  AND (c.relforcerowsecurity OR NOT pg_has_role(a.oid, c.relowner, 'USAGE'))"
"  AND EXISTS (SELECT FROM unnest(p.polroles) o"
"   WHERE o = 0 OR pg_has_role(a.oid, o, 'USAGE')),"
" e.u, e.c,"
" ARRAY(SELECT DISTINCT m[1] FROM regexp_matches(concat_ws(' ', e.u, e.c),"
"  '(jwt\\.\\w+\\([^()]*\\)|current_setting\\([^()]*\\))', 'g') m ORDER BY m[1])"
" FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
" JOIN pg_roles a ON a.oid = $2,"
" LATERAL (SELECT pg_get_expr(p.polqual, p.polrelid),"
"  pg_get_expr(p.polwithcheck, p.polrelid)) e (u, c)"
" WHERE p.polrelid = $1 ORDER BY p.polpermissive DESC, p.polname";

#define POLICY_COLUMNS 8
#define COLUMNS (POLICY_COLUMNS + 3)

/* Runs a query, which is to read only. */
static void
ask(const char *query, int nargs, Oid *types, Datum *values)
{
	if (SPI_execute_with_args(query, nargs, types, values, NULL, true, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not ask about access");
}

/* A column of the first row of the answer. */
static Datum
answer(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column,
						 isnull);
}

static void
look_at_table(Access *access)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(access->rel);
	char	   *name = get_rel_name(access->rel);
	bool		isnull;

	ask(about_table, 1, &type, &value);
	if (SPI_processed == 0 || !DatumGetBool(answer(1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table",
						name ? name : psprintf("%u", access->rel))));
	access->table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(access->rel)),
											   name);
	access->role_name = TextDatumGetCString(answer(2, &isnull));
	access->role = DatumGetObjectId(answer(3, &isnull));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" of the claims in force does not exist",
						access->role_name)));
	access->sees_all = DatumGetBool(answer(4, &isnull));
	access->may_read = DatumGetBool(answer(5, &isnull));
}

static void
set_for_now(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The sample is the caller's own view of the table, with row security off: an
 * error, and no count, should the caller not see all of it after all.  oids
 * and tids name its rows; false if there are none.
 */
static bool
take_sample(const Access *access, int32 max_rows, int64 *seen, Datum *names)
{
	Oid			type = INT4OID;
	Datum		value = Int32GetDatum(max_rows);
	int			level = NewGUCNestLevel();
	bool		isnull;

	set_for_now("row_security", "off");
	ask(psprintf("SELECT pg_catalog.count(*), pg_catalog.array_agg(s.t), pg_catalog.array_agg(s.c)"
				 " FROM (SELECT tableoid AS t, ctid AS c FROM %s LIMIT $1) s",
				 access->table), 1, &type, &value);
	AtEOXact_GUC(false, level);
	*seen = DatumGetInt64(answer(1, &isnull));
	names[0] = answer(2, &isnull);
	names[1] = answer(3, &isnull);
	return !isnull;
}

/*
 * How many rows of the sample does who is asking see?
 *
 * Policies are somebody else's code.  They run as the asking role, inside a
 * security-restricted operation, out of which no SET ROLE leads back to a
 * caller who may be a superuser, and every setting that they change is what
 * it was afterwards.  After an error the end of the (sub)transaction sees to
 * both.
 */
static int64
count_passing(const Access *access, Datum *names)
{
	Oid			types[] = {OIDARRAYOID, TIDARRAYOID};
	Oid			save_user;
	int			save_context;
	int			level;
	bool		isnull;

	if (!jwtauth_may_set_role(GetUserId(), access->role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be able to become the role that is asking"),
				 errhint("Explain access as a superuser or a role that may SET ROLE \"%s\".",
						 access->role_name)));
	if (!access->may_read)
		return 0;

	level = NewGUCNestLevel();
	set_for_now("search_path", "pg_catalog, pg_temp");
	set_for_now("row_security", "on");
	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(access->role, save_context |
						   SECURITY_RESTRICTED_OPERATION |
						   SECURITY_LOCAL_USERID_CHANGE);
	ask(psprintf("SELECT pg_catalog.count(*) FROM %s x"
				 " JOIN ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS s(t, c)"
				 " ON x.tableoid OPERATOR(pg_catalog.=) s.t AND x.ctid OPERATOR(pg_catalog.=) s.c",
				 access->table), 2, types, names);
	SetUserIdAndSecContext(save_user, save_context);
	AtEOXact_GUC(false, level);
	return DatumGetInt64(answer(1, &isnull));
}

/* One row a policy, or one row that names none. */
static void
put_policies(const Access *access, const Datum *counts, ReturnSetInfo *result)
{
	Oid			types[] = {OIDOID, OIDOID};
	Datum		asked[2];
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];

	asked[0] = ObjectIdGetDatum(access->rel);
	asked[1] = ObjectIdGetDatum(access->role);
	memset(values, 0, sizeof(values));
	memset(nulls, true, sizeof(nulls));
	values[POLICY_COLUMNS] = CStringGetTextDatum(access->role_name);
	nulls[POLICY_COLUMNS] = false;
	for (int i = 0; access->sees_all && i < 2; i++)
	{
		values[POLICY_COLUMNS + 1 + i] = counts[i];
		nulls[POLICY_COLUMNS + 1 + i] = false;
	}
	ask(about_policies, 2, types, asked);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		for (int i = 0; i < POLICY_COLUMNS; i++)
			values[i] = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	if (SPI_processed == 0)
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static int32
arg_sample_rows(FunctionCallInfo fcinfo)
{
	int32		rows = PG_ARGISNULL(1) ? SAMPLE_ROWS : PG_GETARG_INT32(1);

	if (rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be negative",
						"sample_rows")));
	return rows;
}

JWTAUTH_FUNCTION(jwt_auth_explain_access);

/*
 * explain_access(rel regclass, sample_rows integer) -> SETOF record
 *
 * In C, and in one function: whoever may call it needs no other.
 */
Datum
jwt_auth_explain_access(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Access		access = {InvalidOid};
	Datum		names[2];
	int64		seen = 0;
	int64		passing = 0;
	Datum		counts[2];
	int32		sample_rows = arg_sample_rows(fcinfo);

	jwtauth_need(fcinfo, 0, "rel");
	access.rel = PG_GETARG_OID(0);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	look_at_table(&access);
	if (access.sees_all && take_sample(&access, sample_rows, &seen, names))
		passing = count_passing(&access, names);
	counts[0] = Int64GetDatum(seen);
	counts[1] = Int64GetDatum(passing);
	put_policies(&access, counts, result);
	SPI_finish();
	return (Datum) 0;
}

JWTAUTH_FUNCTION(jwt_auth_refuse_write);

/*
 * Trigger: INSTEAD OF any write to a view of ours; BEFORE TRUNCATE of a
 * table of ours, unless the owner does it.
 */
Datum
jwt_auth_refuse_write(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is a trigger and nothing else")));
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
	{
		if (!has_privs_of_role(GetUserId(), data->tg_relation->rd_rel->relowner))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of table %s",
							RelationGetRelationName(data->tg_relation))));
		return PointerGetDatum(NULL);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("view \"%s\" is for reading",
					RelationGetRelationName(data->tg_relation)),
			 errhint("Use the functions of schema jwt.")));
	return PointerGetDatum(NULL);
}
