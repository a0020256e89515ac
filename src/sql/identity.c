/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  SQL functions that say who is asking: for row-level security.
 *
 * These run once a row where a policy calls them, so each call site keeps a
 * copy of its last answer, in memory that lives as long as the site.  It is
 * a copy, never the identity's own: a row may hold on to a value while the
 * next call in the same statement changes the identity.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "arguments.h"
#include "asker.h"
#include "compat.h"
#include "identity.h"
#include "issuer.h"
#include "request.h"
#include "tcop/pquery.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

/*
 * Changes of identity that a site keeps copies of.  A statement that swaps
 * tokens row by row gets its answers from the statement's memory after that.
 */
#define MAX_KEPT 16

typedef struct Site
{
	uint64		serial;			/* identity that the answer is of; 0: none */
	struct varlena *argument;	/* a copy; NULL if there is none */
	bool		isnull;
	Datum		answer;
	int			kept;
	JwtAuthAsker *asker;		/* of a portal's plan: who asks; else NULL */
	MemoryContextCallback end;
} Site;

/* An answer computed from the identity; allocates where it is called. */
typedef Datum (*Reader) (const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
						 bool *isnull);

/*
 * By its bytes, not by its address: a variable of PL/pgSQL may get a new
 * value in the same place.
 */
static inline bool
same_argument(const Site *site, FunctionCallInfo fcinfo, int nargs)
{
	struct varlena *argument;

	if (nargs == 0)
		return true;
	if (PG_ARGISNULL(0) || site->argument == NULL)
		return false;
	argument = (struct varlena *) PG_GETARG_POINTER(0);
	return VARSIZE_ANY(argument) == VARSIZE_ANY(site->argument) &&
		memcmp(argument, site->argument, VARSIZE_ANY(argument)) == 0;
}

/* Reads the answer and keeps it with the site. */
static void
keep_answer(Site *site, const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
			Reader read, int nargs)
{
	site->serial = 0;
	site->kept++;
	site->argument = NULL;
	if (nargs > 0)
		site->argument = (struct varlena *)
			DatumGetPointer(datumCopy(PG_GETARG_DATUM(0), false, -1));
	site->answer = read(id, fcinfo, &site->isnull);
	site->serial = id->serial;
}

/* Is the site one of the plan that the active portal runs? */
static bool
is_of_portal(FunctionCallInfo fcinfo)
{
	return ActivePortal != NULL &&
		MemoryContextGetParent(fcinfo->flinfo->fn_mcxt) == ActivePortal->portalContext;
}

static void
end_site(void *arg)
{
	jwtauth_asker_release(((Site *) arg)->asker);
}

static Site *
make_site(FunctionCallInfo fcinfo)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	Site	   *site = MemoryContextAllocZero(context, sizeof(Site));

	if (is_of_portal(fcinfo))
	{
		site->asker = jwtauth_asker_of(ActivePortal, NULL);
		site->end.func = end_site;
		site->end.arg = site;
		MemoryContextRegisterResetCallback(context, &site->end);
	}
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/*
 * A cursor's rows are for whoever asked when it was opened, as long as that
 * token is good; everything else is for whoever asks now.
 */
static const JwtAuthIdentity *
identity_at(FunctionCallInfo fcinfo, Site *site)
{
	JwtAuthAsker *before = site->asker;

	if (before == NULL || !is_of_portal(fcinfo) ||
		jwtauth_asker_is_present(before))
		return jwtauth_identity();
	site->asker = jwtauth_asker_of(ActivePortal, before);
	jwtauth_asker_release(before);
	return jwtauth_asker_is_present(site->asker) ? jwtauth_identity() :
		jwtauth_identity_of(site->asker->token);
}

/* Reads the identity for a site whose copy is of another, or none. */
static Datum
answer_anew(FunctionCallInfo fcinfo, Reader read, int nargs)
{
	Site	   *site = fcinfo->flinfo->fn_extra;
	const JwtAuthIdentity *id;
	MemoryContext old;

	if (site == NULL)
		site = make_site(fcinfo);
	id = identity_at(fcinfo, site);
	if (site->serial != id->serial || !same_argument(site, fcinfo, nargs))
	{
		if (site->kept >= MAX_KEPT || (nargs > 0 && PG_ARGISNULL(0)))
			return read(id, fcinfo, &fcinfo->isnull);
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		keep_answer(site, id, fcinfo, read, nargs);
		MemoryContextSwitchTo(old);
	}
	fcinfo->isnull = site->isnull;
	return site->answer;
}

