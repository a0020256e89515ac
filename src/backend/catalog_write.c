/*-------------------------------------------------------------------------
 *
 * catalog_write.c
 *	  Writing the extension's own tables, as their owner.
 *
 * The switch of user wraps our own statement and nothing else: no function
 * of anybody else's, no trigger but ours, no claims hook runs inside it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/table.h"
#include "catalog.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define JWTAUTH_MAX_UPDATED 9	/* columns of a row at once */

static Oid
owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Puts the qualified names of our tables where the text has %1$s to %6$s. */
static char *
with_table_names(const char *sql)
{
	const char *names[JWTAUTH_NUM_TABLES];
	StringInfoData buf;

	for (int i = 0; i < JWTAUTH_NUM_TABLES; i++)
	{
		Oid			relid = jwtauth_table_oid(i);

		names[i] = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
											  get_rel_name(relid));
	}

	initStringInfo(&buf);
	for (const char *p = sql; *p != '\0'; p++)
	{
		if (p[0] == '%' && p[1] >= '1' && p[1] < '1' + JWTAUTH_NUM_TABLES &&
			strncmp(p + 2, "$s", 2) == 0)
		{
			appendStringInfoString(&buf, names[p[1] - '1']);
			p += 3;
		}
		else
			appendStringInfoChar(&buf, *p);
	}
	return buf.data;
}

/*
 * Is the plan still one for our tables?  The extension may have been dropped
 * and made anew, or its schema renamed and another put in its place.
 */
static bool
plan_is_ours(const JwtAuthStatement *statement)
{
	Oid			keys = jwtauth_table_oid(JWTAUTH_KEYS);
	char	   *schema = get_namespace_name(get_rel_namespace(keys));

	return statement->plan != NULL && statement->planned_for == keys &&
		schema != NULL && strcmp(schema, NameStr(statement->schema)) == 0;
}

/*
 * Plans once, and generically: in a plan of its own each parameter would be
 * a constant, and what prints plans would print secrets.
 */
static void
prepare(JwtAuthStatement *statement)
{
	Oid			keys = jwtauth_table_oid(JWTAUTH_KEYS);

	if (plan_is_ours(statement))
		return;
	if (statement->plan != NULL)
	{
		SPIPlanPtr	old = statement->plan;

		statement->plan = NULL;
		SPI_freeplan(old);
	}
	statement->plan = SPI_prepare_cursor(with_table_names(statement->sql),
										 statement->nargs, statement->types,
										 CURSOR_OPT_GENERIC_PLAN);
	if (statement->plan == NULL)
		elog(ERROR, "could not prepare statement: %s",
			 SPI_result_code_string(SPI_result));
	if (SPI_keepplan(statement->plan) != 0)
		elog(ERROR, "could not keep plan");
	statement->planned_for = keys;
	namestrcpy(&statement->schema,
			   get_namespace_name(get_rel_namespace(keys)));
}

/* Is every trigger of the table the extension's own, and is there no rule? */
static bool
code_is_ours(Relation rel)
{
	Oid			extension = getExtensionOfObject(RelationRelationId,
												 RelationGetRelid(rel));

	if (rel->rd_rules != NULL)
		return false;
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
		if (getExtensionOfObject(ProcedureRelationId,
								 rel->trigdesc->triggers[i].tgfoid) != extension)
			return false;
	return true;
}

/*
 * Whoever holds TRIGGER on a table of ours could have code of theirs run as
 * its owner.  The lock is the one that the statement itself takes, held until
 * the transaction ends: it keeps new triggers out, and whoever gets it has
 * heard of the old ones, so an unchanged table is looked at once.
 */
static Relation
open_for_writing(JwtAuthTable table)
{
	static uint64 checked_at[JWTAUTH_NUM_TABLES];
	Relation	rel = table_open(jwtauth_table_oid(table), RowExclusiveLock);
	uint64		generation = jwtauth_table_generation(table);

	if (checked_at[table] != generation && !code_is_ours(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has a trigger, rule or foreign key that is not the extension's",
						RelationGetRelationName(rel)),
				 errdetail("It would run with the rights of the table's owner."),
				 errhint("Drop it, and revoke TRIGGER and REFERENCES on the tables of the extension.")));
	checked_at[table] = generation;
	return rel;
}

