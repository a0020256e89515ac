/*-------------------------------------------------------------------------
 *
 * signer.c
 *	  Tokens made: claims completed, header written, signed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base64url.h"
#include "catalog.h"
#include "guc.h"
#include "json.h"
#include "jws.h"
#include "jwk.h"
#include "key_admin.h"
#include "keystore.h"
#include "primitive.h"
#include "report.h"
#include "revocation.h"
#include "signer.h"
#include "stats.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define JTI_LEN 16				/* random bytes */

/* Members of a header that are ours to write, or would change its meaning. */
static const char *const reserved_header[] = {"alg", "kid", "crit", "b64"};

static void
check_header(Jsonb *header)
{
	JsonbValue	value;

	if (header == NULL)
		return;
	jwtauth_json_need_object(header, "header");
	for (int i = 0; i < lengthof(reserved_header); i++)
		if (jwtauth_json_member(header, reserved_header[i], &value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("header member \"%s\" cannot be set",
							reserved_header[i])));
	if (jwtauth_json_member(header, "typ", &value) && value.type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("header member \"%s\" must be a string", "typ")));
}

Jsonb *
jwtauth_header_members(Jsonb *header)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();

	jwtauth_json_put_others(b, header, reserved_header,
							lengthof(reserved_header));
	return jwtauth_json_end(b);
}

static Jsonb *
make_header(const JwtAlg *alg, JwtSlice kid, const char *typ, Jsonb *extra)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();

	if (typ != NULL)
		jwtauth_json_put_string(b, "typ", typ);
	if (extra != NULL)
		jwtauth_json_put_all(b, extra);
	jwtauth_json_put_string(b, "alg", alg->name);
	if (kid.data != NULL)
		jwtauth_json_put_slice(b, "kid", kid);
	return jwtauth_json_end(b);
}

/* RFC 7515, Sec. 5.1. */
static text *
make_jws(JwtKey *key, const JwtAlg *alg, Jsonb *header, JwtSlice payload)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	StringInfoData head;
	JwtSlice	head_slice;
	size_t		len;
	text	   *token;
	JwtStatus	status;

	initStringInfo(&head);
	jwtauth_json_write(&head, header);
	head_slice.data = head.data;
	head_slice.len = head.len;

	len = jwt_jws_max_len(head_slice.len, payload.len);
	if (len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("payload is too long to be signed")));
	token = palloc(VARHDRSZ + len);
	status = jwt_jws_sign(head_slice, payload, key, alg, VARDATA(token), &len);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &limits);
	SET_VARSIZE(token, VARHDRSZ + len);
	return token;
}

/* What we sign ourselves we must be able to verify. */
static void
check_claims(Jsonb *claims, JwtAuthToken *token)
{
	JwtAuthFault fault = {0};
	JsonbValue	value;

	jwtauth_json_need_object(claims, "claims");
	memset(token, 0, sizeof(*token));
	token->claims = claims;
	token->iss_is_string = true;
	if (jwtauth_json_member(claims, "iss", &value))
		token->iss_is_string = (value.type == jbvString);
	if (jwtauth_token_type_claims(token, &fault) != JWT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("claim \"%s\" is of the wrong type", fault.name),
				 errdetail("exp, nbf and iat are numbers of seconds since 1970, iss, sub and jti strings, aud a string or an array of strings.")));
}

/*
 * Unique, and no secret.  Drawn sixteen at a time: a call of the generator
 * costs more than the HMAC of a token.
 */
static void
put_random_jti(JwtAuthJsonBuilder *b)
{
	static unsigned char pool[JTI_LEN * 16];
	static int	used = sizeof(pool);
	char	   *text = palloc(jwt_base64url_enc_len(JTI_LEN));
	JwtSlice	jti = {text, 0};

	if (used == sizeof(pool))
	{
		jwtauth_check_machine(jwt_random(pool, sizeof(pool)));
		used = 0;
	}
	jti.len = jwt_base64url_encode(pool + used, JTI_LEN, text);
	used += JTI_LEN;
	jwtauth_json_put_slice(b, "jti", jti);
}

/*
 * "iat" is a whole second, but for a subject of whom everything until that
 * very second was revoked: then it says by microseconds which side of the
 * cut-off it is on, so that signing in again right away works.
 */
static int64
issued_at(const JwtAuthToken *claims, TimestampTz now)
{
	JwtSlice	own = {"", 0};
	int64		second = jwtauth_unix_us(now);
	JwtAuthCutoff cutoff;

	second -= second % USECS_PER_SEC;
	if (claims->sub.data == NULL)
		return second;
	cutoff = jwtauth_subject_cutoff(own, claims->sub, NULL);
	if (!cutoff.unseen && jwtauth_unix_us(cutoff.sessions) < second)
		return second;
	return jwtauth_unix_us(jwtauth_issued_at(&cutoff, now));
}

