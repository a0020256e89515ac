/*-------------------------------------------------------------------------
 *
 * access.c
 *	  Help for the SQL functions that explain and guard access.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "arguments.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "report.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
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
"SELECT r.asking, a.oid,"
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

/*
 * Until the transaction ends the table is there and keeps its name, by which
 * who is asking reads it: a view that took its place would be somebody's code.
 */
static void
hold_table(Access *access)
{
	Relation	rel = try_relation_open(access->rel, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", access->rel)));
	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(rel))));
	access->table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											   RelationGetRelationName(rel));
	relation_close(rel, NoLock);
}

static void
look_at_table(Access *access)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(access->rel);
	bool		isnull;

	hold_table(access);
	ask(about_table, 1, &type, &value);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %s is newer than this transaction",
						access->table)));
	access->role_name = TextDatumGetCString(answer(1, &isnull));
	access->role = DatumGetObjectId(answer(2, &isnull));
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" of the claims in force does not exist",
						jwtauth_shown(jwt_slice_of(access->role_name)))));
	access->sees_all = DatumGetBool(answer(3, &isnull));
	access->may_read = DatumGetBool(answer(4, &isnull));
}

static void
set_for_now(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* The sample: which rows, each by its table and its place there. */
typedef struct Sample
{
	ArrayBuildState *tables;
	ArrayBuildState *places;
	int64		rows;
	int64		max_rows;
} Sample;

static void
sample_one(Relation rel, Sample *sample)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = jwtauth_beginscan(rel, GetActiveSnapshot());

	while (sample->rows < sample->max_rows &&
		   table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		sample->tables = accumArrayResult(sample->tables,
										  ObjectIdGetDatum(RelationGetRelid(rel)),
										  false, OIDOID, CurrentMemoryContext);
		sample->places = accumArrayResult(sample->places,
										  PointerGetDatum(&slot->tts_tid),
										  false, TIDOID, CurrentMemoryContext);
		sample->rows++;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * The first rows of the table and what it is made of, for a caller who may
 * read them all.  By its OID and not in SQL: a name that meant something else
 * by now would be a view, and run as the caller.
 */
static void
take_sample(const Access *access, Sample *sample)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(access->rel, AccessShareLock, NULL))
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);

		/* As a query does, pass over another session's temporary table. */
		if (rel->rd_rel->relkind == RELKIND_RELATION &&
			!RELATION_IS_OTHER_TEMP(rel))
			sample_one(rel, sample);
		table_close(rel, NoLock);
	}
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
count_passing(const Access *access, Sample *sample)
{
	Oid			types[] = {OIDARRAYOID, TIDARRAYOID};
	Datum		names[2];
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
	if (!access->may_read || sample->rows == 0)
		return 0;
	/* No policy binds it: a superuser, say, who is to run nobody's code. */
	if (check_enable_rls(access->rel, access->role, true) != RLS_ENABLED)
		return sample->rows;

	names[0] = makeArrayResult(sample->tables, CurrentMemoryContext);
	names[1] = makeArrayResult(sample->places, CurrentMemoryContext);
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
	Sample		sample = {NULL};
	Datum		counts[2] = {0};

	sample.max_rows = arg_sample_rows(fcinfo);

	jwtauth_need(fcinfo, 0, "rel");
	access.rel = PG_GETARG_OID(0);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	look_at_table(&access);
	if (access.sees_all)
	{
		take_sample(&access, &sample);
		counts[0] = Int64GetDatum(sample.rows);
		counts[1] = Int64GetDatum(count_passing(&access, &sample));
	}
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