/* Locks and looks at every table that the statement names. */
static void
secure_tables(const char *sql)
{
	char		placeholder[] = "%1$s";

	for (int i = 0; i < JWTAUTH_NUM_TABLES; i++)
	{
		placeholder[1] = '1' + i;
		if (strstr(sql, placeholder) != NULL)
			table_close(open_for_writing(i), NoLock);
	}
}

/*
 * Settings under which a statement of ours runs: nothing of the caller's
 * search_path, and nothing that would print plans or parameters.
 */
static void
pin_settings(void)
{
	static const char *const pinned[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"debug_print_parse", "off"},
		{"debug_print_rewritten", "off"},
		{"debug_print_plan", "off"},
		{"auto_explain.log_min_duration", "-1"},
	};

	for (int i = 0; i < lengthof(pinned); i++)
	{
		const char *value = GetConfigOption(pinned[i][0], true, false);

		if (value != NULL && strcmp(value, pinned[i][1]) != 0)
			(void) set_config_option(pinned[i][0], pinned[i][1],
									 PGC_SUSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
	}
}

void
jwtauth_write_begin(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

void
jwtauth_write_end(void)
{
	SPI_finish();
}

uint64
jwtauth_execute(JwtAuthStatement *statement, Datum *values, const char *nulls)
{
	Oid			owner = owner_of(jwtauth_table_oid(JWTAUTH_KEYS));
	Oid			save_user;
	int			save_context;
	int			save_nestlevel;
	Snapshot	snapshot;
	int			result;

	/* An error undoes both switches: the transaction restores them. */
	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(owner, save_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	save_nestlevel = NewGUCNestLevel();
	pin_settings();
	secure_tables(statement->sql);
	prepare(statement);

	/*
	 * The latest snapshot, not the transaction's: whoever waited for a
	 * session's lock must see what the one before it has committed.
	 */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	result = SPI_execute_snapshot(statement->plan, values, nulls,
								  snapshot, InvalidSnapshot, false, true, 0);
	UnregisterSnapshot(snapshot);
	if (result < 0)
		elog(ERROR, "could not execute statement: %s",
			 SPI_result_code_string(result));

	AtEOXact_GUC(true, save_nestlevel);
	SetUserIdAndSecContext(save_user, save_context);
	return SPI_processed;
}

/*
 * What a replica does with a row that it was sent.  The executor would parse
 * the conditions of triggers anew for each single statement, at more than
 * the cost of all the rest.
 */
void
jwtauth_update_row(JwtAuthTable table, HeapTuple row, int ncolumns,
				   int *columns, Datum *values)
{
	Relation	rel = open_for_writing(table);
	TupleDesc	desc = RelationGetDescr(rel);
	bool		nulls[JWTAUTH_MAX_UPDATED] = {false};
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	TupleTableSlot *old = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	TupleTableSlot *new = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	EPQState	unused = {0};

	Assert(ncolumns <= JWTAUTH_MAX_UPDATED);
	InitResultRelInfo(target, rel, 0, NULL, 0);
	target->ri_TrigDesc = NULL;
	ExecStoreHeapTuple(row, old, false);
	ExecStoreHeapTuple(heap_modify_tuple_by_cols(row, desc, ncolumns, columns,
												 values, nulls),
					   new, true);
	ExecOpenIndices(target, false);
	ExecSimpleRelationUpdate(target, estate, &unused, old, new);
	ExecCloseIndices(target);
	ExecDropSingleTupleTableSlot(new);
	ExecDropSingleTupleTableSlot(old);
	FreeExecutorState(estate);
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

void
jwtauth_need_rows(uint64 processed, uint64 expected)
{
	if (processed != expected)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("a write to a table of extension \"%s\" had no effect",
						"jwt_auth"),
				 errhint("Look for rules and triggers on the tables of schema jwt.")));
}
