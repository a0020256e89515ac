/*-------------------------------------------------------------------------
 *
 * verifier.c
 *	  Is a token good?  By the key store and the policies of issuers.
 *
 * Each step answers a status, JWT_OK or the fault it recorded; the first
 * that is not JWT_OK is the verdict.  With the caller's own keys:
 * verifier_with.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "compat.h"
#include "guc.h"
#include "json.h"
#include "keystore.h"
#include "miscadmin.h"
#include "revocation.h"
#include "stats.h"
#include "token_cache.h"
#include "transport.h"
#include "utils/timestamp.h"
#include "verifier.h"
#include "verifier_rules.h"

#define MAX_FITTING_KEYS 16		/* tried for a header without kid */

JwtAuthDemand
jwtauth_no_demand(void)
{
	JwtAuthDemand demand = {0};

	demand.at = jwtauth_now();
	demand.is_now = true;
	return demand;
}

static JwtStatus
judge_issuer(const JwtAuthToken *token, const JwtAuthDemand *demand,
			 const JwtAuthPolicy **policy, JwtAuthFault *fault)
{
	*policy = NULL;
	if (token->iss_is_string)
		*policy = jwtauth_policy_for(token->iss);
	if (!token->iss_is_string)
		return jwtauth_fault_rule(fault, JWT_E_ISSUER, token->iss,
								  gettext_noop("Claim \"iss\" is not a string."));
	if (*policy == NULL ||
		(demand->issuer.data != NULL &&
		 (token->iss.data == NULL ||
		  !jwt_slice_equal(token->iss, demand->issuer))))
		return jwtauth_fault_about(fault, JWT_E_ISSUER, token->iss);
	return JWT_OK;
}

static JwtStatus
judge_algorithm(const JwtAuthToken *token, const JwtAuthPolicy *policy,
				JwtAuthFault *fault)
{
	if (token->alg == NULL || !jwtauth_policy_allows(policy, token->alg))
		return jwtauth_fault_about(fault, JWT_E_ALGORITHM, token->alg_name);
	return JWT_OK;
}

/* Does the key agree with the header?  The key decides the algorithm. */
static JwtStatus
judge_key(const JwtAuthToken *token, const JwtAuthPolicy *policy,
		  const JwtAuthKey *key, TimestampTz at, JwtAuthFault *fault)
{
	bool		agrees;

	if (key->alg != NULL)
		agrees = (key->alg == token->alg);
	else
		agrees = jwtauth_alg_is_meant(key->kty, token->alg,
									  &policy->algorithms);
	if (!agrees)
		return jwtauth_fault_about(fault, JWT_E_ALGORITHM, token->alg_name);
	if (!jwtauth_key_in_force(key, at))
		return jwtauth_fault(fault, JWT_E_KEY_REVOKED);
	return JWT_OK;
}

/* The signature, unless the same key material has verified it before. */
static JwtStatus
judge_signature(JwtAuthToken *token, JwtAuthKey *key, JwtAuthFault *fault)
{
	JwtKey	   *parsed;
	JwtStatus	status;

	if (token->is_signed &&
		token->signed_under == jwtauth_settings_generation &&
		memcmp(token->key_digest, key->digest, sizeof(token->key_digest)) == 0)
		return JWT_OK;

	token->is_signed = false;
	status = jwtauth_keystore_verifying(key, &parsed);
	if (status == JWT_OK)
		status = jwt_jws_verify(&token->jws, parsed, token->alg);
	if (status != JWT_OK)
	{
		/* A key that may not serve (too small by now, use) is no key. */
		if (status == JWT_E_ALGORITHM)
			return jwtauth_fault_about(fault, status, token->alg_name);
		if (status == JWT_E_SIGNATURE || status == JWT_E_TOKEN_BASE64 ||
			status == JWT_E_CRYPTO)
			return jwtauth_fault(fault, status);
		return jwtauth_fault(fault, JWT_E_NO_KEY);
	}
	memcpy(token->key_digest, key->digest, sizeof(token->key_digest));
	token->signed_under = jwtauth_settings_generation;
	token->is_signed = true;
	return JWT_OK;
}

static JwtStatus
judge_one_key(JwtAuthToken *token, const JwtAuthPolicy *policy,
			  JwtAuthKey *key, TimestampTz at, JwtAuthFault *fault)
{
	JwtStatus	status = judge_key(token, policy, key, at, fault);

	return status == JWT_OK ? judge_signature(token, key, fault) : status;
}

/* The header names no key: those of the issuer that fit, newest first. */
static JwtStatus
judge_by_fitting_keys(JwtAuthToken *token, const JwtAuthPolicy *policy,
					  TimestampTz at, JwtAuthFault *fault)
{
	JwtSlice	kids[MAX_FITTING_KEYS];
	int			count = jwtauth_keystore_fitting(policy->key_issuer,
												 token->alg, at, kids,
												 MAX_FITTING_KEYS);
	JwtAuthFault miss = {0};
	JwtStatus	status;

	if (count < 0)
		return jwtauth_fault(fault, JWT_E_TOO_MANY_KEYS);
	jwtauth_fault(fault, JWT_E_NO_KEY);
	for (int i = 0; i < count; i++)
	{
		JwtAuthKey *key = jwtauth_keystore_find(policy->key_issuer, kids[i]);

		CHECK_FOR_INTERRUPTS();
		if (key == NULL)
			continue;
		status = judge_one_key(token, policy, key, at, &miss);
		if (status == JWT_OK)
		{
			/* The name lives shorter than a token of the cache. */
			if (token->is_cached)
				memset(&token->key_kid, 0, sizeof(token->key_kid));
			else
				token->key_kid = kids[i];
			token->stats_under = 0; /* another key may be counted */
			return JWT_OK;
		}

		/* The nearest miss is told: a key that fits, and did not sign it. */
		if (status == JWT_E_SIGNATURE || fault->status == JWT_E_NO_KEY)
			*fault = miss;
	}
	return fault->status;
}

