/*-------------------------------------------------------------------------
 *
 * role.c
 *	  From a role claim to a database role.
 *
 * A claim that names no role, or one that may not be taken, is refused and
 * never means "stay as you are": the role in force may well be mightier.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "compat.h"
#include "json.h"
#include "miscadmin.h"
#include "report.h"
#include "role.h"
#include "utils/acl.h"
#include "utils/syscache.h"

static bool
among(Jsonb *roles, JwtSlice name)
{
	uint32		count = JsonContainerSize(&roles->root);

	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&roles->root, i);
		JwtSlice	text = jwtauth_json_slice(value);

		if (text.data != NULL && jwt_slice_equal(text, name))
			return true;
	}
	return false;
}

/* data NULL if the claim, being there, names no single allowed role. */
static JwtSlice
named_by_claim(const JwtAuthPolicy *policy, Jsonb *roles)
{
	JwtSlice	none = {NULL, 0};

	for (int i = 0; i < policy->allowed_roles.count; i++)
		if (among(roles, policy->allowed_roles.items[i]))
			return policy->allowed_roles.items[i];
	if (policy->allowed_roles.count < 0 && policy->own &&
		JsonContainerSize(&roles->root) == 1)
		return jwtauth_json_slice(getIthJsonbValueFromContainer(&roles->root, 0));
	return none;
}

/* By what is allowed at all; a foreign issuer without a list may take none. */
static bool
is_allowed(const JwtAuthPolicy *policy, JwtSlice name)
{
	return policy->allowed_roles.count >= 0 ?
		jwtauth_list_has(&policy->allowed_roles, name) : policy->own;
}

char *
jwtauth_role_named(const JwtAuthPolicy *policy, Jsonb *roles)
{
	JwtSlice	role;

	if (roles == NULL)
		return policy->default_role != NULL &&
			is_allowed(policy, jwt_slice_of(policy->default_role)) ?
			pstrdup(policy->default_role) : NULL;
	role = named_by_claim(policy, roles);
	return role.data ? pnstrdup(role.data, role.len) : NULL;
}

/* What the claim says, for the detail of a refusal. */
static JwtSlice
shown_claim(Jsonb *roles)
{
	return jwtauth_json_slice(getIthJsonbValueFromContainer(&roles->root, 0));
}

/* Attributes that no token may bring; NULL: none of them. */
static const char *
forbidden_attribute(Form_pg_authid form)
{
	if (form->rolsuper)
		return gettext_noop("a token never takes a superuser role.");
	if (form->rolbypassrls)
		return gettext_noop("a token never takes a role that bypasses row-level security.");
	if (form->rolreplication)
		return gettext_noop("a token never takes a replication role.");
	return NULL;
}

/* The rule that forbids a name, whatever role it is; NULL: none. */
static const char *
forbidden_name(const JwtAuthPolicy *policy, JwtSlice name)
{
	/* set_config() would cut a longer name down to that of another role. */
	if (name.len >= NAMEDATALEN || memchr(name.data, '\0', name.len) != NULL)
		return gettext_noop("no role has a name that long.");
	if (jwt_slice_equal(name, jwt_slice_of("none")))
		return gettext_noop("\"none\" is no role.");
	if (name.len >= 3 && memcmp(name.data, "pg_", 3) == 0)
		return gettext_noop("a token never takes a predefined role.");
	if (!is_allowed(policy, name))
		return gettext_noop("it is not among the issuer's allowed_roles.");
	return NULL;
}

static const char *const not_a_member =
gettext_noop("the session user may not take it.");

/* The rule that forbids the role to this session; NULL: none. */
static const char *
forbidden_role(const JwtAuthPolicy *policy, JwtSlice name)
{
	const char *rule = forbidden_name(policy, name);
	HeapTuple	tuple;
	Oid			role;

	if (rule != NULL)
		return rule;
	tuple = SearchSysCache1(AUTHNAME,
							CStringGetDatum(pnstrdup(name.data, name.len)));
	if (!HeapTupleIsValid(tuple))
		return gettext_noop("there is no such role.");
	rule = forbidden_attribute((Form_pg_authid) GETSTRUCT(tuple));
	role = ((Form_pg_authid) GETSTRUCT(tuple))->oid;
	ReleaseSysCache(tuple);
	if (rule == NULL && !jwtauth_may_set_role(GetSessionUserId(), role))
		rule = not_a_member;
	return rule;
}

/* The claim is there and names no one role that is allowed. */
static JwtStatus
refuse_claim(Jsonb *roles, JwtAuthFault *fault)
{
	JwtSlice	none = {NULL, 0};

	if (JsonContainerSize(&roles->root) == 1 && shown_claim(roles).data != NULL)
		return jwtauth_fault_rule(fault, JWT_E_ROLE, shown_claim(roles),
								  gettext_noop("it is not among the issuer's allowed_roles."));
	return jwtauth_fault_rule(fault, JWT_E_ROLE, none,
							  gettext_noop("The role claim does not name one role."));
}

JwtStatus
jwtauth_role_to_take(const JwtAuthPolicy *policy, Jsonb *claims,
					 char **role, JwtAuthFault *fault)
{
	Jsonb	   *roles = jwtauth_policy_roles(policy, claims);
	const char *rule;
	JwtSlice	name;

	*role = NULL;
	if (roles != NULL)
	{
		name = named_by_claim(policy, roles);
		if (name.data == NULL)
			return refuse_claim(roles, fault);
	}
	else if (policy->default_role != NULL)
		name = jwt_slice_of(policy->default_role);
	else
		return JWT_OK;

	rule = forbidden_role(policy, name);
	if (rule != NULL)
	{
		fault->grant_helps = (rule == not_a_member);
		return jwtauth_fault_rule(fault, JWT_E_ROLE, name, rule);
	}
	*role = pnstrdup(name.data, name.len);
	return JWT_OK;
}

void
jwtauth_role_warn(const char *role_taken)
{
	/* What SET LOCAL says outside of a transaction block. */
	if (!IsTransactionBlock())
		ereport(WARNING,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("identity ends with this statement"),
				 errhint("Call jwt.authenticate() between BEGIN and COMMIT.")));

	if (role_taken == NULL &&
		(superuser() || has_bypassrls_privilege(GetUserId())))
		ereport(WARNING,
				(errmsg("role \"%s\" is not bound by row-level security",
						GetUserNameFromId(GetUserId(), false)),
				 errhint("Connect as an ordinary role, or name a role in the token.")));
}
