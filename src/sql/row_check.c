/*-------------------------------------------------------------------------
 *
 * row_check.c
 *	  Constraints of tables that hold secrets, asked without showing the row.
 *
 * PostgreSQL answers a row that violates a constraint of its table by showing
 * it, to the client and in the log.  A trigger that asks first keeps the row
 * to itself; the constraints stay as they are, and see only what passed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/executor.h"
#include "nodes/nodes.h"
#include "utils/rel.h"

static void
check_nulls(Relation rel, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attnotnull && heap_attisnull(row, att->attnum, desc))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("null value in column \"%s\" of relation \"%s\" violates not-null constraint",
							NameStr(att->attname), RelationGetRelationName(rel)),
					 errtablecol(rel, att->attnum)));
	}
}

static void
check_one(Relation rel, const ConstrCheck * check, EState * estate)
{
	ExprState  *state = ExecPrepareExpr(stringToNode(check->ccbin), estate);

	if (!ExecCheck(state, GetPerTupleExprContext(estate)))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("new row for relation \"%s\" violates check constraint \"%s\"",
						RelationGetRelationName(rel), check->ccname),
				 errtableconstraint(rel, check->ccname)));
}

static void
check_constraints(Relation rel, HeapTuple row)
{
	TupleConstr *constraints = RelationGetDescr(rel)->constr;
	EState	   *estate;
	TupleTableSlot *slot;

	if (constraints == NULL || constraints->num_check == 0)
		return;
	estate = CreateExecutorState();
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(row, slot, false);
	GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
	for (int i = 0; i < constraints->num_check; i++)
		if (jwtauth_is_enforced(&constraints->check[i]))
			check_one(rel, &constraints->check[i], estate);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

JWTAUTH_FUNCTION(jwt_auth_check_row);

/* Trigger: BEFORE INSERT OR UPDATE, for each row. */
Datum
jwt_auth_check_row(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	HeapTuple	row;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is a trigger before a row is written and nothing else")));
	row = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
	check_nulls(data->tg_relation, row);
	check_constraints(data->tg_relation, row);
	return PointerGetDatum(row);
}