/* The key that verified the token before, if it still does. */
static bool
verified_before(JwtAuthToken *token, const JwtAuthPolicy *policy,
				TimestampTz at)
{
	JwtAuthFault ignored = {0};
	JwtAuthKey *key;

	if (token->key_kid.data == NULL)
		return false;
	key = jwtauth_keystore_find(policy->key_issuer, token->key_kid);
	return key != NULL &&
		judge_one_key(token, policy, key, at, &ignored) == JWT_OK;
}

static JwtStatus
judge_keys(JwtAuthToken *token, const JwtAuthPolicy *policy, TimestampTz at,
		   JwtAuthFault *fault)
{
	JwtAuthKey *key;
	JwtStatus	status;

	if (token->kid.data == NULL)
		return verified_before(token, policy, at) ? JWT_OK :
			judge_by_fitting_keys(token, policy, at, fault);

	key = jwtauth_keystore_find(policy->key_issuer, token->kid);
	if (key == NULL)
		return jwtauth_fault(fault, JWT_E_NO_KEY);
	status = judge_one_key(token, policy, key, at, fault);
	if (status == JWT_OK)
		token->key_kid = token->kid;
	return status;
}

/* No row anywhere is asked twice as long as no change was heard. */
static JwtStatus
judge_revocation(JwtAuthToken *token, const JwtAuthPolicy *policy,
				 JwtAuthFault *fault)
{
	uint64		generation = jwtauth_catalog_generation();

	if (token->unrevoked_at == generation &&
		token->unrevoked_under == jwtauth_settings_generation)
		return JWT_OK;
	token->unrevoked_at = 0;
	if (jwtauth_is_revoked(token, policy->key_issuer))
		return jwtauth_fault(fault, JWT_E_REVOKED);
	token->unrevoked_at = generation;
	token->unrevoked_under = jwtauth_settings_generation;
	return JWT_OK;
}

/* Who made it: issuer, algorithm, key, signature. */
static JwtStatus
judge_origin(JwtAuthToken *token, const JwtAuthDemand *demand,
			 const JwtAuthPolicy **policy, JwtAuthFault *fault)
{
	JwtStatus	status = judge_issuer(token, demand, policy, fault);

	if (status == JWT_OK)
		status = judge_algorithm(token, *policy, fault);
	if (status == JWT_OK)
		status = judge_keys(token, *policy, demand->at, fault);
	return status;
}

JwtStatus
jwtauth_verify_origin(JwtSlice text, JwtAuthToken *token,
					  const JwtAuthPolicy **policy, JwtAuthFault *fault)
{
	JwtAuthDemand demand = jwtauth_no_demand();
	JwtStatus	status;

	jwtauth_catalog_listen();
	status = jwtauth_token_read(text, token, fault);
	if (status == JWT_OK)
		status = jwtauth_token_read_claims(token, fault);
	if (status == JWT_OK)
		status = judge_origin(token, &demand, policy, fault);
	if (status == JWT_OK)
		status = jwtauth_token_type_claims(token, fault);
	return status;
}

static JwtStatus
judge(JwtAuthToken *token, const JwtAuthDemand *demand,
	  const JwtAuthPolicy **policy, JwtAuthFault *fault)
{
	const JwtAuthPolicy *p;
	JwtStatus	status;

	status = judge_origin(token, demand, &p, fault);
	if (status == JWT_OK)
		status = jwtauth_rules_claims(token, p, demand, fault);
	if (status == JWT_OK)
		status = judge_revocation(token, p, fault);
	if (status == JWT_OK)
		status = jwtauth_judge_transport(fault);
	*policy = status == JWT_OK ? p : NULL;
	return jwtauth_stats_judged(token, p, status);
}

JwtStatus
jwtauth_verify(JwtSlice text, const JwtAuthDemand *demand,
			   JwtAuthToken **token, const JwtAuthPolicy **policy,
			   JwtAuthFault *fault)
{
	JwtAuthToken *fresh;
	JwtStatus	status;

	jwtauth_catalog_listen();
	*token = NULL;
	if (text.len <= (size_t) jwtauth_max_token_size)
		*token = jwtauth_token_cache_find(text);
	if (*token != NULL)
		return judge(*token, demand, policy, fault);

	fresh = palloc(sizeof(JwtAuthToken));
	*token = fresh;
	status = jwtauth_token_read(text, fresh, fault);
	if (status == JWT_OK)
		status = jwtauth_token_read_claims(fresh, fault);
	if (status != JWT_OK)
		return jwtauth_stats_judged(NULL, NULL, status);
	status = judge(fresh, demand, policy, fault);
	if (status == JWT_OK)
		*token = jwtauth_token_cache_keep(fresh);
	return status;
}
