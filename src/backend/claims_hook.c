/*-------------------------------------------------------------------------
 *
 * claims_hook.c
 *	  The application's word on a session's claims, asked at each refresh.
 *
 * The function runs as the caller, outside of any switch of user: it is
 * somebody else's code.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "claims_hook.h"
#include "compat.h"
#include "fmgr.h"
#include "guc.h"
#include "json.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

static const char *const reserved_claims[] = {
	"iss", "sub", "sid", "auth_time", "iat", "exp", "jti"
};

void
jwtauth_check_session_claims(Jsonb *claims)
{
	JsonbValue	value;

	jwtauth_json_need_object(claims, "claims");
	for (int i = 0; i < lengthof(reserved_claims); i++)
		if (jwtauth_json_member(claims, reserved_claims[i], &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("claim \"%s\" of a session cannot be set",
							reserved_claims[i])));
}

static void
refuse_hook(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("claims hook cannot be called"),
			 errdetail("%s", detail),
			 errhint("Setting \"jwt_auth.claims_hook\" is the schema-qualified name of a function (subject text, sid uuid, claims jsonb) returns jsonb.")));
}

/* No search_path decides which function that is. */
static Oid
find_hook(void)
{
	const Oid	types[] = {TEXTOID, UUIDOID, JSONBOID};
	char	   *copy = pstrdup(jwtauth_claims_hook);
	List	   *names = NIL;
	Oid			schema;
	HeapTuple	tuple;
	Oid			function = InvalidOid;
	Oid			rettype = InvalidOid;

	if (!SplitIdentifierString(copy, '.', &names) || list_length(names) != 2)
		refuse_hook(_("Its name is not of the form schema.function."));
	schema = get_namespace_oid(linitial(names), true);
	if (OidIsValid(schema))
	{
		tuple = SearchSysCache3(PROCNAMEARGSNSP,
								CStringGetDatum(lsecond(names)),
								PointerGetDatum(buildoidvector(types, 3)),
								ObjectIdGetDatum(schema));
		if (HeapTupleIsValid(tuple))
		{
			function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
			rettype = ((Form_pg_proc) GETSTRUCT(tuple))->prorettype;
			ReleaseSysCache(tuple);
		}
	}
	if (!OidIsValid(function) || rettype != JSONBOID)
		refuse_hook(_("There is no such function."));
	if (!jwtauth_may_execute(function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the claims hook"),
				 errhint("The hook runs as the role that opens or refreshes the session: grant it EXECUTE.")));
	return function;
}

bool
jwtauth_claims_hook_is_set(void)
{
	return jwtauth_claims_hook != NULL && jwtauth_claims_hook[0] != '\0';
}

Jsonb *
jwtauth_claims_hook_call(JwtSlice subject, const pg_uuid_t *sid,
						 Jsonb *claims)
{
	LOCAL_FCINFO(fcinfo, 3);
	FmgrInfo	flinfo;
	Datum		result;
	Jsonb	   *answer;

	if (!jwtauth_claims_hook_is_set())
		return claims;

	fmgr_info(find_hook(), &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 3, DEFAULT_COLLATION_OID,
							 NULL, NULL);
	fcinfo->args[0].value = jwtauth_text(subject);
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = UUIDPGetDatum(sid);
	fcinfo->args[1].isnull = false;
	fcinfo->args[2].value = JsonbPGetDatum(claims);
	fcinfo->args[2].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	if (fcinfo->isnull)
		return NULL;
	answer = DatumGetJsonbPCopy(result);
	jwtauth_check_session_claims(answer);
	return answer;
}
