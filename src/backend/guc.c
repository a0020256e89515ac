/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  Settings jwt_auth.*: definitions, checks, hooks.
 *
 * The assign hooks only count: a rollback calls them too, so they may not
 * fail, read a table or judge a token.  jwt_auth.token has no check hook
 * because the server prints a value whole when a check hook refuses it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/parallel.h"
#include "asker.h"
#include "catalog/pg_authid.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#define DAY (24 * 60 * 60)

char	   *jwtauth_token = NULL;
char	   *jwtauth_issuer = NULL;
char	   *jwtauth_audience = NULL;
char	   *jwtauth_claims_setting = NULL;
char	   *jwtauth_claims_hook = NULL;
char	   *jwtauth_token_header = NULL;
char	   *jwtauth_token_cookie = NULL;
char	   *jwtauth_encryption_key_file = NULL;
int			jwtauth_leeway = 0;
int			jwtauth_access_token_lifetime = 15 * 60;
int			jwtauth_refresh_token_lifetime = 14 * DAY;
int			jwtauth_session_lifetime = 90 * DAY;
int			jwtauth_refresh_reuse_interval = 10;
int			jwtauth_max_sessions = 0;
int			jwtauth_event_retention = 90 * DAY;
int			jwtauth_max_token_size = 16 * 1024;
int			jwtauth_min_rsa_bits = 2048;
int			jwtauth_cache_size = 256;
bool		jwtauth_require_tls = false;
bool		jwtauth_pgjwt_strict = false;
bool		jwtauth_track_stats = true;
bool		jwtauth_log_rejected = false;
bool		jwtauth_session_events = true;
int			jwtauth_key_rest = 30 * DAY;

uint64		jwtauth_epoch = 1;
uint64		jwtauth_settings_generation = 1;
uint64		jwtauth_key_file_generation = 1;

static char *trusted_gateways = NULL;

static void
settings_changed(void)
{
	jwtauth_settings_generation++;
	jwtauth_epoch++;
}

static void
assign_token(const char *newval, void *extra)
{
	jwtauth_asker_leaves();
	jwtauth_epoch++;
}

static void
assign_string(const char *newval, void *extra)
{
	settings_changed();
}

static void
assign_key_file(const char *newval, void *extra)
{
	settings_changed();
	jwtauth_key_file_generation++;
}

static void
assign_int(int newval, void *extra)
{
	settings_changed();
}

static void
assign_bool(bool newval, void *extra)
{
	settings_changed();
}

/* SHOW, pg_settings and current_setting() learn that there is a token. */
static const char *
show_token(void)
{
	return jwtauth_token != NULL && jwtauth_token[0] != '\0' ? "(set)" : "";
}

/*
 * A role's or a database's stored settings are readable by everyone, so a
 * token there is as good as published.  A parallel worker is silent: what its
 * leader has was warned of, and the server says whose value it restores.
 */
static bool
check_token(char **newval, void **extra, GucSource source)
{
	if (*newval != NULL && **newval != '\0' && !InitializingParallelWorker &&
		(source == PGC_S_USER || source == PGC_S_DATABASE ||
		 source == PGC_S_DATABASE_USER || source == PGC_S_GLOBAL ||
		 source == PGC_S_TEST))
		ereport(WARNING,
				(errmsg("\"jwt_auth.token\" is stored as a setting of a role, database or function"),
				 errdetail("Every role can read such settings in the catalogs."),
				 errhint("Set it in the session, with jwt.authenticate() or SET LOCAL.")));
	return true;
}

static bool
check_name_list(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names = NIL;
	bool		ok = SplitIdentifierString(copy, ',', &names);

	list_free(names);
	pfree(copy);
	if (!ok)
		GUC_check_errdetail("List syntax is invalid.");
	return ok;
}

List *
jwtauth_name_list(const char *text)
{
	List	   *names = NIL;

	if (!SplitIdentifierString(pstrdup(text), ',', &names))
		return NIL;
	return names;
}

bool
jwtauth_is_trusted_gateway(const char *rolename)
{
	char	   *copy;
	List	   *names = NIL;
	ListCell   *lc;
	bool		found = false;

	if (trusted_gateways == NULL || trusted_gateways[0] == '\0')
		return false;
	copy = pstrdup(trusted_gateways);
	if (SplitIdentifierString(copy, ',', &names))
	{
		foreach(lc, names)
		{
			if (strcmp((char *) lfirst(lc), rolename) == 0)
				found = true;
		}
	}
	list_free(names);
	pfree(copy);
	return found;
}

bool
jwtauth_is_own_issuer(JwtSlice issuer)
{
	return jwtauth_issuer != NULL && jwtauth_issuer[0] != '\0' &&
		issuer.data != NULL &&
		jwt_slice_equal(issuer, jwt_slice_of(jwtauth_issuer));
}

JwtKeyLimits
jwtauth_key_limits(void)
{
	JwtKeyLimits limits;

	limits.min_rsa_bits = jwtauth_min_rsa_bits;
	return limits;
}

static void
define_string(const char *name, char **variable, const char *boot,
			  const char *description, GucStringCheckHook check)
{
	DefineCustomStringVariable(name, description, NULL, variable, boot,
							   PGC_SUSET, 0, check, assign_string, NULL);
}

static void
define_int(const char *name, int *variable, int min, int max, int unit,
		   const char *description)
{
	DefineCustomIntVariable(name, description, NULL, variable, *variable,
							min, max, PGC_SUSET, unit, NULL, assign_int, NULL);
}

