/*-------------------------------------------------------------------------
 *
 * gateway.c
 *	  Claims that a gateway hands over in settings.
 *
 * PostgREST puts all claims into one setting as JSON; PostGraphile uses a
 * setting for each claim, which jwt_auth.claims_setting writes with ".*" at
 * its end.  Either kind can be written by anyone who can run SET, so it is
 * believed of a few session users only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "gateway.h"
#include "guc.h"
#include "json.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "report.h"
#include "stats.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

/* Length of the prefix before the "*"; 0 if one setting holds all claims. */
static size_t
prefix_length(void)
{
	size_t		len = strlen(jwtauth_claims_setting);

	return len > 2 && strcmp(jwtauth_claims_setting + len - 2, ".*") == 0 ?
		len - 1 : 0;
}

/*
 * "length of the value=name=value" for each setting, since a value may hold
 * any character: a walk over all settings, because nothing tells when one
 * was made or changed.
 */
static const char *
claim_settings(size_t prefix)
{
	StringInfoData buf;
	int			count;
	struct config_generic **settings = jwtauth_all_settings(&count);

	initStringInfo(&buf);
	for (int i = 0; i < count; i++)
	{
		const char *name = settings[i]->name;
		const char *value;

		if (pg_strncasecmp(name, jwtauth_claims_setting, prefix) != 0 ||
			name[prefix] == '\0')
			continue;
		value = GetConfigOption(name, true, false);
		if (value != NULL && value[0] != '\0')
			appendStringInfo(&buf, "%zu=%s=%s", strlen(value), name + prefix,
							 value);
	}
	return buf.len > 0 ? buf.data : NULL;
}

const char *
jwtauth_gateway_text(void)
{
	const char *name = jwtauth_claims_setting;
	const char *value;
	size_t		prefix;

	if (name == NULL || name[0] == '\0')
		return NULL;
	prefix = prefix_length();
	if (prefix > 0)
		return claim_settings(prefix);

	/* '' is what SET LOCAL leaves behind: it counts as unset. */
	value = GetConfigOption(name, true, false);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void
require_trusted_gateway(void)
{
	Oid			user = GetSessionUserId();
	JwtAuthFault fault = {0};

	if (superuser_arg(user) ||
		jwtauth_is_trusted_gateway(GetUserNameFromId(user, false)))
		return;
	jwtauth_fault_named(&fault, JWT_E_GATEWAY, jwtauth_claims_setting);
	(void) jwtauth_stats_judged(NULL, NULL, fault.status);
	jwtauth_raise(&fault);
}

/* Every value is text, whatever it looks like. */
static Jsonb *
claims_of_settings(const char *text)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();
	const char *p = text;

	while (*p != '\0')
	{
		char	   *name;
		const char *name_end;
		JwtSlice	value;

		/* The name of a setting has no "=". */
		value.len = strtoul(p, &name, 10);
		name++;
		name_end = strchr(name, '=');
		value.data = name_end + 1;
		jwtauth_json_put_slice(b, pnstrdup(name, name_end - name), value);
		p = value.data + value.len;
	}
	return jwtauth_json_end(b);
}

Jsonb *
jwtauth_gateway_claims(const char *text)
{
	Jsonb	   *claims;

	require_trusted_gateway();
	if (prefix_length() > 0)
		return claims_of_settings(text);
	if (jwtauth_json_parse_server(text, strlen(text), &claims) != JWT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("setting \"%s\" is not a JSON object with distinct members",
						jwtauth_claims_setting)));
	return claims;
}
