/*-------------------------------------------------------------------------
 *
 * verifier_with.c
 *	  Is a token good?  By a JWK or JWKS that the caller holds.
 *
 * No table is read.  RFC 7517, Sec. 5: a member of a set that is malformed
 * or of an unknown kind spoils itself, not its neighbours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "guc.h"
#include "json.h"
#include "jwk.h"
#include "miscadmin.h"
#include "stats.h"
#include "verifier.h"
#include "verifier_rules.h"

#define MAX_CANDIDATES 16		/* keys tried for a header without kid */
#define MAX_SET 1000			/* members of a set that are looked at */

/*
 * Tries one key.  JWT_E_ALGORITHM if it does not go with the header;
 * otherwise what the signature says, or what is wrong with the key.
 */
static JwtStatus
try_key(const JwtAuthToken *token, Jsonb *jwk, const JwtAuthList *algorithms)
{
	JwtKey	   *key;
	JwtStatus	status = jwtauth_key_of_argument(jwk, &key);

	if (status == JWT_OK)
		status = jwt_key_permits(key, token->alg, JWT_OP_VERIFY);
	if (status == JWT_OK && jwt_key_alg(key) == NULL &&
		!jwtauth_alg_is_meant(jwt_key_type(key), token->alg, algorithms))
		status = JWT_E_ALGORITHM;
	if (status == JWT_OK)
		status = jwt_jws_verify(&token->jws, key, token->alg);
	return status;
}

/* The member of a set as a jsonb of its own; NULL if it is no object. */
static Jsonb *
member_of(JsonbContainer *set, uint32 i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(set, i);

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return JsonbValueToJsonb(value);
}

/*
 * Might that member be meant by the header?  By its kid where the header
 * has one; else by its kty, which is cheap to see.
 */
static bool
is_candidate(const JwtAuthToken *token, Jsonb *jwk)
{
	JwtSlice	kty = jwtauth_json_string(jwk, "kty");

	if (token->kid.data != NULL)
	{
		JwtSlice	kid = jwtauth_jwk_kid(jwk);

		return kid.data != NULL && jwt_slice_equal(kid, token->kid);
	}
	return kty.data != NULL &&
		jwt_slice_equal(kty, jwt_slice_of(jwt_kty_name(token->alg->kty)));
}

static int
collect_candidates(const JwtAuthToken *token, JsonbContainer *set,
				   Jsonb **found)
{
	int			count = 0;

	for (uint32 i = 0; i < JsonContainerSize(set); i++)
	{
		Jsonb	   *jwk = member_of(set, i);

		if (jwk != NULL && is_candidate(token, jwk))
			found[count++] = jwk;
	}
	return count;
}

/* A member of a set, as far as it says which key it is. */
typedef struct Member
{
	char		thumbprint[JWT_THUMBPRINT_LEN];
	const JwtAlg *alg;			/* its own, or NULL */
} Member;

/* False if it can verify nothing. */
static bool
read_member(Jsonb *jwk, Member *member)
{
	JwtKey	   *key;

	CHECK_FOR_INTERRUPTS();
	if (jwtauth_key_of_argument(jwk, &key) != JWT_OK ||
		jwt_key_permits(key, jwt_key_default_alg(key),
						JWT_OP_VERIFY) != JWT_OK)
		return false;
	member->alg = jwt_key_alg(key);
	return jwt_key_thumbprint(key, member->thumbprint) == JWT_OK;
}

/*
 * Drops the members that are of no use, or repeat another; returns how many
 * are left, and how many keys those are: one may be there for several
 * algorithms, a member each.
 */
static int
keep_usable(Jsonb **found, int count, int *keys)
{
	Member	   *kept = palloc(count * sizeof(Member));
	int			num_kept = 0;

	*keys = 0;
	for (int i = 0; i < count; i++)
	{
		Member	   *member = &kept[num_kept];
		bool		same_key = false;
		bool		same_alg = false;

		if (!read_member(found[i], member))
			continue;
		for (int j = 0; j < num_kept; j++)
		{
			if (memcmp(kept[j].thumbprint, member->thumbprint,
					   JWT_THUMBPRINT_LEN) != 0)
				continue;
			same_key = true;
			same_alg = same_alg || kept[j].alg == member->alg;
		}
		*keys += same_key ? 0 : 1;
		if (!same_alg)
			found[num_kept++] = found[i];
	}
	return num_kept;
}

