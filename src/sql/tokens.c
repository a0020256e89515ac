/*-------------------------------------------------------------------------
 *
 * tokens.c
 *	  SQL functions on tokens: sign, verify, decode, renew, introspect.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "compat.h"
#include "funcapi.h"
#include "guc.h"
#include "session.h"
#include "signer.h"
#include "stats.h"
#include "utils/builtins.h"
#include "verifier.h"

static void
expires_in(FunctionCallInfo fcinfo, int n, JwtAuthSignRequest *request)
{
	if (PG_ARGISNULL(n))
		return;
	request->has_expires_in = true;
	request->expires_in = jwtauth_interval_us(PG_GETARG_INTERVAL_P(n));
}

JWTAUTH_FUNCTION(jwt_auth_sign);

/* sign(claims jsonb, kid text, expires_in interval, header jsonb) -> text */
Datum
jwt_auth_sign(PG_FUNCTION_ARGS)
{
	JwtAuthSignRequest request = {0};

	request.claims = jwtauth_need_object(fcinfo, 0, "claims");
	expires_in(fcinfo, 2, &request);
	request.header = jwtauth_arg_jsonb(fcinfo, 3);
	PG_RETURN_TEXT_P(jwtauth_sign(&request, jwtauth_arg_slice(fcinfo, 1)));
}

JWTAUTH_FUNCTION(jwt_auth_sign_with);

/* sign_with(claims jsonb, jwk jsonb, expires_in interval, header jsonb) -> text */
Datum
jwt_auth_sign_with(PG_FUNCTION_ARGS)
{
	JwtAuthSignRequest request = {0};

	request.claims = jwtauth_need_object(fcinfo, 0, "claims");
	expires_in(fcinfo, 2, &request);
	request.header = jwtauth_arg_jsonb(fcinfo, 3);
	PG_RETURN_TEXT_P(jwtauth_sign_with(&request,
									   jwtauth_need_object(fcinfo, 1, "jwk")));
}

/* audience, issuer and as_of, from argument n on. */
static JwtAuthDemand
demand_of(FunctionCallInfo fcinfo, int n)
{
	JwtAuthDemand demand = jwtauth_no_demand();

	demand.audience = jwtauth_arg_slice(fcinfo, n);
	demand.issuer = jwtauth_arg_slice(fcinfo, n + 1);
	if (!PG_ARGISNULL(n + 2))
	{
		demand.at = PG_GETARG_TIMESTAMPTZ(n + 2);
		demand.is_now = false;
		if (TIMESTAMP_NOT_FINITE(demand.at))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"%s\" must be finite", "as_of")));
	}
	return demand;
}

/* A copy for SQL: the token cache's own may go at any time. */
static Datum
jsonb_copy(Jsonb *jsonb)
{
	Jsonb	   *copy = palloc(VARSIZE(jsonb));

	memcpy(copy, jsonb, VARSIZE(jsonb));
	return JsonbPGetDatum(copy);
}

JWTAUTH_FUNCTION(jwt_auth_verify);

/* verify(token text, audience text, issuer text, as_of timestamptz) -> jsonb */
Datum
jwt_auth_verify(PG_FUNCTION_ARGS)
{
	JwtAuthDemand demand = demand_of(fcinfo, 1);
	JwtAuthFault fault = {0};
	JwtAuthToken *token;
	const JwtAuthPolicy *policy;

	if (jwtauth_verify(jwtauth_arg_slice(fcinfo, 0), &demand, &token, &policy,
					   &fault) != JWT_OK)
		jwtauth_raise(&fault);
	PG_RETURN_DATUM(jsonb_copy(token->claims));
}

JWTAUTH_FUNCTION(jwt_auth_try_verify);

/*
 * try_verify(token text, audience text, issuer text, as_of timestamptz)
 *	-> (valid, claims, header, kid, error_code, error)
 */
