/*-------------------------------------------------------------------------
 *
 * identity.c
 *	  Who is asking: the claims in force, judged anew at each statement.
 *
 * The source is chosen in one order with no way around it: the token if one
 * is set, else the claims setting of a trusted gateway, else nobody.  What
 * was judged once serves for the rest of a statement: the memo is keyed by
 * the settings, the statement's clock and the changes of our tables heard.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog.h"
#include "compat.h"
#include "gateway.h"
#include "guc.h"
#include "identity.h"
#include "json.h"
#include "miscadmin.h"
#include "role.h"
#include "stats.h"
#include "token_cache.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "verifier.h"

static JwtAuthIdentity current = {0};
static MemoryContext current_context = NULL;

JwtAuthVerdict jwtauth_verdict = {0};

/* What else the last verdict, on whatever source, holds for. */
static struct
{
	bool		valid;			/* false: judge again */
	Oid			session_user;
	char	   *setting;		/* the claims setting's value; NULL: unset */
}			memo;

/* What current holds: the token it was made of, and by which policy. */
static JwtAuthToken *current_token = NULL;
static uint64 current_policy_settings;
static uint64 current_policy_catalog;

static void
forget_verdict(void)
{
	memo.valid = false;
	jwtauth_verdict.serial = 0;
}

/*
 * The statement's clock stands still over COMMIT in a procedure, and both
 * clocks may in a process that sets neither.
 */
static void
at_transaction_end(XactEvent event, void *arg)
{
	forget_verdict();
}

