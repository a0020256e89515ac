/*-------------------------------------------------------------------------
 *
 * sessions.c
 *	  SQL functions on sessions and revocation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "compat.h"
#include "guc.h"
#include "identity.h"
#include "purge.h"
#include "session.h"
#include "session_row.h"
#include "miscadmin.h"
#include "utils/uuid.h"

static JwtSlice
subject_argument(FunctionCallInfo fcinfo, int n)
{
	JwtSlice	subject = jwtauth_need_slice(fcinfo, n, "subject");

	if (subject.len == 0 || subject.len > 1024)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must have 1 to 1024 bytes", "subject")));
	return subject;
}

/* An issuer argument as the key store names it: empty for our own. */
static JwtSlice
issuer_argument(FunctionCallInfo fcinfo, int n)
{
	JwtSlice	issuer = jwtauth_arg_slice(fcinfo, n);

	if (issuer.data == NULL || jwtauth_is_own_issuer(issuer))
		issuer = jwt_slice_of("");
	return issuer;
}

JWTAUTH_FUNCTION(jwt_auth_open_session);

/* open_session(subject text, claims jsonb, client jsonb) -> jsonb */
Datum
jwt_auth_open_session(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.open_session()");
	PG_RETURN_JSONB_P(jwtauth_session_open(subject_argument(fcinfo, 0),
										   jwtauth_need_object(fcinfo, 1, "claims"),
										   jwtauth_arg_jsonb(fcinfo, 2)));
}

JWTAUTH_FUNCTION(jwt_auth_refresh);

/* refresh(refresh_token text, client jsonb) -> jsonb */
Datum
jwt_auth_refresh(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.refresh()");
	PG_RETURN_JSONB_P(jwtauth_session_refresh(jwtauth_arg_slice(fcinfo, 0),
											  jwtauth_arg_jsonb(fcinfo, 1)));
}

JWTAUTH_FUNCTION(jwt_auth_close_session);

/* close_session(sid uuid) -> boolean */
Datum
jwt_auth_close_session(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.close_session()");
	PG_RETURN_BOOL(!PG_ARGISNULL(0) &&
				   jwtauth_session_close(PG_GETARG_UUID_P(0), "closed"));
}

JWTAUTH_FUNCTION(jwt_auth_close_sessions);

/* close_sessions(subject text) -> int */
Datum
jwt_auth_close_sessions(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.close_sessions()");
	PG_RETURN_INT32(jwtauth_sessions_close_all(subject_argument(fcinfo, 0),
											   "closed"));
}

JWTAUTH_FUNCTION(jwt_auth_revoke);

/* revoke(token text) -> boolean */
Datum
jwt_auth_revoke(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.revoke()");
	PG_RETURN_BOOL(jwtauth_revoke(jwtauth_arg_slice(fcinfo, 0)));
}

JWTAUTH_FUNCTION(jwt_auth_revoke_subject);

/* revoke_subject(subject text, issuer text) -> int */
Datum
jwt_auth_revoke_subject(PG_FUNCTION_ARGS)
{
	PreventCommandIfReadOnly("jwt.revoke_subject()");
	PG_RETURN_INT32(jwtauth_revoke_subject(issuer_argument(fcinfo, 1),
										   subject_argument(fcinfo, 0)));
}

JWTAUTH_FUNCTION(jwt_auth_purge);

/* purge() -> int: more than that is told as that */
Datum
jwt_auth_purge(PG_FUNCTION_ARGS)
{
	int64		deleted;

	PreventCommandIfReadOnly("jwt.purge()");
	deleted = jwtauth_purge();
	PG_RETURN_INT32((int32) Min(deleted, PG_INT32_MAX));
}

/* The subject who may see and close sessions: of a token of ours alone. */
static JwtSlice
own_subject(void)
{
	const JwtAuthIdentity *id = jwtauth_identity();
	JwtSlice	none = {NULL, 0};

	return id->source == JWTAUTH_TOKEN && id->own ?
		jwtauth_json_string(id->claims, "sub") : none;
}

JWTAUTH_FUNCTION(jwt_auth_own_subject);

/* own_subject() -> text */
Datum
jwt_auth_own_subject(PG_FUNCTION_ARGS)
{
	JwtSlice	subject = own_subject();

	if (subject.data == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(jwtauth_text(subject));
}

JWTAUTH_FUNCTION(jwt_auth_close_my_session);

/* close_my_session(sid uuid) -> boolean */
Datum
jwt_auth_close_my_session(PG_FUNCTION_ARGS)
{
	JwtSlice	subject = own_subject();
	JwtAuthSession s;
	bool		mine;

	PreventCommandIfReadOnly("jwt.close_my_session()");
	if (subject.data == NULL || PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	mine = jwtauth_session_read(PG_GETARG_UUID_P(0), &s) &&
		jwt_slice_equal(s.subject, subject);
	jwtauth_session_wipe(&s);
	PG_RETURN_BOOL(mine && jwtauth_session_close(PG_GETARG_UUID_P(0),
												 "closed by its subject"));
}
