/*-------------------------------------------------------------------------
 *
 * access.c
 *	  Help for the SQL functions that explain and guard access.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static int64
count_rows(Oid rel, Datum oids, Datum tids)
{
	const char *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(rel)),
												  get_rel_name(rel));
	Oid			types[] = {OIDARRAYOID, TIDARRAYOID};
	Datum		values[2];
	bool		isnull;
	int64		count;

	values[0] = oids;
	values[1] = tids;
	SPI_connect();
	if (SPI_execute_with_args(psprintf("SELECT pg_catalog.count(*) FROM %s x"
									   " JOIN ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS s(t, c)"
									   " ON x.tableoid OPERATOR(pg_catalog.=) s.t AND x.ctid OPERATOR(pg_catalog.=) s.c",
									   name),
							  2, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not count rows");
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return count;
}

JWTAUTH_FUNCTION(jwt_auth_count_passing);

/*
 * count_passing(rel regclass, asking_role text, oids oid[], tids tid[])
 *	-> bigint
 *
 * Policies are somebody else's code.  They run as the asking role, inside a
 * security-restricted operation, out of which no SET ROLE leads back to a
 * caller who may be a superuser.
 */
Datum
jwt_auth_count_passing(PG_FUNCTION_ARGS)
{
	Oid			rel = PG_GETARG_OID(0);
	Oid			role;
	Oid			save_user;
	int			save_context;
	int64		count = 0;

	if (PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_INT64(0);
	role = get_role_oid(text_to_cstring(PG_GETARG_TEXT_PP(1)), false);
	if (!jwtauth_may_set_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be able to become the role that is asking")));

	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(role, save_context |
						   SECURITY_RESTRICTED_OPERATION |
						   SECURITY_LOCAL_USERID_CHANGE);
	if (pg_class_aclcheck(rel, role, ACL_SELECT) == ACLCHECK_OK)
		count = count_rows(rel, PG_GETARG_DATUM(2), PG_GETARG_DATUM(3));
	SetUserIdAndSecContext(save_user, save_context);
	PG_RETURN_INT64(count);
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
