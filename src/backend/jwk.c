/*-------------------------------------------------------------------------
 *
 * jwk.c
 *	  Keys between jsonb and the core.
 *
 * Which members make a valid key is the core's to say; this file carries
 * them over and gives keys an owner in PostgreSQL's memory management.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base64url.h"
#include "guc.h"
#include "json.h"
#include "jwk.h"
#include "lib/stringinfo.h"
#include "primitive.h"
#include "report.h"
#include "utils/memutils.h"

/* A context's claim on a key; allocated before the key is. */
struct JwtAuthKeyOwner
{
	MemoryContextCallback callback;
	JwtKey	   *key;
};

static void
free_owned_key(void *arg)
{
	JwtAuthKeyOwner *owner = arg;

	jwt_key_free(owner->key);
	owner->key = NULL;
}

JwtAuthKeyOwner *
jwtauth_key_owner(MemoryContext context)
{
	JwtAuthKeyOwner *owner = MemoryContextAllocZero(context, sizeof(*owner));

	owner->callback.func = free_owned_key;
	owner->callback.arg = owner;
	MemoryContextRegisterResetCallback(context, &owner->callback);
	return owner;
}

void
jwtauth_key_own(JwtAuthKeyOwner *owner, JwtKey *key)
{
	owner->key = key;
}

void
jwtauth_key_release(JwtAuthKeyOwner *owner)
{
	free_owned_key(owner);
}

/* RFC 7517, Sec. 4.3: an array of strings, none of them twice. */
static JwtStatus
read_key_ops(const JsonbValue *value, JwtJwk *jwk)
{
	JsonbContainer *array;
	uint32		count;

	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		return JWT_E_KEY_USE;
	array = value->val.binary.data;
	count = JsonContainerSize(array);
	if (count > 8)
		return JWT_E_KEY_USE;

	jwk->has_key_ops = true;
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *op = getIthJsonbValueFromContainer(array, i);
		JwtSlice	name = jwtauth_json_slice(op);
		unsigned	bit = JWT_OP_OTHER;

		if (name.data == NULL)
			return JWT_E_KEY_USE;
		if (jwt_slice_equal(name, jwt_slice_of("sign")))
			bit = JWT_OP_SIGN;
		else if (jwt_slice_equal(name, jwt_slice_of("verify")))
			bit = JWT_OP_VERIFY;
		if (bit != JWT_OP_OTHER && (jwk->key_ops & bit))
			return JWT_E_KEY_USE;
		jwk->key_ops |= bit;
	}
	return JWT_OK;
}

/* Carries the members over; a member of the wrong JSON type spoils the key. */
static JwtStatus
read_members(Jsonb *object, JwtJwk *jwk)
{
	JsonbValue	value;

	memset(jwk, 0, sizeof(*jwk));
	if (!JB_ROOT_IS_OBJECT(object))
		return JWT_E_KEY_TYPE;
	for (int i = 0; i < JWT_JWK_NUM_MEMBERS; i++)
	{
		if (!jwtauth_json_member(object, jwt_jwk_member_name(i), &value))
			continue;
		jwk->member[i] = jwtauth_json_slice(&value);
		if (jwk->member[i].data == NULL)
			return JWT_E_KEY_MEMBER;
	}
	/* RFC 7517, Sec. 4.5: a kid "MUST be a case-sensitive string". */
	if (jwtauth_json_member(object, "kid", &value) &&
		value.type != jbvString)
		return JWT_E_KEY_MEMBER;
	jwk->has_oth = jwtauth_json_member(object, "oth", &value);
	if (jwtauth_json_member(object, "key_ops", &value))
		return read_key_ops(&value, jwk);
	return JWT_OK;
}

JwtStatus
jwtauth_key_from_jwk(Jsonb *object, MemoryContext context, JwtKey **key)
{
	JwtKeyLimits limits = jwtauth_key_limits();

	return jwtauth_key_from_jwk_limited(object, &limits, context, key);
}

JwtStatus
jwtauth_key_from_secret(JwtSlice secret, const JwtAlg *alg,
						const JwtKeyLimits *limits, JwtKey **key)
{
	char		text[JWT_JWK_MEMBER_MAX];
	JwtJwk		jwk;
	JwtStatus	status;

	*key = NULL;
	if (secret.len > JWT_MAX_SECRET_LEN)
		return JWT_E_KEY_TOO_LARGE;
	memset(&jwk, 0, sizeof(jwk));
	jwk.member[JWT_JWK_KTY] = jwt_slice_of("oct");
	if (alg != NULL)
		jwk.member[JWT_JWK_ALG] = jwt_slice_of(alg->name);
	jwk.member[JWT_JWK_K].data = text;
	jwk.member[JWT_JWK_K].len =
		jwt_base64url_encode((const unsigned char *) secret.data, secret.len,
							 text);
	status = jwt_key_from_jwk(&jwk, limits, key);
	jwt_wipe(text, sizeof(text));
	return status;
}

JwtStatus
jwtauth_key_from_jwk_limited(Jsonb *object, const JwtKeyLimits *limits,
							 MemoryContext context, JwtKey **key)
{
	JwtAuthKeyOwner *owner;
	JwtJwk		jwk;
	JwtStatus	status;

	*key = NULL;
	status = read_members(object, &jwk);
	if (status != JWT_OK)
		return status;
	owner = jwtauth_key_owner(context);
	status = jwt_key_from_jwk(&jwk, limits, key);
	jwtauth_key_own(owner, *key);
	return status;
}