/*
 * What the claims do not say: iss, iat, exp and jti where absent.  *life
 * becomes the time from now until the token expires, in microseconds.
 */
static Jsonb *
missing_claims(const JwtAuthSignRequest *request, bool stored_key, int64 *life)
{
	JwtAuthJsonBuilder *b = jwtauth_json_begin();
	TimestampTz now = jwtauth_now();
	int64		second = jwtauth_unix_us(now);
	JwtAuthToken token;
	JsonbValue	value;

	check_claims(request->claims, &token);
	second -= second % USECS_PER_SEC;
	*life = request->has_expires_in ? request->expires_in :
		jwtauth_access_token_lifetime * USECS_PER_SEC;
	if (jwtauth_issuer != NULL && jwtauth_issuer[0] != '\0' &&
		!jwtauth_json_member(request->claims, "iss", &value))
		jwtauth_json_put_string(b, "iss", jwtauth_issuer);
	if (!token.times.iat.present)
		jwtauth_json_put_time(b, "iat",
							  stored_key ? issued_at(&token, now) : second);
	if (!token.times.exp.present)
		jwtauth_json_put_time(b, "exp", second + *life);
	else if (request->has_expires_in)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expiry is given twice"),
				 errdetail("The claims have a member \"exp\", and \"expires_in\" was passed too.")));
	else
		*life = token.times.exp.at - second;
	if (token.jti.data == NULL)
		put_random_jti(b);
	return jwtauth_json_end(b);
}

/* stored is NULL if the key is the caller's own. */
static text *
sign_claims(const JwtAuthSignRequest *request, JwtKey *key,
			const JwtAlg *alg, JwtSlice kid, const JwtAuthKey *stored)
{
	StringInfoData payload;
	JwtSlice	slice;
	int64		life;
	text	   *token;

	check_header(request->header);
	initStringInfo(&payload);
	jwtauth_json_write_both(&payload,
							missing_claims(request, stored != NULL, &life),
							request->claims);
	slice.data = payload.data;
	slice.len = payload.len;
	token = make_jws(key, alg, make_header(alg, kid, "JWT", request->header),
					 slice);
	if (VARSIZE(token) - VARHDRSZ > jwtauth_max_token_size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("token would be longer than \"jwt_auth.max_token_size\" (%d bytes)",
						jwtauth_max_token_size)));
	jwtauth_stats_signed(stored != NULL, kid, alg);
	if (stored != NULL)
		jwtauth_key_note_life(stored, life / USECS_PER_SEC);
	return token;
}

static JwtAuthKey *
signing_key(JwtSlice kid)
{
	JwtSlice	own = {"", 0};
	JwtAuthKey *key;
	char	   *current;

	if (kid.data == NULL)
	{
		current = jwtauth_keystore_current(NULL);
		if (current == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("no current signing key"),
					 errhint("SELECT jwt.generate_key();")));
		kid = jwt_slice_of(current);
	}
	key = jwtauth_keystore_find(own, kid);
	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no signing key of that name"),
				 errhint("The second argument is the name of a stored key. To sign with a secret of your own use jwt.sign_with(claims, jwt.jwk_from_secret(...)).")));
	if (key->state != JWTAUTH_KEY_CURRENT || !key->may_sign ||
		!jwtauth_key_in_force(key, jwtauth_now()))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("key is not current"),
				 errdetail("Only a private key whose status is \"current\", within its time, signs."),
				 errhint("See jwt.keys, jwt.set_key_status() and jwt.rotate_key().")));
	return key;
}

text *
jwtauth_sign(const JwtAuthSignRequest *request, JwtSlice kid)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtAuthKey *key;
	JwtKey	   *parsed;
	JwtStatus	status;

	jwtauth_catalog_listen();
	key = signing_key(kid);
	status = jwtauth_keystore_signing(key, &parsed);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &limits);
	return sign_claims(request, parsed, key->alg, jwt_slice_of(key->kid), key);
}

/* The caller's own key. */
static JwtKey *
argument_key(Jsonb *jwk)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtKey	   *key;
	JwtStatus	status;

	status = jwtauth_key_of_argument(jwk, &key);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &limits);
	return key;
}

text *
jwtauth_sign_with(const JwtAuthSignRequest *request, Jsonb *jwk)
{
	JwtKey	   *key = argument_key(jwk);

	return sign_claims(request, key, jwt_key_default_alg(key),
					   jwtauth_jwk_kid(jwk), NULL);
}

text *
jwtauth_jws_sign(JwtSlice payload, Jsonb *jwk, Jsonb *header)
{
	JwtKey	   *key = argument_key(jwk);
	const JwtAlg *alg = jwt_key_default_alg(key);

	check_header(header);
	jwtauth_stats_signed(false, jwtauth_jwk_kid(jwk), alg);
	return make_jws(key, alg,
					make_header(alg, jwtauth_jwk_kid(jwk), NULL, header),
					payload);
}