/* Starts a new identity; what there was is gone. */
static void
begin_identity(JwtAuthSource source)
{
	uint64		serial = current.serial + 1;

	forget_verdict();
	memo.setting = NULL;
	current_token = NULL;
	(void) jwtauth_token_cache_pin(NULL);
	if (current_context == NULL)
		current_context = AllocSetContextCreate(TopMemoryContext,
												"jwt_auth identity",
												ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(current_context);
	memset(&current, 0, sizeof(current));
	current.serial = serial;
	current.source = source;
}

static Jsonb *
copy_jsonb(Jsonb *jsonb)
{
	return (Jsonb *) datumCopy(JsonbPGetDatum(jsonb), false, -1);
}

/* Fills current from claims under a policy; allocates in current_context. */
static void
describe(Jsonb *claims, const JwtAuthPolicy *policy)
{
	MemoryContext old = MemoryContextSwitchTo(current_context);
	JwtSlice	sub = jwtauth_json_string(claims, "sub");
	Jsonb	   *roles;

	current.own = policy->own;
	current.claims = copy_jsonb(claims);
	if (sub.data != NULL)
		current.subject = psprintf("%s%.*s", policy->subject_prefix,
								   (int) sub.len, sub.data);
	MemoryContextSwitchTo(old);

	roles = jwtauth_policy_roles(policy, claims);
	MemoryContextSwitchTo(current_context);
	current.roles = roles ? copy_jsonb(roles) : NULL;
	current.role = jwtauth_role_named(policy, roles);
	MemoryContextSwitchTo(old);
}

/* Verifies the token and makes it the identity; raises if it is not good. */
static void
load_token(JwtSlice text)
{
	JwtAuthDemand demand = jwtauth_no_demand();
	JwtAuthFault fault = {0};
	JwtAuthToken *token;
	const JwtAuthPolicy *policy;

	if (jwtauth_verify(text, &demand, &token, &policy, &fault) != JWT_OK)
		jwtauth_raise_in_force(&fault);

	/* The same token under the same policy: nothing to describe anew. */
	if (token == current_token &&
		current_policy_settings == jwtauth_settings_generation &&
		current_policy_catalog == jwtauth_catalog_generation())
		return;

	begin_identity(JWTAUTH_TOKEN);
	describe(token->claims, policy);
	current_policy_settings = jwtauth_settings_generation;
	current_policy_catalog = jwtauth_catalog_generation();
	if (jwtauth_token_cache_pin(token))
		current_token = token;
}

static void
load_gateway_claims(const char *text)
{
	JwtAuthPolicy policy = {0};
	Jsonb	   *claims = jwtauth_gateway_claims(text);

	/* The gateway has judged the token; its claims are read like our own. */
	policy.own = true;
	policy.allowed_roles.count = -1;
	policy.subject_prefix = "";
	begin_identity(JWTAUTH_GATEWAY);
	describe(claims, &policy);
	current.own = false;
}

/* The clock, and everything else that is counted, as they were judged under. */
static bool
memo_is_of_now(void)
{
	return memo.valid && jwtauth_verdict.epoch == jwtauth_epoch &&
		jwtauth_verdict.statement == GetCurrentStatementStartTimestamp();
}

/* Claims in a setting have no hook that counts: compare them. */
static bool
memo_is_of_setting(const char *setting)
{
	return memo.session_user == GetSessionUserId() &&
		(setting == NULL ? memo.setting == NULL :
		 memo.setting != NULL && strcmp(setting, memo.setting) == 0);
}

/* Remembers the verdict on the identity in force, for this statement. */
static void
remember_verdict(const char *setting, uint64 epoch)
{
	memo.setting = setting == NULL ? NULL :
		MemoryContextStrdup(current_context, setting);
	memo.session_user = GetSessionUserId();
	memo.valid = !jwtauth_clock_runs();
	jwtauth_verdict.epoch = epoch;
	jwtauth_verdict.statement = GetCurrentStatementStartTimestamp();
	jwtauth_verdict.serial =
		memo.valid && current.source == JWTAUTH_TOKEN ? current.serial : 0;
}

/*
 * Makes current of a token, or else of a gateway's claims, or else of nobody.
 * Returns what was known before reading, for the verdict to be stamped with.
 */
static uint64
judge(const char *token, const char *setting)
{
	static bool listening = false;
	uint64		epoch;

	if (!listening)
		RegisterXactCallback(at_transaction_end, NULL);
	listening = true;

	forget_verdict();
	if (token[0] != '\0')
		jwtauth_catalog_listen();
	epoch = jwtauth_epoch;
	if (token[0] != '\0')
		load_token(jwt_slice_of(token));
	else if (setting != NULL)
		load_gateway_claims(setting);
	else if (current.source != JWTAUTH_NOBODY || current.serial == 0)
		begin_identity(JWTAUTH_NOBODY);
	return epoch;
}

const JwtAuthIdentity *
jwtauth_identity(void)
{
	const char *token = jwtauth_token ? jwtauth_token : "";
	const char *setting;

	if (jwtauth_is_in_force(current.serial))
		return &current;

	setting = token[0] != '\0' ? NULL : jwtauth_gateway_text();
	if (token[0] != '\0' || !memo_is_of_now() || !memo_is_of_setting(setting))
		remember_verdict(setting, judge(token, setting));
	return &current;
}

const JwtAuthIdentity *
jwtauth_identity_of(const char *token)
{
	(void) judge(token, token[0] != '\0' ? NULL : jwtauth_gateway_text());
	return &current;
}

/* The server would say the same, but not what to do. */
static void
require_role_can_change(void)
{
	if (InLocalUserIdChange() || InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot change the role within a security-definer function"),
				 errhint("Call jwt.authenticate(token, set_role => false) there, or jwt.authenticate(token) outside of it.")));
}

static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_LOCAL, true, 0, false);
}

JwtStatus
jwtauth_authenticate(JwtSlice text, bool set_role, Jsonb **claims,
					 JwtAuthFault *fault)
{
	JwtAuthDemand demand = jwtauth_no_demand();
	JwtAuthToken *token;
	const JwtAuthPolicy *policy;
	char	   *role = NULL;
	JwtStatus	status;

	status = jwtauth_verify(text, &demand, &token, &policy, fault);
	if (status != JWT_OK)
		return status;
	*claims = copy_jsonb(token->claims);
	if (set_role)
		status = jwtauth_role_to_take(policy, *claims, &role, fault);
	if (status != JWT_OK)
		return jwtauth_stats_judged(token, policy, status);

	if (role != NULL)
		require_role_can_change();
	set_locally("jwt_auth.token", pnstrdup(text.data, text.len));
	if (role != NULL)
		set_locally("role", role);
	jwtauth_role_warn(role);
	return JWT_OK;
}