/* The key that was passed last; wiped when another takes its place. */
static struct
{
	MemoryContext context;
	uint64		settings;		/* generation of the limits it was made under */
	Jsonb	   *jwk;
	JwtKey	   *key;
}			last_argument;

static void
forget_last_argument(void)
{
	last_argument.key = NULL;
	if (last_argument.jwk != NULL)
		jwt_wipe(last_argument.jwk, VARSIZE(last_argument.jwk));
	last_argument.jwk = NULL;
	if (last_argument.context != NULL)
		MemoryContextReset(last_argument.context);
	else
		last_argument.context = AllocSetContextCreate(TopMemoryContext,
													  "jwt_auth argument key",
													  ALLOCSET_SMALL_SIZES);
}

JwtStatus
jwtauth_key_of_argument(Jsonb *jwk, JwtKey **key)
{
	JwtStatus	status;

	if (last_argument.key != NULL &&
		last_argument.settings == jwtauth_settings_generation &&
		VARSIZE(last_argument.jwk) == VARSIZE(jwk) &&
		memcmp(last_argument.jwk, jwk, VARSIZE(jwk)) == 0)
	{
		*key = last_argument.key;
		return JWT_OK;
	}

	forget_last_argument();
	status = jwtauth_key_from_jwk(jwk, last_argument.context, key);
	if (status != JWT_OK)
		return status;
	last_argument.jwk = MemoryContextAlloc(last_argument.context, VARSIZE(jwk));
	memcpy(last_argument.jwk, jwk, VARSIZE(jwk));
	last_argument.settings = jwtauth_settings_generation;
	last_argument.key = *key;
	return JWT_OK;
}

Jsonb *
jwtauth_jwk_of(const JwtKey *key, JwtSlice kid, const JwtAlg *alg,
			   bool with_private)
{
	static const JwtJwkMember key_members[] = {
		JWT_JWK_K, JWT_JWK_N, JWT_JWK_E, JWT_JWK_X, JWT_JWK_Y, JWT_JWK_D,
		JWT_JWK_P, JWT_JWK_Q, JWT_JWK_DP, JWT_JWK_DQ, JWT_JWK_QI
	};
	JwtAuthJsonBuilder *b;
	char		buf[JWT_JWK_MEMBER_MAX];

	if (jwt_key_type(key) == JWT_KTY_OCT && !with_private)
		return NULL;

	b = jwtauth_json_begin();
	jwtauth_json_put_string(b, "kty", jwt_kty_name(jwt_key_type(key)));
	if (jwt_key_crv(key) != NULL)
		jwtauth_json_put_string(b, "crv", jwt_key_crv(key));
	for (int i = 0; i < lengthof(key_members); i++)
	{
		JwtSlice	text = {buf, 0};
		char	   *copy;

		if (jwt_jwk_member_is_private(key_members[i]) && !with_private)
			continue;
		jwtauth_check_machine(jwt_key_member(key, key_members[i], buf,
											 sizeof(buf), &text.len));
		if (text.len == 0)
			continue;
		copy = pnstrdup(text.data, text.len);
		text.data = copy;
		jwtauth_json_put_slice(b, jwt_jwk_member_name(key_members[i]), text);
	}
	jwt_wipe(buf, sizeof(buf));
	if (alg != NULL)
		jwtauth_json_put_string(b, "alg", alg->name);
	jwtauth_json_put_string(b, "use", "sig");
	if (kid.data != NULL)
		jwtauth_json_put_slice(b, "kid", kid);
	return jwtauth_json_end(b);
}

struct JwtAuthJwksBuilder
{
	JsonbInState out;
};

JwtAuthJwksBuilder *
jwtauth_jwks_begin(void)
{
	JwtAuthJwksBuilder *b = palloc0(sizeof(*b));
	JsonbValue	name;

	name.type = jbvString;
	name.val.string.val = "keys";
	name.val.string.len = strlen("keys");
	pushJsonbValue(&b->out, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&b->out, WJB_KEY, &name);
	pushJsonbValue(&b->out, WJB_BEGIN_ARRAY, NULL);
	return b;
}

void
jwtauth_jwks_put(JwtAuthJwksBuilder *b, Jsonb *jwk)
{
	JsonbValue	value;

	value.type = jbvBinary;
	value.val.binary.data = &jwk->root;
	value.val.binary.len = VARSIZE(jwk) - VARHDRSZ;
	pushJsonbValue(&b->out, WJB_ELEM, &value);
}

Jsonb *
jwtauth_jwks_end(JwtAuthJwksBuilder *b)
{
	pushJsonbValue(&b->out, WJB_END_ARRAY, NULL);
	pushJsonbValue(&b->out, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(b->out.result);
}

JwtSlice
jwtauth_jwk_kid(Jsonb *jwk)
{
	return jwtauth_json_string(jwk, "kid");
}

JwtSlice
jwtauth_jwk_thumbprint(const JwtKey *key)
{
	char	   *text = palloc(JWT_THUMBPRINT_LEN);
	JwtSlice	slice = {text, JWT_THUMBPRINT_LEN};

	jwtauth_check_machine(jwt_key_thumbprint(key, text));
	return slice;
}

const JwtAlg *
jwtauth_alg_argument(JwtSlice name)
{
	const JwtAlg *alg = jwt_alg_find(name);
	StringInfoData list;

	if (alg != NULL)
		return alg;

	initStringInfo(&list);
	for (int i = 0; (alg = jwt_alg_at(i)) != NULL; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", alg->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown algorithm"),
			 errhint("Known are %s.", list.data)));
	pg_unreachable();
}
