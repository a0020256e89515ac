/*-------------------------------------------------------------------------
 *
 * pgjwt.c
 *	  SQL functions of the companion extension jwt_auth_pgjwt: the interface
 *	  of pgjwt 0.2.0, for code that calls it already.
 *
 * The secret is the caller's argument here, so nothing of the key store, the
 * issuers or the sessions takes part.  Two things are stricter than they
 * were, whatever the setting: the header's "alg" must be the algorithm that
 * the caller names, and a token has three parts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "arguments.h"
#include "base64url.h"
#include "compat.h"
#include "funcapi.h"
#include "guc.h"
#include "json_pick.h"
#include "mb/pg_wchar.h"
#include "primitive.h"
#include "report.h"

#define MAX_MAC_TEXT 86			/* base64url of JWT_MAX_HMAC_LEN bytes */

/* What a judgement comes to in SQL: unknown is NULL. */
typedef enum Verdict
{
	VERDICT_NO,
	VERDICT_YES,
	VERDICT_UNKNOWN
} Verdict;

/* The parts of a token, where they stand; absent ones have data NULL. */
typedef struct TokenParts
{
	int			count;			/* however many there are */
	JwtSlice	part[3];
	JwtSlice	signed_text;	/* the first two and the dot between */
} TokenParts;

/* HS256, HS384 or HS512; anything else, data NULL included, is 22023. */
static const JwtAlg *
need_algorithm(JwtSlice name)
{
	const JwtAlg *alg = name.data == NULL ? NULL : jwt_alg_find(name);

	if (alg == NULL || alg->kty != JWT_KTY_OCT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 name.data == NULL ?
				 errmsg("algorithm must not be null") :
				 errmsg("algorithm \"%s\" cannot be used with a secret",
						jwtauth_shown(name)),
				 errhint("Use HS256, HS384 or HS512.")));
	return alg;
}

static void
check_secret(JwtSlice secret)
{
	if (jwtauth_pgjwt_strict && secret.data != NULL && secret.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret must not be empty"),
				 errhint("Everybody can sign with an empty secret. The setting it comes from may be unset.")));
}

/* What libcrypto has for the digest of an algorithm; kept for ever. */
static JwtHmac *
hmac_of(const JwtAlg *alg)
{
	static JwtHmac *kept[3];
	JwtHmac   **hmac = &kept[alg->digest_len / 16 - 2];

	if (*hmac == NULL)
		*hmac = jwt_hmac_new(alg->digest);
	if (*hmac == NULL)
		jwtauth_check_machine(JWT_E_CRYPTO);
	return *hmac;
}

/* Writes base64url of the HMAC, at most MAX_MAC_TEXT characters. */
static size_t
write_mac(JwtSlice input, JwtSlice secret, const JwtAlg *alg, char *out)
{
	unsigned char mac[JWT_MAX_HMAC_LEN];
	size_t		len;

	jwtauth_check_machine(jwt_hmac_compute(hmac_of(alg), secret, input,
										   mac, alg->digest_len));
	len = jwt_base64url_encode(mac, alg->digest_len, out);
	jwt_wipe(mac, sizeof(mac));
	return len;
}

JWTAUTH_FUNCTION(jwt_auth_pgjwt_url_encode);

/* url_encode(data bytea) -> text */
Datum
jwt_auth_pgjwt_url_encode(PG_FUNCTION_ARGS)
{
	JwtSlice	data = jwtauth_arg_slice(fcinfo, 0);
	size_t		len = jwt_base64url_enc_len(data.len);
	text	   *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	jwt_base64url_encode((const unsigned char *) data.data, data.len,
						 VARDATA(result));
	PG_RETURN_TEXT_P(result);
}

/*
 * Base64url as pgjwt reads it: with padding and white space, and in the
 * ordinary alphabet, too.  What is wrong with it PostgreSQL says, 22023.
 */
