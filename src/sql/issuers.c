/*-------------------------------------------------------------------------
 *
 * issuers.c
 *	  SQL functions on trusted issuers, and the trigger that tells of change.
 *
 * jwt.trust_issuer() itself is SQL in the install script; what it must check
 * and no constraint can is here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "arguments.h"
#include "commands/trigger.h"
#include "compat.h"
#include "guc.h"
#include "issuer.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"

JWTAUTH_FUNCTION(jwt_auth_check_algorithms);

/* check_algorithms(algorithms text[]) -> boolean: every one is known */
Datum
jwt_auth_check_algorithms(PG_FUNCTION_ARGS)
{
	JwtAuthList list = jwtauth_list_of(PG_GETARG_DATUM(0));

	for (int i = 0; i < list.count; i++)
		if (jwt_alg_find(list.items[i]) == NULL)
			PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(list.count > 0);
}

JWTAUTH_FUNCTION(jwt_auth_own_issuer);

/* own_issuer() -> text: jwt_auth.issuer, '' where it is not set */
Datum
jwt_auth_own_issuer(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(jwtauth_issuer ? jwtauth_issuer : ""));
}

JWTAUTH_FUNCTION(jwt_auth_invalidate);

/*
 * Row trigger on our tables: every backend forgets what it knows of the
 * table when this transaction commits, standbys too when they replay it.
 * And the commit waits for the disk, whatever synchronous_commit says, which
 * is everybody's to set: what was said to be dead must not live again after a
 * crash.
 */
Datum
jwt_auth_invalidate(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function is a trigger and nothing else")));
	CacheInvalidateRelcache(data->tg_relation);
	ForceSyncCommit();
	return PointerGetDatum(NULL);
}
