/*-------------------------------------------------------------------------
 *
 * advise.c
 *	  What jwt.advise() cannot find out in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "compat.h"
#include "expression.h"
#include "expression_mend.h"
#include "funcapi.h"
#include "guc.h"
#include "source_names.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

static const char *const kinds[] = {
	"calls", "setting", "names", "compares", "compares in", "offers"
};

/* Arguments of the functions on expressions; false if one is null. */
static bool
unpack(FunctionCallInfo fcinfo, Node **expression, JwtAuthHelpers *helpers)
{
	ArrayType  *array;
	Oid		   *oids;
	List	   *all = NIL;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return false;
	array = PG_GETARG_ARRAYTYPE_P(2);
	oids = (Oid *) ARR_DATA_PTR(array);
	if (ARR_NDIM(array) == 1 && !ARR_HASNULL(array))
		for (int i = 0; i < ARR_DIMS(array)[0]; i++)
			all = lappend_oid(all, oids[i]);
	*helpers = jwtauth_helpers(get_func_namespace(fcinfo->flinfo->fn_oid), all);
	*expression = stringToNode(TextDatumGetCString(PG_GETARG_DATUM(0)));
	return true;
}

static void
put_fact(const JwtAuthFact *fact, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		values[6];
	bool		nulls[6];

	values[0] = CStringGetTextDatum(kinds[fact->kind]);
	nulls[0] = false;
	values[1] = ObjectIdGetDatum(fact->function);
	nulls[1] = !OidIsValid(fact->function);
	values[2] = ObjectIdGetDatum(fact->relation);
	nulls[2] = !OidIsValid(fact->relation);
	values[3] = Int16GetDatum(fact->column);
	nulls[3] = nulls[2];
	nulls[4] = fact->text == NULL;
	values[4] = nulls[4] ? (Datum) 0 : CStringGetTextDatum(fact->text);
	values[5] = BoolGetDatum(fact->is_indexed);
	nulls[5] = nulls[2];
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

JWTAUTH_FUNCTION(jwt_auth_expression_facts);

/*
 * expression_facts(expression pg_node_tree, relation oid, helpers oid[])
 *	-> (kind text, function oid, relation oid, attnum smallint, said text,
 *		is_indexed boolean)
 */
Datum
jwt_auth_expression_facts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	JwtAuthHelpers helpers;
	Node	   *expression;

	InitMaterializedSRF(fcinfo, 0);
	if (unpack(fcinfo, &expression, &helpers))
		jwtauth_expression_walk(expression, PG_GETARG_OID(1), &helpers,
								put_fact, result);
	return (Datum) 0;
}

JWTAUTH_FUNCTION(jwt_auth_mend_expression);

/*
 * mend_expression(expression pg_node_tree, relation oid, helpers oid[])
 *	-> text
 */
Datum
jwt_auth_mend_expression(PG_FUNCTION_ARGS)
{
	JwtAuthHelpers helpers;
	Node	   *expression;
	char	   *mended = NULL;

	if (unpack(fcinfo, &expression, &helpers))
		mended = jwtauth_expression_mended(expression, PG_GETARG_OID(1),
										   &helpers);
	if (mended == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(mended));
}

static void
put_name(const JwtAuthSourceName *name, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		values[3];
	bool		nulls[3] = {name->qualifier == NULL, false, false};

	values[0] = nulls[0] ? (Datum) 0 : CStringGetTextDatum(name->qualifier);
	values[1] = CStringGetTextDatum(name->name);
	values[2] = BoolGetDatum(name->is_called);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);

	/* Of a long source there are many. */
	if (!nulls[0])
		pfree(DatumGetPointer(values[0]));
	pfree(DatumGetPointer(values[1]));
}

JWTAUTH_FUNCTION(jwt_auth_source_names);

/*
 * source_names(source text)
 *	-> SETOF (qualifier text, name text, is_called boolean)
 */
Datum
jwt_auth_source_names(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(0))
		jwtauth_source_names(text_to_cstring(PG_GETARG_TEXT_PP(0)), put_name,
							 fcinfo->resultinfo);
	return (Datum) 0;
}

JWTAUTH_FUNCTION(jwt_auth_seconds_of);

/* seconds_of(value text) -> integer: of a setting that is a time in seconds */
Datum
jwt_auth_seconds_of(PG_FUNCTION_ARGS)
{
	int			seconds;
	const char *hint;

	if (PG_ARGISNULL(0) ||
		!parse_int(text_to_cstring(PG_GETARG_TEXT_PP(0)), &seconds,
				   GUC_UNIT_S, &hint))
		PG_RETURN_NULL();
	PG_RETURN_INT32(seconds);
}

JWTAUTH_FUNCTION(jwt_auth_split_names);

/* split_names(list text) -> SETOF text: as in jwt_auth.trusted_gateways */
Datum
jwt_auth_split_names(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *names = NIL;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!PG_ARGISNULL(0))
		names = jwtauth_name_list(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	foreach(lc, names)
	{
		Datum		value = CStringGetTextDatum((char *) lfirst(lc));
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &value,
							 &isnull);
	}
	return (Datum) 0;
}