static bytea *
decode_leniently(JwtSlice encoded)
{
	size_t		padding = (4 - encoded.len % 4) % 4;
	size_t		len = encoded.len + padding;
	text	   *base64 = palloc(VARHDRSZ + len);
	char	   *p = VARDATA(base64);

	SET_VARSIZE(base64, VARHDRSZ + len);
	for (size_t i = 0; i < encoded.len; i++)
	{
		char		c = encoded.data[i];

		*p++ = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	memset(p, '=', padding);
	return DatumGetByteaP(DirectFunctionCall2(binary_decode,
											  PointerGetDatum(base64),
											  CStringGetTextDatum("base64")));
}

/* The bytes, with a terminator behind them that does not count. */
static bytea *
decode_base64url(JwtSlice encoded)
{
	size_t		cap = jwt_base64url_dec_len(encoded.len);
	size_t		len;
	bytea	   *result = palloc(VARHDRSZ + cap + 1);

	/* The one spelling that tokens have, in one pass. */
	if (jwt_base64url_decode(encoded, (unsigned char *) VARDATA(result), cap,
							 &len) == JWT_OK)
		SET_VARSIZE(result, VARHDRSZ + len);
	else
	{
		bytea	   *lenient = decode_leniently(encoded);

		len = VARSIZE(lenient) - VARHDRSZ;
		result = repalloc(result, VARHDRSZ + len + 1);
		memcpy(result, lenient, VARHDRSZ + len);
	}
	VARDATA(result)[len] = '\0';
	return result;
}

JWTAUTH_FUNCTION(jwt_auth_pgjwt_url_decode);

/* url_decode(data text) -> bytea */
Datum
jwt_auth_pgjwt_url_decode(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(decode_base64url(jwtauth_arg_slice(fcinfo, 0)));
}

JWTAUTH_FUNCTION(jwt_auth_pgjwt_algorithm_sign);

/* algorithm_sign(signables text, secret text, algorithm text) -> text */
Datum
jwt_auth_pgjwt_algorithm_sign(PG_FUNCTION_ARGS)
{
	JwtSlice	secret = jwtauth_arg_slice(fcinfo, 1);
	char		mac[MAX_MAC_TEXT];
	JwtSlice	result = {mac, 0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	check_secret(secret);
	result.len = write_mac(jwtauth_arg_slice(fcinfo, 0), secret,
						   need_algorithm(jwtauth_arg_slice(fcinfo, 2)), mac);
	PG_RETURN_DATUM(jwtauth_text(result));
}

JWTAUTH_FUNCTION(jwt_auth_pgjwt_sign);

/* sign(payload json, secret text, algorithm text) -> text */
Datum
jwt_auth_pgjwt_sign(PG_FUNCTION_ARGS)
{
	JwtSlice	payload = jwtauth_arg_slice(fcinfo, 0);
	JwtSlice	secret = jwtauth_arg_slice(fcinfo, 1);
	const JwtAlg *alg = need_algorithm(jwtauth_arg_slice(fcinfo, 2));
	char	   *header = psprintf("{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg->name);
	const char *utf8;
	JwtSlice	signed_text;
	text	   *token;
	char	   *p;

	check_secret(secret);
	utf8 = pg_server_to_any(payload.data, payload.len, PG_UTF8);
	if (utf8 != payload.data)
		payload = jwt_slice_of(utf8);

	token = palloc(VARHDRSZ + jwt_base64url_enc_len(strlen(header)) +
				   jwt_base64url_enc_len(payload.len) + MAX_MAC_TEXT + 2);
	p = VARDATA(token);
	p += jwt_base64url_encode((unsigned char *) header, strlen(header), p);
	*p++ = '.';
	p += jwt_base64url_encode((const unsigned char *) payload.data,
							  payload.len, p);
	signed_text.data = VARDATA(token);
	signed_text.len = p - VARDATA(token);
	*p++ = '.';
	p += write_mac(signed_text, secret, alg, p);
	SET_VARSIZE(token, p - (char *) token);
	PG_RETURN_TEXT_P(token);
}

JWTAUTH_FUNCTION(jwt_auth_pgjwt_try_cast_double);

/* try_cast_double(inp text) -> double precision */
Datum
jwt_auth_pgjwt_try_cast_double(PG_FUNCTION_ARGS)
{
	double		value;

	if (!jwtauth_float8_of(text_to_cstring(PG_GETARG_TEXT_PP(0)), &value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

static TokenParts
split(JwtSlice token)
{
	TokenParts	parts = {0};
	const char *end = token.data + token.len;
	const char *p = token.data;

	for (;;)
	{
		const char *dot = memchr(p, '.', end - p);
		JwtSlice	part = {p, (dot ? dot : end) - p};

		if (parts.count < 3)
			parts.part[parts.count] = part;
		parts.count++;
		if (dot == NULL)
			break;
		p = dot + 1;
	}
	parts.signed_text.data = token.data;
	parts.signed_text.len = parts.part[0].len + 1 + parts.part[1].len;
	return parts;
}

/*
 * A part as json, its text untouched, and what is to be picked of it; what
 * is wrong with it is raised.
 */
static Datum
json_of(JwtSlice part, JwtAuthPicked *picked, int count)
{
	bytea	   *bytes = decode_base64url(part);
	text	   *json = (text *) bytes;
	char	   *server = pg_any_to_server(VARDATA(bytes),
										  VARSIZE(bytes) - VARHDRSZ, PG_UTF8);

	/* text and bytea are laid out alike */
	if (server != VARDATA(bytes))
		json = cstring_to_text(server);
	jwtauth_json_pick(json, picked, count);
	return PointerGetDatum(json);
}

/*
 * The time that a claim says.  False if it is absent or null, or no number:
 * that is no limit, as it was for pgjwt, but *refused in strict mode.
 */
static bool
claimed_time(const JwtAuthPicked *claim, TimestampTz *at, bool *refused)
{
	double		seconds;

	if (!claim->present)
		return false;
	if (claim->isnull || !jwtauth_float8_of(claim->text, &seconds) ||
		(jwtauth_pgjwt_strict && !isfinite(seconds)))
	{
		*refused = jwtauth_pgjwt_strict;
		return false;
	}
	*at = DatumGetTimestampTz(DirectFunctionCall1(float8_timestamptz,
												  Float8GetDatum(seconds)));
	return true;
}

/* nbf <= now < exp, by the clock of the transaction, as pgjwt has it. */
static bool
is_in_time(const JwtAuthPicked *nbf, const JwtAuthPicked *exp)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz at;
	bool		refused = false;

	if (claimed_time(nbf, &at, &refused) && now < at)
		return false;
	if (refused)
		return false;
	if (claimed_time(exp, &at, &refused) && now >= at)
		return false;
	return !refused;
}

/* Does the header name that algorithm?  Yes, if the caller names none. */
static bool
header_agrees(const JwtAuthPicked *alg, JwtSlice algorithm)
{
	return algorithm.data == NULL ||
		(alg->present && !alg->isnull &&
		 jwt_slice_equal(jwt_slice_of(alg->text), algorithm));
}

static bool
is_signed(const TokenParts *parts, JwtSlice secret, const JwtAlg *alg)
{
	char		mac[MAX_MAC_TEXT];
	size_t		len = write_mac(parts->signed_text, secret, alg, mac);
	JwtSlice	signature = parts->part[2];
	bool		same;

	same = signature.len == len &&
		jwt_equal_consttime(signature.data, mac, len);

	/* It is the valid signature of whatever was presented. */
	jwt_wipe(mac, sizeof(mac));
	return same;
}

/* What is judged of a token, and where it stands in picked. */
enum
{
	PICKED_ALG,					/* of the header */
	PICKED_NBF,					/* and of the payload */
	PICKED_EXP,
	NUM_PICKED
};

static Verdict
judge(const TokenParts *parts, const JwtAuthPicked *picked,
	  JwtSlice secret, JwtSlice algorithm)
{
	const JwtAlg *alg = NULL;
	Verdict		verdict = VERDICT_UNKNOWN;

	/* An algorithm that does not exist is an error, whatever the token. */
	if (secret.data != NULL)
		alg = need_algorithm(algorithm);
	if (parts->count != 3 || !header_agrees(&picked[PICKED_ALG], algorithm))
		return VERDICT_NO;
	if (alg != NULL)
		verdict = is_signed(parts, secret, alg) ? VERDICT_YES : VERDICT_NO;
	if (verdict != VERDICT_NO &&
		!is_in_time(&picked[PICKED_NBF], &picked[PICKED_EXP]))
		verdict = VERDICT_NO;
	return verdict;
}

/* The row type, looked up once a call site. */
static TupleDesc
row_type(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(flinfo->fn_mcxt);
		TupleDesc	desc;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		flinfo->fn_extra = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	return flinfo->fn_extra;
}

JWTAUTH_FUNCTION(jwt_auth_pgjwt_verify);

/*
 * verify(token text, secret text, algorithm text)
 *	-> table (header json, payload json, valid boolean)
 *
 * One row always, so ReturnSetInfo's isDone stays at ExprSingleResult.
 */
Datum
jwt_auth_pgjwt_verify(PG_FUNCTION_ARGS)
{
	JwtSlice	token = jwtauth_arg_slice(fcinfo, 0);
	JwtSlice	secret = jwtauth_arg_slice(fcinfo, 1);
	TupleDesc	desc = row_type(fcinfo);
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};
	Verdict		verdict = VERDICT_UNKNOWN;

	check_secret(secret);
	if (token.data != NULL)
	{
		TokenParts	parts = split(token);
		JwtAuthPicked picked[NUM_PICKED] = {{"alg"}, {"nbf"}, {"exp"}};

		values[0] = json_of(parts.part[0], &picked[PICKED_ALG], 1);
		nulls[0] = false;
		if (parts.count > 1)
		{
			values[1] = json_of(parts.part[1], &picked[PICKED_NBF], 2);
			nulls[1] = false;
		}
		verdict = judge(&parts, picked, secret,
						jwtauth_arg_slice(fcinfo, 2));
	}

	/* Somebody may test for "not valid", which NULL would pass. */
	if (verdict == VERDICT_UNKNOWN && jwtauth_pgjwt_strict)
		verdict = VERDICT_NO;
	values[2] = BoolGetDatum(verdict == VERDICT_YES);
	nulls[2] = verdict == VERDICT_UNKNOWN;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