static void
define_lifetimes(void)
{
	define_int("jwt_auth.leeway", &jwtauth_leeway, 0, 300, GUC_UNIT_S,
			   "Allowed difference of clocks when our own tokens are judged.");
	define_int("jwt_auth.access_token_lifetime",
			   &jwtauth_access_token_lifetime, 1, 365 * DAY, GUC_UNIT_S,
			   "Time until a signed token expires, unless said otherwise.");
	define_int("jwt_auth.refresh_token_lifetime",
			   &jwtauth_refresh_token_lifetime, 1, 10 * 365 * DAY, GUC_UNIT_S,
			   "Time after which a session that is not refreshed ends.");
	define_int("jwt_auth.session_lifetime",
			   &jwtauth_session_lifetime, 1, JWTAUTH_MAX_SESSION_LIFETIME, GUC_UNIT_S,
			   "Time after which a session ends, refreshed or not.");
	define_int("jwt_auth.event_retention",
			   &jwtauth_event_retention, 0, 10 * 365 * DAY, GUC_UNIT_S,
			   "Time after which jwt.purge() deletes an event.");
	define_int("jwt_auth.refresh_reuse_interval",
			   &jwtauth_refresh_reuse_interval, 0, 300, GUC_UNIT_S,
			   "Time in which a refresh that is sent again gets the same answer; 0 turns that off.");
}

/* Those of the companion extension, which has no library of its own. */
static void
define_pgjwt(void)
{
	DefineCustomBoolVariable("jwt_auth_pgjwt.strict",
							 "Refuse tokens whose exp or nbf is no number, and empty secrets.",
							 NULL, &jwtauth_pgjwt_strict, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	MarkGUCPrefixReserved("jwt_auth_pgjwt");
}

/* None of these turns a verdict; what counts hears of it as of one that does. */
static void
define_watching(void)
{
	DefineCustomBoolVariable("jwt_auth.track_stats",
							 "Collects the statistics of view jwt.stats.",
							 NULL, &jwtauth_track_stats, true, PGC_SUSET, 0,
							 NULL, assign_bool, NULL);
	DefineCustomBoolVariable("jwt_auth.log_rejected",
							 "Logs refused tokens, at most one line a second and cause.",
							 NULL, &jwtauth_log_rejected, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("jwt_auth.session_events",
							 "Records an event for each session that is opened.",
							 NULL, &jwtauth_session_events, true, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("jwt_auth.key_rest",
							"Time after which the next use of a key is an event; 0: never.",
							NULL, &jwtauth_key_rest, 30 * DAY, 0,
							10 * 365 * DAY, PGC_SUSET, GUC_UNIT_S,
							NULL, NULL, NULL);
}

void
jwtauth_define_settings(void)
{
	jwtauth_askers_begin();
	DefineCustomStringVariable("jwt_auth.token",
							   "Token whose claims are in force.",
							   "Set by jwt.authenticate() or SET LOCAL; never shown.",
							   &jwtauth_token, "", PGC_USERSET,
							   GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE |
							   GUC_DISALLOW_IN_FILE,
							   check_token, assign_token, show_token);
	define_string("jwt_auth.issuer", &jwtauth_issuer, "",
				  "Claim \"iss\" of the tokens that we sign.", NULL);
	define_string("jwt_auth.audience", &jwtauth_audience, "",
				  "Audience that our own tokens must name; empty: not checked.",
				  NULL);
	define_string("jwt_auth.trusted_gateways", &trusted_gateways, "",
				  "Session users whose claims setting is believed.",
				  check_name_list);
	define_string("jwt_auth.claims_setting", &jwtauth_claims_setting,
				  "request.jwt.claims",
				  "Setting in which a trusted gateway hands over claims; empty: none.",
				  NULL);
	define_string("jwt_auth.claims_hook", &jwtauth_claims_hook, "",
				  "Function that is asked for the claims at each open and refresh of a session.",
				  NULL);
	define_string("jwt_auth.token_header", &jwtauth_token_header, "",
				  "HTTP header in which jwt.pre_request() also finds a token; empty: none.",
				  NULL);
	define_string("jwt_auth.token_cookie", &jwtauth_token_cookie, "",
				  "HTTP cookie in which jwt.pre_request() also finds a token; empty: none.",
				  NULL);
	DefineCustomStringVariable("jwt_auth.encryption_key_file",
							   "File whose bytes seal private keys; empty: they are stored in the clear.",
							   "At least 32 random bytes; a relative path starts at the data directory.",
							   &jwtauth_encryption_key_file, "", PGC_SUSET,
							   GUC_SUPERUSER_ONLY,
							   NULL, assign_key_file, NULL);
	define_lifetimes();
	define_int("jwt_auth.max_sessions", &jwtauth_max_sessions, 0, INT_MAX, 0,
			   "Open sessions a subject may have; the oldest closes; 0: no limit.");
	define_int("jwt_auth.max_token_size", &jwtauth_max_token_size,
			   256, 1024 * 1024, GUC_UNIT_BYTE,
			   "Longest token that is looked at.");
	define_int("jwt_auth.min_rsa_bits", &jwtauth_min_rsa_bits,
			   JWT_MIN_RSA_BITS, JWT_MAX_RSA_BITS, 0,
			   "Smallest RSA key that is accepted.");
	define_int("jwt_auth.cache_size", &jwtauth_cache_size, 16, 1000000, 0,
			   "Verified tokens, and parsed keys, that a backend keeps.");
	DefineCustomBoolVariable("jwt_auth.require_tls",
							 "Accept tokens over TLS or a Unix-domain socket only.",
							 NULL, &jwtauth_require_tls, false, PGC_SUSET, 0,
							 NULL, assign_bool, NULL);
	define_watching();
	MarkGUCPrefixReserved("jwt_auth");
	define_pgjwt();
}