/*
 * Answers from the site's copy if identity and argument are the same: what
 * is left to do at each row, hence inline in each function.
 */
static inline Datum
answer(FunctionCallInfo fcinfo, Reader read, int nargs)
{
	const Site *site = fcinfo->flinfo->fn_extra;

	if (unlikely(site == NULL || !jwtauth_is_in_force(site->serial) ||
				 !same_argument(site, fcinfo, nargs)))
		return answer_anew(fcinfo, read, nargs);
	fcinfo->isnull = site->isnull;
	return site->answer;
}

static Datum
string_or_null(JwtSlice text, bool *isnull)
{
	*isnull = text.data == NULL;
	return *isnull ? (Datum) 0 : jwtauth_text(text);
}

static JwtSlice
claim_string(const JwtAuthIdentity *id, const char *name)
{
	JwtSlice	none = {NULL, 0};

	return id->claims ? jwtauth_json_string(id->claims, name) : none;
}

static Datum
read_claims(const JwtAuthIdentity *id, FunctionCallInfo fcinfo, bool *isnull)
{
	*isnull = id->claims == NULL;
	return *isnull ? (Datum) 0 : datumCopy(JsonbPGetDatum(id->claims), false, -1);
}

static Datum
read_subject(const JwtAuthIdentity *id, FunctionCallInfo fcinfo, bool *isnull)
{
	*isnull = id->subject == NULL;
	return *isnull ? (Datum) 0 : CStringGetTextDatum(id->subject);
}

static Datum
read_issuer(const JwtAuthIdentity *id, FunctionCallInfo fcinfo, bool *isnull)
{
	return string_or_null(claim_string(id, "iss"), isnull);
}

static Datum
uuid_or_null(JwtSlice text, bool *isnull)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	*isnull = !jwtauth_parse_uuid(text, uuid);
	return *isnull ? (Datum) 0 : UUIDPGetDatum(uuid);
}

/*
 * The whole of subject(), prefix included: the same UUID of two issuers is
 * two people.
 */
static Datum
read_uid(const JwtAuthIdentity *id, FunctionCallInfo fcinfo, bool *isnull)
{
	JwtSlice	none = {NULL, 0};

	return uuid_or_null(id->subject ? jwt_slice_of(id->subject) : none, isnull);
}

static Datum
read_session_id(const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
				bool *isnull)
{
	return uuid_or_null(claim_string(id, "sid"), isnull);
}

static Datum
read_role(const JwtAuthIdentity *id, FunctionCallInfo fcinfo, bool *isnull)
{
	*isnull = id->role == NULL;
	return *isnull ? (Datum) 0 : CStringGetTextDatum(id->role);
}

static Datum
read_expires_at(const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
				bool *isnull)
{
	JsonbValue	value;
	int64		at;

	*isnull = id->claims == NULL ||
		!jwtauth_json_member(id->claims, "exp", &value) ||
		!jwtauth_json_time(&value, &at);
	return *isnull ? (Datum) 0 : TimestampTzGetDatum(jwtauth_from_unix_us(at));
}

/* The value at a path as text, like #>> */
static Datum
read_claim(const JwtAuthIdentity *id, FunctionCallInfo fcinfo, bool *isnull)
{
	LOCAL_FCINFO(inner, 2);
	Datum		value;

	*isnull = true;
	if (id->claims == NULL || PG_ARGISNULL(0))
		return (Datum) 0;
	InitFunctionCallInfoData(*inner, NULL, 2, InvalidOid, NULL, NULL);
	inner->args[0].value = JsonbPGetDatum(id->claims);
	inner->args[0].isnull = false;
	inner->args[1].value = PG_GETARG_DATUM(0);
	inner->args[1].isnull = false;
	value = jsonb_extract_path_text(inner);
	*isnull = inner->isnull;
	return value;
}