static JwtStatus
try_candidates(const JwtAuthToken *token, Jsonb **candidates, int count,
			   const JwtAuthList *algorithms, JwtAuthFault *fault)
{
	JwtStatus	result = JWT_E_NO_KEY;

	for (int i = 0; i < count; i++)
	{
		JwtStatus	status;

		CHECK_FOR_INTERRUPTS();
		status = try_key(token, candidates[i], algorithms);
		if (status == JWT_OK)
			return JWT_OK;

		/* The nearest miss is told: signature, then algorithm, then none. */
		if (status == JWT_E_SIGNATURE || status == JWT_E_TOKEN_BASE64)
			result = status;
		else if (status == JWT_E_ALGORITHM && result == JWT_E_NO_KEY)
			result = status;
	}
	if (result == JWT_E_ALGORITHM)
		return jwtauth_fault_about(fault, result, token->alg_name);
	return jwtauth_fault(fault, result);
}

/*
 * A kid that names two keys of the set names none.  What cannot serve is no
 * key here, whatever its name: it is looked for where there are more members
 * than there may be keys, so that ordinary sets do not pay for it.
 */
static JwtStatus
try_set(const JwtAuthToken *token, JsonbContainer *set,
		const JwtAuthList *algorithms, JwtAuthFault *fault)
{
	int			max = token->kid.data != NULL ? 1 : MAX_CANDIDATES;
	Jsonb	  **found;
	int			count;
	int			keys;

	if (JsonContainerSize(set) > MAX_SET)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key set has more than %d members", MAX_SET)));

	found = palloc(Max(JsonContainerSize(set), 1) * sizeof(Jsonb *));
	count = collect_candidates(token, set, found);
	if (count > max)
	{
		count = keep_usable(found, count, &keys);
		if (keys > max)
			return jwtauth_fault(fault, token->kid.data != NULL ?
								 JWT_E_NO_KEY : JWT_E_TOO_MANY_KEYS);
	}
	return try_candidates(token, found, count, algorithms, fault);
}

/* A key that was passed by itself: what is wrong with it is an error. */
static JwtStatus
try_single(const JwtAuthToken *token, Jsonb *jwk,
		   const JwtAuthList *algorithms, JwtAuthFault *fault)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtSlice	kid = jwtauth_jwk_kid(jwk);
	JwtStatus	status;

	if (token->kid.data != NULL && kid.data != NULL &&
		!jwt_slice_equal(kid, token->kid))
		return jwtauth_fault(fault, JWT_E_NO_KEY);
	status = try_key(token, jwk, algorithms);
	if (status == JWT_OK)
		return JWT_OK;
	if (status == JWT_E_ALGORITHM)
		return jwtauth_fault_about(fault, status, token->alg_name);
	if (status == JWT_E_SIGNATURE || status == JWT_E_TOKEN_BASE64)
		return jwtauth_fault(fault, status);
	jwtauth_raise_key(status, &limits);
}

JwtStatus
jwtauth_verify_signature_with(JwtAuthToken *token, Jsonb *jwks,
							  const JwtAuthList *algorithms,
							  JwtAuthFault *fault)
{
	JsonbValue	keys;

	if (token->alg == NULL ||
		(algorithms->count >= 0 &&
		 !jwtauth_list_has(algorithms, token->alg_name)))
		return jwtauth_fault_about(fault, JWT_E_ALGORITHM, token->alg_name);
	if (!jwtauth_json_member(jwks, "keys", &keys))
		return try_single(token, jwks, algorithms, fault);
	if (keys.type != jbvBinary ||
		!JsonContainerIsArray(keys.val.binary.data))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member \"keys\" of a key set must be an array")));
	return try_set(token, keys.val.binary.data, algorithms, fault);
}

JwtStatus
jwtauth_verify_with(JwtSlice text, Jsonb *jwks, const JwtAuthList *algorithms,
					const JwtAuthDemand *demand, JwtAuthToken *token,
					JwtAuthFault *fault)
{
	JwtStatus	status = jwtauth_token_read(text, token, fault);

	if (status == JWT_OK)
		status = jwtauth_token_read_claims(token, fault);
	if (status == JWT_OK && demand->issuer.data != NULL &&
		(token->iss.data == NULL ||
		 !jwt_slice_equal(token->iss, demand->issuer)))
		status = jwtauth_fault_about(fault, JWT_E_ISSUER, token->iss);
	if (status == JWT_OK)
		status = jwtauth_verify_signature_with(token, jwks, algorithms, fault);
	if (status == JWT_OK)
		status = jwtauth_rules_times(token, demand, 0, fault);
	if (status == JWT_OK)
		status = jwtauth_rules_demand(token, demand, fault);
	return jwtauth_stats_judged_with(token->alg, status);
}
