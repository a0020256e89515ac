/*-------------------------------------------------------------------------
 *
 * token.c
 *	  A token taken apart: what its header and claims say.
 *
 * Nothing here is believed yet; whether a token is good is verifier.c's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base64url.h"
#include "guc.h"
#include "json.h"
#include "primitive.h"
#include "token.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#define MAX_KEPT_HEADER 1024	/* bytes */

/* RFC 7519, Sec. 4.1, and the session of OpenID Connect. */
typedef enum Claim
{
	CLAIM_ISS,
	CLAIM_SUB,
	CLAIM_AUD,
	CLAIM_EXP,
	CLAIM_NBF,
	CLAIM_IAT,
	CLAIM_JTI,
	CLAIM_SID
} Claim;

static const char *const registered_claims[] = {
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid"
};

static JwtStatus
decode_part(JwtSlice part, char **bytes, size_t *len, JwtAuthFault *fault)
{
	size_t		room = jwt_base64url_dec_len(part.len);
	JwtStatus	status;

	*bytes = palloc(room + 1);
	status = jwt_base64url_decode(part, (unsigned char *) *bytes, room, len);
	if (status != JWT_OK)
		return jwtauth_fault(fault, status);
	(*bytes)[*len] = '\0';
	return JWT_OK;
}

static JwtStatus
decode_json(JwtSlice part, Jsonb **object, JwtAuthJsonWatch *watch,
			JwtAuthFault *fault)
{
	char	   *bytes;
	size_t		len;
	JwtStatus	status = decode_part(part, &bytes, &len, fault);

	if (status != JWT_OK)
		return status;
	status = jwtauth_json_parse(bytes, len, object, watch);
	if (status != JWT_OK)
		return jwtauth_fault(fault, status);
	return JWT_OK;
}

/* A header member that must be a string where present. */
static JwtStatus
header_string(JwtAuthToken *token, const char *name, JwtSlice *text,
			  JwtAuthFault *fault)
{
	JsonbValue	value;

	text->data = NULL;
	text->len = 0;
	if (!jwtauth_json_member(token->header, name, &value))
		return JWT_OK;
	*text = jwtauth_json_slice(&value);
	if (text->data == NULL)
		return jwtauth_fault_named(fault, JWT_E_HEADER, name);
	return JWT_OK;
}

/*
 * RFC 7515, Sec. 4.1.  The members jwk, jku, x5u and x5c are not looked at:
 * a token does not get to say which key to trust.
 */
static JwtStatus
read_header(JwtAuthToken *token, JwtAuthFault *fault)
{
	JsonbValue	value;
	JwtStatus	status;

	/* Sec. 4.1.11: no extension is understood, so any "crit" refuses. */
	if (jwtauth_json_member(token->header, "crit", &value))
		return jwtauth_fault(fault, JWT_E_HEADER_CRIT);

	/* RFC 7797: a payload that is not base64url; outside "crit" it is void. */
	if (jwtauth_json_member(token->header, "b64", &value) &&
		!(value.type == jbvBool && value.val.boolean))
		return jwtauth_fault(fault, JWT_E_HEADER_CRIT);

	status = header_string(token, "alg", &token->alg_name, fault);
	if (status == JWT_OK && token->alg_name.data == NULL)
		status = jwtauth_fault_named(fault, JWT_E_HEADER, "alg");
	if (status == JWT_OK)
		status = header_string(token, "kid", &token->kid, fault);
	if (status == JWT_OK)
		status = header_string(token, "typ", &token->typ, fault);
	if (status == JWT_OK)
		token->alg = jwt_alg_find(token->alg_name);
	return status;
}

/* What is not base64url at all is told before anything is looked up. */
static JwtStatus
check_signature_shape(const JwtAuthToken *token, JwtAuthFault *fault)
{
	unsigned char usual[JWT_MAX_SIGNATURE_LEN];
	unsigned char *bytes = usual;
	size_t		room = jwt_base64url_dec_len(token->jws.signature.len);
	size_t		len;
	JwtStatus	status;

	if (room > sizeof(usual))
		bytes = palloc(room);
	status = jwt_base64url_decode(token->jws.signature, bytes, room, &len);
	jwt_wipe(bytes, len);
	if (bytes != usual)
		pfree(bytes);
	return status == JWT_OK ? JWT_OK : jwtauth_fault(fault, status);
}