static bool
array_has(JsonbContainer *array, JwtSlice wanted)
{
	uint32		count = JsonContainerSize(array);

	for (uint32 i = 0; i < count; i++)
	{
		JwtSlice	text = jwtauth_json_slice(getIthJsonbValueFromContainer(array, i));

		if (text.data != NULL && jwt_slice_equal(text, wanted))
			return true;
	}
	return false;
}

static Datum
read_has_role(const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
			  bool *isnull)
{
	*isnull = false;
	return BoolGetDatum(!PG_ARGISNULL(0) && id->roles != NULL &&
						array_has(&id->roles->root, jwtauth_arg_slice(fcinfo, 0)));
}

/* RFC 6749, Sec. 3.3: scopes are separated by spaces. */
static bool
words_have(JwtSlice words, JwtSlice wanted)
{
	const char *end = words.data + words.len;
	const char *p = words.data;

	while (p < end)
	{
		JwtSlice	word = {p, 0};

		while (p < end && *p != ' ')
			p++;
		word.len = p - word.data;
		if (word.len > 0 && jwt_slice_equal(word, wanted))
			return true;
		p++;
	}
	return false;
}

static bool
scope_in(Jsonb *claims, const char *name, JwtSlice wanted)
{
	JsonbValue	value;

	if (!jwtauth_json_member(claims, name, &value))
		return false;
	if (value.type == jbvString)
		return words_have(jwtauth_json_slice(&value), wanted);
	return value.type == jbvBinary &&
		JsonContainerIsArray(value.val.binary.data) &&
		array_has(value.val.binary.data, wanted);
}

static Datum
read_has_scope(const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
			   bool *isnull)
{
	JwtSlice	wanted = jwtauth_arg_slice(fcinfo, 0);

	*isnull = false;
	return BoolGetDatum(id->claims != NULL && wanted.data != NULL &&
						wanted.len > 0 &&
						(scope_in(id->claims, "scope", wanted) ||
						 scope_in(id->claims, "scp", wanted)));
}

static Datum
read_is_authenticated(const JwtAuthIdentity *id, FunctionCallInfo fcinfo,
					  bool *isnull)
{
	*isnull = false;
	return BoolGetDatum(id->source != JWTAUTH_NOBODY);
}

/* name(...) answers read_name from the identity in force */
#define READER(name, nargs) \
	JWTAUTH_FUNCTION(jwt_auth_##name); \
	Datum \
	jwt_auth_##name(PG_FUNCTION_ARGS) \
	{ \
		return answer(fcinfo, read_##name, nargs); \
	} \
	extern int jwtauth_semicolon

READER(claims, 0);
READER(claim, 1);
READER(subject, 0);
READER(issuer, 0);
READER(uid, 0);
READER(role, 0);
READER(session_id, 0);
READER(expires_at, 0);
READER(has_role, 1);
READER(has_scope, 1);
READER(is_authenticated, 0);

JWTAUTH_FUNCTION(jwt_auth_authenticate);

/* authenticate(token text, set_role boolean) -> jsonb */
Datum
jwt_auth_authenticate(PG_FUNCTION_ARGS)
{
	JwtAuthFault fault = {0};
	Jsonb	   *claims;

	if (jwtauth_authenticate(jwtauth_arg_slice(fcinfo, 0),
							 PG_ARGISNULL(1) || PG_GETARG_BOOL(1),
							 &claims, &fault) != JWT_OK)
		jwtauth_raise(&fault);
	PG_RETURN_JSONB_P(claims);
}

JWTAUTH_FUNCTION(jwt_auth_pre_request);

/* pre_request() -> void */
Datum
jwt_auth_pre_request(PG_FUNCTION_ARGS)
{
	JwtSlice	token = jwtauth_request_token();
	JwtAuthFault fault = {0};
	Jsonb	   *claims;

	if (token.data != NULL &&
		jwtauth_authenticate(token, true, &claims, &fault) != JWT_OK)
		jwtauth_raise_http(&fault);
	PG_RETURN_VOID();
}