Datum
jwt_auth_try_verify(PG_FUNCTION_ARGS)
{
	JwtAuthDemand demand = demand_of(fcinfo, 1);
	JwtAuthFault fault = {0};
	JwtAuthToken *token;
	const JwtAuthPolicy *policy;
	TupleDesc	desc;
	Datum		values[6] = {0};
	bool		nulls[6] = {true, true, true, true, true, true};
	JwtStatus	status;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	status = jwtauth_verify(jwtauth_arg_slice(fcinfo, 0), &demand, &token,
							&policy, &fault);
	values[0] = BoolGetDatum(status == JWT_OK);
	nulls[0] = false;
	if (status == JWT_OK)
	{
		values[1] = jsonb_copy(token->claims);
		values[2] = jsonb_copy(token->header);
		nulls[1] = nulls[2] = false;
		nulls[3] = token->key_kid.data == NULL;
		if (!nulls[3])
			values[3] = jwtauth_text(token->key_kid);
	}
	else
	{
		char	   *detail = jwtauth_fault_detail(&fault);
		const char *message = jwtauth_fault_message(status);

		jwtauth_check_machine(status);
		values[4] = CStringGetTextDatum(unpack_sql_state(jwtauth_fault_errcode(status)));
		values[5] = CStringGetTextDatum(detail ? psprintf("%s: %s", message, detail) : message);
		nulls[4] = nulls[5] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

/* A text[] argument; count -1 if it is null. */
static JwtAuthList
algorithms_of(FunctionCallInfo fcinfo, int n)
{
	JwtAuthList list = {-1, NULL};

	if (!PG_ARGISNULL(n))
		list = jwtauth_list_of(PG_GETARG_DATUM(n));
	return list;
}

JWTAUTH_FUNCTION(jwt_auth_verify_with);

/*
 * verify_with(token text, jwks jsonb, audience text, issuer text,
 *	as_of timestamptz, algorithms text[]) -> jsonb
 */
Datum
jwt_auth_verify_with(PG_FUNCTION_ARGS)
{
	JwtAuthDemand demand = demand_of(fcinfo, 2);
	JwtAuthList algorithms = algorithms_of(fcinfo, 5);
	JwtAuthFault fault = {0};
	JwtAuthToken token;

	if (jwtauth_verify_with(jwtauth_arg_slice(fcinfo, 0),
							jwtauth_need_object(fcinfo, 1, "jwks"),
							&algorithms, &demand, &token, &fault) != JWT_OK)
		jwtauth_raise(&fault);
	PG_RETURN_JSONB_P(token.claims);
}

JWTAUTH_FUNCTION(jwt_auth_decode_unverified);

/* decode_unverified(token text) -> (header jsonb, claims jsonb) */
Datum
jwt_auth_decode_unverified(PG_FUNCTION_ARGS)
{
	JwtAuthFault fault = {0};
	JwtAuthToken token;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (jwtauth_token_read(jwtauth_arg_slice(fcinfo, 0), &token,
						   &fault) != JWT_OK ||
		jwtauth_token_read_claims(&token, &fault) != JWT_OK)
		jwtauth_raise(&fault);
	values[0] = JsonbPGetDatum(token.header);
	values[1] = JsonbPGetDatum(token.claims);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

JWTAUTH_FUNCTION(jwt_auth_jws_sign);

/* jws_sign(payload bytea, jwk jsonb, header jsonb) -> text */
Datum
jwt_auth_jws_sign(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(jwtauth_jws_sign(jwtauth_need_slice(fcinfo, 0, "payload"),
									  jwtauth_need_object(fcinfo, 1, "jwk"),
									  jwtauth_arg_jsonb(fcinfo, 2)));
}

JWTAUTH_FUNCTION(jwt_auth_jws_verify);

/* jws_verify(token text, jwks jsonb, algorithms text[]) -> bytea */
Datum
jwt_auth_jws_verify(PG_FUNCTION_ARGS)
{
	Jsonb	   *jwks = jwtauth_need_object(fcinfo, 1, "jwks");
	JwtAuthList algorithms = algorithms_of(fcinfo, 2);
	JwtAuthFault fault = {0};
	JwtAuthToken token;
	JwtSlice	payload = {NULL, 0};
	char	   *bytes;
	JwtStatus	status;

	status = jwtauth_token_read(jwtauth_arg_slice(fcinfo, 0), &token, &fault);
	if (status == JWT_OK)
		status = jwtauth_token_payload(&token, &bytes, &payload.len, &fault);
	if (status == JWT_OK)
		status = jwtauth_verify_signature_with(&token, jwks, &algorithms,
											   &fault);
	if (jwtauth_stats_judged_with(token.alg, status) != JWT_OK)
		jwtauth_raise(&fault);

	/* text and bytea are laid out alike */
	payload.data = bytes;
	PG_RETURN_DATUM(jwtauth_text(payload));
}

/*
 * When the sliding session of a token began: auth_time, or the first iat.
 * An auth_time behind iat is no memory of anything.
 */
static int64
session_start(const JwtAuthToken *token)
{
	JsonbValue	value;
	int64		start;

	if (jwtauth_json_member(token->claims, "auth_time", &value) &&
		jwtauth_json_time(&value, &start))
		return Min(start, token->times.iat.at);
	return token->times.iat.at;
}

static void
cannot_renew(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("token cannot be renewed"),
			 errdetail("%s", detail)));
}

/* The same claims with auth_time, and without what is made anew. */
static Jsonb *
claims_to_renew(const JwtAuthToken *token, int64 start, int64 exp)
{
	static const char *const made_anew[] = {"iat", "exp", "nbf", "jti"};
	JwtAuthJsonBuilder *b = jwtauth_json_begin();

	jwtauth_json_put_others(b, token->claims, made_anew, lengthof(made_anew));
	jwtauth_json_put_time(b, "auth_time", start);
	jwtauth_json_put_time(b, "exp", exp);
	return jwtauth_json_end(b);
}

/* When the renewed token expires: never past the end of its session. */
static int64
renewed_expiry(const JwtAuthToken *token, int64 start, int64 now,
			   int64 lifetime)
{
	int64		end = start + jwtauth_session_lifetime * USECS_PER_SEC;
	int64		second = now - now % USECS_PER_SEC;
	int64		exp = Min(second + lifetime, end);
	JwtAuthRenewal renewal;

	if (end <= now)
		cannot_renew(_("Its session has reached jwt_auth.session_lifetime."));
	if (!token->has_sid)
		return exp;
	renewal = jwtauth_session_renew(&token->sid, &exp);
	if (renewal == JWTAUTH_SESSION_OVER)
		cannot_renew(_("Its session is over."));

	/*
	 * The session was rolled back, or has not arrived here: nobody can close
	 * it, so that this lives no longer than what open_session gives.
	 */
	if (renewal == JWTAUTH_NO_SESSION)
		exp = Min(exp, second + jwtauth_access_token_lifetime * USECS_PER_SEC);
	return exp;
}

JWTAUTH_FUNCTION(jwt_auth_renew);

/* renew(token text, expires_in interval) -> text */
Datum
jwt_auth_renew(PG_FUNCTION_ARGS)
{
	JwtAuthDemand demand = jwtauth_no_demand();
	JwtAuthSignRequest request = {0};
	JwtAuthFault fault = {0};
	JwtAuthToken *token;
	const JwtAuthPolicy *policy;
	JwtSlice	none = {NULL, 0};
	int64		lifetime = jwtauth_access_token_lifetime * USECS_PER_SEC;
	int64		start;
	int64		exp;

	if (jwtauth_verify(jwtauth_arg_slice(fcinfo, 0), &demand, &token, &policy,
					   &fault) != JWT_OK)
		jwtauth_raise(&fault);
	if (!policy->own)
		cannot_renew(_("It is another issuer's."));
	if (!token->times.iat.present)
		cannot_renew(_("It does not say when it was issued."));

	if (!PG_ARGISNULL(1))
		lifetime = jwtauth_interval_us(PG_GETARG_INTERVAL_P(1));
	start = session_start(token);
	exp = renewed_expiry(token, start, jwtauth_unix_us(demand.at), lifetime);
	request.claims = claims_to_renew(token, start, exp);
	request.header = jwtauth_header_members(token->header);
	PG_RETURN_TEXT_P(jwtauth_sign(&request, none));
}

JWTAUTH_FUNCTION(jwt_auth_introspect);

/* introspect(token text) -> jsonb: RFC 7662, Sec. 2.2 */
Datum
jwt_auth_introspect(PG_FUNCTION_ARGS)
{
	JwtAuthDemand demand = jwtauth_no_demand();
	JwtAuthFault fault = {0};
	JwtAuthJsonBuilder *b = jwtauth_json_begin();
	JwtAuthToken *token;
	const JwtAuthPolicy *policy;
	JwtStatus	status;

	status = jwtauth_verify(jwtauth_arg_slice(fcinfo, 0), &demand, &token,
							&policy, &fault);
	if (status == JWT_OK)
	{
		jwtauth_json_put_all(b, token->claims);
		jwtauth_json_put_string(b, "token_type", "Bearer");
	}
	else
		jwtauth_check_machine(status);
	jwtauth_json_put_bool(b, "active", status == JWT_OK);
	PG_RETURN_JSONB_P(jwtauth_json_end(b));
}