/*
 * The header that was read last.  Tokens of one key have the same header,
 * byte for byte, so most are read here and not parsed again.
 */
static struct
{
	MemoryContext context;
	JwtSlice	text;			/* base64url */
	JwtAuthToken read;			/* a token with no more than that header */
}			last_header;

static void
remember_header(const JwtAuthToken *token)
{
	MemoryContext old;
	JwtAuthFault none = {0};

	if (last_header.context == NULL)
		last_header.context = AllocSetContextCreate(TopMemoryContext,
													"jwt_auth header",
													ALLOCSET_SMALL_SIZES);
	last_header.text.data = NULL;
	last_header.text.len = 0;
	MemoryContextReset(last_header.context);
	old = MemoryContextSwitchTo(last_header.context);
	memset(&last_header.read, 0, sizeof(last_header.read));
	last_header.read.header = (Jsonb *) datumCopy(JsonbPGetDatum(token->header),
												  false, -1);
	read_header(&last_header.read, &none);
	last_header.text.data = pnstrdup(token->jws.header.data,
									 token->jws.header.len);
	last_header.text.len = token->jws.header.len;
	MemoryContextSwitchTo(old);
}

static JwtStatus
parse_header(JwtAuthToken *token, JwtAuthFault *fault)
{
	JwtStatus	status;

	if (last_header.text.data != NULL &&
		jwt_slice_equal(last_header.text, token->jws.header))
	{
		token->header = last_header.read.header;
		token->alg_name = last_header.read.alg_name;
		token->alg = last_header.read.alg;
		token->kid = last_header.read.kid;
		token->typ = last_header.read.typ;
		return JWT_OK;
	}
	status = decode_json(token->jws.header, &token->header, NULL, fault);
	if (status == JWT_OK)
		status = read_header(token, fault);
	if (status == JWT_OK && token->jws.header.len <= MAX_KEPT_HEADER)
		remember_header(token);
	return status;
}

JwtStatus
jwtauth_token_read(JwtSlice text, JwtAuthToken *token, JwtAuthFault *fault)
{
	JwtStatus	status;

	memset(token, 0, sizeof(*token));
	if (text.data == NULL || text.len == 0)
		return jwtauth_fault(fault, JWT_E_TOKEN_EMPTY);
	if (text.len > (size_t) jwtauth_max_token_size)
		return jwtauth_fault(fault, JWT_E_TOKEN_SIZE);
	token->text = text;
	status = jwt_jws_split(text, &token->jws);
	if (status != JWT_OK)
		return jwtauth_fault(fault, status);
	status = check_signature_shape(token, fault);
	if (status == JWT_OK)
		status = parse_header(token, fault);
	return status;
}

JwtStatus
jwtauth_token_payload(const JwtAuthToken *token, char **bytes, size_t *len,
					  JwtAuthFault *fault)
{
	return decode_part(token->jws.payload, bytes, len, fault);
}

/* A whole number of seconds; what else a time may be is looked at later. */
static void
take_time(const JwtAuthJsonWatch *watch, Claim claim, JwtTime *time)
{
	if (watch->is_integer & 1 << claim)
		time->present = jwtauth_json_seconds(watch->integer[claim], &time->at);
}

static bool
is_absent(const JwtAuthToken *token, Claim claim)
{
	return (token->absent & 1 << claim) != 0;
}

JwtStatus
jwtauth_token_read_claims(JwtAuthToken *token, JwtAuthFault *fault)
{
	JwtAuthJsonWatch watch = {
		.names = registered_claims,.count = lengthof(registered_claims)
	};
	JsonbValue	value;
	JwtStatus	status;

	status = decode_json(token->jws.payload, &token->claims, &watch, fault);
	if (status != JWT_OK)
		return status;
	token->absent = ~watch.present;
	take_time(&watch, CLAIM_EXP, &token->times.exp);
	take_time(&watch, CLAIM_NBF, &token->times.nbf);
	take_time(&watch, CLAIM_IAT, &token->times.iat);
	token->iss_is_string = true;
	if (!is_absent(token, CLAIM_ISS) &&
		jwtauth_json_member(token->claims, "iss", &value))
	{
		token->iss = jwtauth_json_slice(&value);
		token->iss_is_string = (token->iss.data != NULL);
	}
	return JWT_OK;
}

