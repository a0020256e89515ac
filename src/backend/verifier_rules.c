/*-------------------------------------------------------------------------
 *
 * verifier_rules.c
 *	  The rules that a token's claims must keep: RFC 7519, Sec. 4.1 and the
 *	  issuer's policy.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "json.h"
#include "utils/timestamp.h"
#include "verifier_rules.h"

bool
jwtauth_alg_is_meant(JwtKeyType kty, const JwtAlg *alg,
					 const JwtAuthList *algorithms)
{
	if (alg->kty != kty)
		return false;
	if (kty == JWT_KTY_EC || kty == JWT_KTY_OKP)
		return true;			/* the curve decides, and the core asks it */
	if (algorithms->count >= 0)
		return jwtauth_list_has(algorithms, jwt_slice_of(alg->name));
	return strcmp(alg->name, kty == JWT_KTY_RSA ? "RS256" : "HS256") == 0;
}

/*
 * A token can be made after the statement began that judges it: signing in
 * within one function after a revocation, say.  What is not yet valid by the
 * statement's clock is judged once more by the real one, which only moves the
 * expiry nearer.
 */
static JwtStatus
check_times(const JwtTimes *times, const JwtAuthDemand *demand, int64 leeway,
			int64 *now)
{
	JwtStatus	status;

	*now = jwtauth_unix_us(demand->at);
	status = jwt_claims_check_times(times, *now, leeway);
	if (status != JWT_E_NOT_YET_VALID || !demand->is_now)
		return status;
	*now = jwtauth_unix_us(GetCurrentTimestamp());
	return jwt_claims_check_times(times, *now, leeway);
}

JwtStatus
jwtauth_rules_times(JwtAuthToken *token, const JwtAuthDemand *demand,
					int64 leeway, JwtAuthFault *fault)
{
	JwtStatus	status = jwtauth_token_type_claims(token, fault);
	int64		now;

	if (status != JWT_OK)
		return status;
	status = check_times(&token->times, demand, leeway, &now);
	if (status == JWT_OK)
		return JWT_OK;

	fault->now = now;
	if (status == JWT_E_EXPIRED)
		fault->at = token->times.exp.at;
	else if (token->times.nbf.present && now < token->times.nbf.at - leeway)
		fault->at = token->times.nbf.at;
	else
		fault->at = token->times.iat.at;
	return jwtauth_fault(fault, status);
}

static JwtStatus
check_audience(const JwtAuthToken *token, const JwtSlice *accepted,
			   int naccepted, JwtAuthFault *fault)
{
	JwtSlice	none = {NULL, 0};
	JwtStatus	status = jwt_claims_check_audience(token->aud, token->naud,
												   accepted, naccepted);

	if (status == JWT_OK)
		return JWT_OK;
	return jwtauth_fault_about(fault, status,
							   token->naud > 0 ? token->aud[0] : none);
}

JwtStatus
jwtauth_rules_demand(const JwtAuthToken *token, const JwtAuthDemand *demand,
					 JwtAuthFault *fault)
{
	/* The caller's word is a name, never the wildcard of a policy. */
	if (demand->audience.data == NULL)
		return JWT_OK;
	for (int i = 0; i < token->naud; i++)
		if (jwt_slice_equal(token->aud[i], demand->audience))
			return JWT_OK;
	return check_audience(token, NULL, 0, fault);
}

static JwtStatus
policy_audience(const JwtAuthToken *token, const JwtAuthPolicy *policy,
				JwtAuthFault *fault)
{
	JwtStatus	status = JWT_OK;

	if (policy->own_audience.data != NULL)
		status = check_audience(token, &policy->own_audience, 1, fault);
	if (status == JWT_OK && policy->audiences.count >= 0)
		status = check_audience(token, policy->audiences.items,
								policy->audiences.count, fault);
	return status;
}

static JwtStatus
policy_required(const JwtAuthToken *token, const JwtAuthPolicy *policy,
				JwtAuthFault *fault)
{
	JsonbValue	value;

	/* Ours always expire; a row of ours may demand more, not less. */
	if ((policy->own || policy->required_claims.count < 0) &&
		!token->times.exp.present)
		return jwtauth_fault_named(fault, JWT_E_CLAIM, "exp");
	for (int i = 0; i < policy->required_claims.count; i++)
	{
		JwtSlice	name = policy->required_claims.items[i];
		char	   *cname = pnstrdup(name.data, name.len);

		if (!jwtauth_json_member(token->claims, cname, &value) ||
			value.type == jbvNull)
			return jwtauth_fault_named(fault, JWT_E_CLAIM, cname);
		pfree(cname);
	}
	return JWT_OK;
}

static JwtStatus
policy_age(const JwtAuthToken *token, const JwtAuthPolicy *policy, int64 now,
		   JwtAuthFault *fault)
{
	JwtStatus	status = jwt_claims_check_age(&token->times, now,
											  policy->leeway,
											  policy->max_age);

	if (status == JWT_E_CLAIM)
		return jwtauth_fault_named(fault, status, "iat");
	if (status != JWT_OK)
	{
		fault->at = token->times.iat.at;
		fault->now = now;
		return jwtauth_fault(fault, status);
	}
	return JWT_OK;
}

/*
 * RFC 7515, Sec. 4.1.9: "typ" is a media type, compared without regard to
 * case; "application/" may be left out where no other slash follows.
 */
static JwtSlice
short_typ(JwtSlice typ)
{
	const size_t prefix = strlen("application/");

	if (typ.len > prefix &&
		pg_strncasecmp(typ.data, "application/", prefix) == 0 &&
		memchr(typ.data + prefix, '/', typ.len - prefix) == NULL)
	{
		typ.data += prefix;
		typ.len -= prefix;
	}
	return typ;
}

static JwtStatus
policy_typ(const JwtAuthToken *token, const JwtAuthPolicy *policy,
		   JwtAuthFault *fault)
{
	JwtSlice	typ = short_typ(token->typ);

	if (policy->typ.count < 0)
		return JWT_OK;
	for (int i = 0; token->typ.data != NULL && i < policy->typ.count; i++)
	{
		JwtSlice	wanted = short_typ(policy->typ.items[i]);

		if (wanted.len == typ.len &&
			pg_strncasecmp(wanted.data, typ.data, typ.len) == 0)
			return JWT_OK;
	}
	return jwtauth_fault_rule(fault, JWT_E_CLAIM, typ,
							  gettext_noop("Header member \"typ\" is missing or none of those that the issuer's row allows."));
}

JwtStatus
jwtauth_rules_claims(JwtAuthToken *token, const JwtAuthPolicy *policy,
					 const JwtAuthDemand *demand, JwtAuthFault *fault)
{
	JwtStatus	status;

	status = jwtauth_rules_times(token, demand, policy->leeway, fault);
	if (status == JWT_OK)
		status = policy_audience(token, policy, fault);
	if (status == JWT_OK)
		status = jwtauth_rules_demand(token, demand, fault);
	if (status == JWT_OK)
		status = policy_required(token, policy, fault);
	if (status == JWT_OK)
		status = policy_typ(token, policy, fault);
	if (status == JWT_OK)
		status = policy_age(token, policy, jwtauth_unix_us(demand->at), fault);
	return status;
}