static JwtStatus
time_claim(JwtAuthToken *token, Claim claim, JwtTime *time,
		   JwtAuthFault *fault)
{
	const char *name = registered_claims[claim];
	JsonbValue	value;

	if (time->present || is_absent(token, claim) ||
		!jwtauth_json_member(token->claims, name, &value))
		return JWT_OK;
	if (!jwtauth_json_time(&value, &time->at))
		return jwtauth_fault_named(fault, JWT_E_CLAIM, name);
	time->present = true;
	return JWT_OK;
}

static JwtStatus
string_claim(JwtAuthToken *token, Claim claim, JwtSlice *text,
			 JwtAuthFault *fault)
{
	const char *name = registered_claims[claim];
	JsonbValue	value;

	if (is_absent(token, claim) ||
		!jwtauth_json_member(token->claims, name, &value))
		return JWT_OK;
	*text = jwtauth_json_slice(&value);
	if (text->data == NULL)
		return jwtauth_fault_named(fault, JWT_E_CLAIM, name);
	return JWT_OK;
}

/* RFC 7519, Sec. 4.1.3: a string, or an array of strings. */
static JwtStatus
audience_claim(JwtAuthToken *token, JwtAuthFault *fault)
{
	JsonbValue	value;
	JsonbContainer *array;

	if (is_absent(token, CLAIM_AUD) ||
		!jwtauth_json_member(token->claims, "aud", &value))
		return JWT_OK;
	if (value.type == jbvString)
	{
		token->aud = palloc(sizeof(JwtSlice));
		token->aud[0] = jwtauth_json_slice(&value);
		token->naud = 1;
		return JWT_OK;
	}
	if (value.type != jbvBinary ||
		!JsonContainerIsArray(value.val.binary.data))
		return jwtauth_fault_named(fault, JWT_E_CLAIM, "aud");

	array = value.val.binary.data;
	token->naud = JsonContainerSize(array);
	token->aud = palloc(Max(token->naud, 1) * sizeof(JwtSlice));
	for (int i = 0; i < token->naud; i++)
	{
		token->aud[i] =
			jwtauth_json_slice(getIthJsonbValueFromContainer(array, i));
		if (token->aud[i].data == NULL)
			return jwtauth_fault_named(fault, JWT_E_CLAIM, "aud");
	}
	return JWT_OK;
}

/* Whether a "sid" is a session of ours, another's, or junk, its shape says. */
static void
session_claim(JwtAuthToken *token)
{
	JwtSlice	text = {NULL, 0};

	if (!is_absent(token, CLAIM_SID))
		text = jwtauth_json_string(token->claims, "sid");
	token->has_sid = text.data != NULL &&
		jwtauth_parse_uuid(text, &token->sid);
}

JwtStatus
jwtauth_token_type_claims(JwtAuthToken *token, JwtAuthFault *fault)
{
	JwtStatus	status;

	if (token->is_typed)
		return JWT_OK;
	status = time_claim(token, CLAIM_EXP, &token->times.exp, fault);
	if (status == JWT_OK)
		status = time_claim(token, CLAIM_NBF, &token->times.nbf, fault);
	if (status == JWT_OK)
		status = time_claim(token, CLAIM_IAT, &token->times.iat, fault);
	if (status == JWT_OK)
		status = string_claim(token, CLAIM_SUB, &token->sub, fault);
	if (status == JWT_OK)
		status = string_claim(token, CLAIM_JTI, &token->jti, fault);
	if (status == JWT_OK)
		status = audience_claim(token, fault);
	if (status == JWT_OK && !token->iss_is_string)
		status = jwtauth_fault_named(fault, JWT_E_CLAIM, "iss");
	if (status != JWT_OK)
		return status;
	session_claim(token);
	token->is_typed = true;
	return JWT_OK;
}
