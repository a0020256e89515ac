/*-------------------------------------------------------------------------
 *
 * report.c
 *	  The one place that maps a status to an SQLSTATE and to words.
 *
 * Primary messages are constant, one a kind of failure, so that they can be
 * counted and translated; what is particular goes into the detail, and only
 * what JwtAuthFault has a member for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "guc.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "report.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define SHOWN_MAX 200			/* bytes of a claim that a detail may show */
#define PS512_MIN_BITS 1034		/* see the table of algorithms */

typedef struct FaultWords
{
	JwtStatus	status;
	const char *sqlstate;
	const char *message;
	const char *detail;			/* NULL: made of the particulars, or none */
} FaultWords;

#define MALFORMED "28J00", gettext_noop("malformed token")

static const FaultWords fault_words[] = {
	{JWT_E_TOKEN_EMPTY, MALFORMED, gettext_noop("The token is null or empty.")},
	{JWT_E_TOKEN_SIZE, MALFORMED, NULL},
	{JWT_E_TOKEN_PARTS, MALFORMED, gettext_noop("A token in compact form has exactly three parts separated by dots.")},
	{JWT_E_TOKEN_BASE64, MALFORMED, gettext_noop("A part is not base64url without padding.")},
	{JWT_E_TOKEN_UTF8, MALFORMED, gettext_noop("Header or claims are not valid UTF-8.")},
	{JWT_E_TOKEN_JSON, MALFORMED, gettext_noop("Header or claims are not a JSON object.")},
	{JWT_E_TOKEN_DUPLICATE, MALFORMED, gettext_noop("A member name appears twice in the same object.")},
	{JWT_E_TOKEN_DEPTH, MALFORMED, gettext_noop("Header or claims are nested too deeply.")},
	{JWT_E_TOKEN_ENCODING, MALFORMED, gettext_noop("Header or claims hold a character that has no equivalent in the encoding of this database.")},
	{JWT_E_HEADER, MALFORMED, NULL},
	{JWT_E_HEADER_CRIT, MALFORMED, gettext_noop("The header demands an extension that is not understood.")},
	{JWT_E_ISSUER, "28J06", gettext_noop("issuer of token is not trusted"), NULL},
	{JWT_E_ALGORITHM, "28J05", gettext_noop("algorithm of token is not allowed"), NULL},
	{JWT_E_NO_KEY, "28J04", gettext_noop("no key for token"), gettext_noop("The issuer has no key of that name that could verify it.")},
	{JWT_E_TOO_MANY_KEYS, "28J04", gettext_noop("no key for token"), gettext_noop("The header names no key, and more than 16 keys of the issuer fit its algorithm.")},
	{JWT_E_KEY_REVOKED, "28J09", gettext_noop("token has been revoked"), gettext_noop("The key that signed it is revoked or out of its time.")},
	{JWT_E_SIGNATURE, "28J03", gettext_noop("signature of token is invalid"), NULL},
	{JWT_E_CLAIM, "28J08", gettext_noop("claim of token is missing or of the wrong type"), NULL},
	{JWT_E_EXPIRED, "28J01", gettext_noop("token has expired"), NULL},
	{JWT_E_NOT_YET_VALID, "28J02", gettext_noop("token is not yet valid"), NULL},
	{JWT_E_AUDIENCE, "28J07", gettext_noop("token is not meant for this audience"), NULL},
	{JWT_E_TOO_OLD, "28J08", gettext_noop("claim of token is missing or of the wrong type"), NULL},
	{JWT_E_REVOKED, "28J09", gettext_noop("token has been revoked"), gettext_noop("The token, its session or its subject was revoked.")},
	{JWT_E_INSECURE, "28J11", gettext_noop("connection is not secure"), gettext_noop("Tokens are accepted over TLS or a Unix-domain socket only (jwt_auth.require_tls).")},
	{JWT_E_ROLE, "28J12", gettext_noop("role of token is not allowed"), NULL},
	{JWT_E_GATEWAY, "28J10", gettext_noop("session user is not trusted to set claims"), NULL},
};

JwtStatus
jwtauth_fault(JwtAuthFault *fault, JwtStatus status)
{
	fault->status = status;
	return status;
}

JwtStatus
jwtauth_fault_about(JwtAuthFault *fault, JwtStatus status, JwtSlice about)
{
	fault->status = status;
	fault->about = about;
	return status;
}

JwtStatus
jwtauth_fault_named(JwtAuthFault *fault, JwtStatus status, const char *name)
{
	fault->status = status;
	fault->name = name;
	return status;
}

JwtStatus
jwtauth_fault_rule(JwtAuthFault *fault, JwtStatus status, JwtSlice about,
				   const char *rule)
{
	fault->status = status;
	fault->about = about;
	fault->rule = rule;
	return status;
}

static const FaultWords *
words_of(JwtStatus status)
{
	for (int i = 0; i < lengthof(fault_words); i++)
		if (fault_words[i].status == status)
			return &fault_words[i];
	return NULL;
}

int
jwtauth_fault_errcode(JwtStatus status)
{
	const FaultWords *words = words_of(status);
	const char *s = words ? words->sqlstate : "XX000";

	return MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
}

const char *
jwtauth_fault_message(JwtStatus status)
{
	const FaultWords *words = words_of(status);

	return words ? _(words->message) : _("could not judge token");
}

char *
jwtauth_shown(JwtSlice text)
{
	StringInfoData buf;
	size_t		len = text.len;

	if (len > SHOWN_MAX)
		len = pg_mbcliplen(text.data, (int) text.len, SHOWN_MAX);

	initStringInfo(&buf);
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text.data[i];

		if (c < 0x20 || c >= 0x7f)
			appendStringInfo(&buf, "\\x%02x", c);
		else
			appendStringInfoChar(&buf, (char) c);
	}
	if (len < text.len)
		appendStringInfoString(&buf, "...");
	return buf.data;
}

/* Unix microseconds as the session shows a timestamptz. */
static char *
shown_time(int64 unix_us)
{
	const int64 epoch = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
	SECS_PER_DAY * USECS_PER_SEC;

	/*
	 * Times of a token were checked to lie far from the ends of int64, but
	 * not to be timestamps that PostgreSQL can print.
	 */
	if (unix_us < MIN_TIMESTAMP + epoch)
		return pstrdup(_("before the first timestamp"));
	return pstrdup(timestamptz_to_str(unix_us - epoch));
}

char *
jwtauth_fault_detail(const JwtAuthFault *fault)
{
	const FaultWords *words = words_of(fault->status);

	if (words == NULL)
		return NULL;
	if (words->detail != NULL)
		return pstrdup(_(words->detail));

	switch (fault->status)
	{
		case JWT_E_TOKEN_SIZE:
			return psprintf(_("The token is longer than jwt_auth.max_token_size (%d bytes)."), jwtauth_max_token_size);
		case JWT_E_HEADER:
			return psprintf(_("Header member \"%s\" is missing or of the wrong type."), fault->name);
		case JWT_E_ISSUER:
			if (fault->rule != NULL)
				return pstrdup(_(fault->rule));
			if (fault->about.data == NULL)
				return pstrdup(_("The token has no claim \"iss\"."));
			return psprintf(_("Its issuer is \"%s\"."), jwtauth_shown(fault->about));
		case JWT_E_ALGORITHM:
			return psprintf(_("The header says \"%s\"."), jwtauth_shown(fault->about));
		case JWT_E_CLAIM:
			if (fault->rule != NULL)
				return pstrdup(_(fault->rule));
			return psprintf(_("Claim \"%s\" is missing or of the wrong type."), fault->name);
		case JWT_E_EXPIRED:
			return psprintf(_("It expired at %s, it is now %s."), shown_time(fault->at), shown_time(fault->now));
		case JWT_E_NOT_YET_VALID:
			return psprintf(_("It is valid from %s, it is now %s."), shown_time(fault->at), shown_time(fault->now));
		case JWT_E_TOO_OLD:
			return psprintf(_("It was issued at %s, which is longer ago than its issuer's max_token_age allows; it is now %s."), shown_time(fault->at), shown_time(fault->now));
		case JWT_E_AUDIENCE:
			if (fault->about.data == NULL)
				return pstrdup(_("The token has no claim \"aud\"."));
			return psprintf(_("Its audience is \"%s\"."), jwtauth_shown(fault->about));
		case JWT_E_ROLE:
			if (fault->about.data == NULL)
				return pstrdup(_(fault->rule));
			return psprintf(_("Role \"%s\": %s"), jwtauth_shown(fault->about), _(fault->rule));
		case JWT_E_GATEWAY:
			return psprintf(_("Setting \"%s\" holds claims, but anyone who can run SET can write it."), fault->name);
		default:
			return NULL;
	}
}

static char *
hint_of(const JwtAuthFault *fault)
{
	switch (fault->status)
	{
		case JWT_E_EXPIRED:
			return pstrdup(_("Get a new access token with jwt.refresh() and set that."));
		case JWT_E_REVOKED:
		case JWT_E_KEY_REVOKED:
			return pstrdup(_("Sign in again and set the new access token."));
		case JWT_E_ISSUER:
			if (fault->about.data != NULL)
				return pstrdup(_("Trust it with jwt.trust_issuer(). Issuers are compared byte for byte, a trailing slash included."));
			if (fault->rule == NULL && jwtauth_issuer != NULL && jwtauth_issuer[0] != '\0')
				return pstrdup(_("Setting \"jwt_auth.issuer\" demands that claim."));
			return NULL;
		case JWT_E_ROLE:
			if (!fault->grant_helps)
				return NULL;
			return psprintf(_("If the role is meant to be taken, run: GRANT %s TO %s;"),
							quote_identifier(pnstrdup(fault->about.data, fault->about.len)),
							quote_identifier(GetUserNameFromId(GetSessionUserId(), false)));
		case JWT_E_GATEWAY:
			return psprintf(_("If every SQL that session user \"%s\" runs is to be believed, add that name to jwt_auth.trusted_gateways; else use jwt.authenticate(), or set jwt_auth.claims_setting to '' to ignore such settings."),
							GetUserNameFromId(GetSessionUserId(), false));
		default:
			return NULL;
	}
}

/*
 * The context is for the client alone: in the log it may hold the parameters
 * of the statement, the token among them (log_parameter_max_length_on_error,
 * which every user can set).
 */
static void
raise_fault(const JwtAuthFault *fault, int sqlstate, const char *detail,
			const char *hint)
{
	jwtauth_check_machine(fault->status);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg_internal("%s", jwtauth_fault_message(fault->status)),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0,
			 errhidecontext(true)));
}

void
jwtauth_raise(const JwtAuthFault *fault)
{
	raise_fault(fault, jwtauth_fault_errcode(fault->status),
				jwtauth_fault_detail(fault), hint_of(fault));
	pg_unreachable();
}

void
jwtauth_raise_in_force(const JwtAuthFault *fault)
{
	char	   *hint = hint_of(fault);

	if (hint == NULL)
		hint = pstrdup(_("It is what setting \"jwt_auth.token\" holds: set another with jwt.authenticate(), or reset it to ask as nobody."));
	raise_fault(fault, jwtauth_fault_errcode(fault->status),
				jwtauth_fault_detail(fault), hint);
	pg_unreachable();
}

void
jwtauth_raise_http(const JwtAuthFault *fault)
{
	char	   *detail = jwtauth_fault_detail(fault);
	const char *code = unpack_sql_state(jwtauth_fault_errcode(fault->status));

	raise_fault(fault, fault->status == JWT_E_ROLE ?
				MAKE_SQLSTATE('P', 'T', '4', '0', '3') :
				MAKE_SQLSTATE('P', 'T', '4', '0', '1'),
				detail ? psprintf("%s: %s", code, detail) : pstrdup(code),
				hint_of(fault));
	pg_unreachable();
}

void
jwtauth_check_machine(JwtStatus status)
{
	switch (status)
	{
		case JWT_E_UNSUPPORTED:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("algorithm is not supported by this server's OpenSSL library")));
			break;
		case JWT_E_CRYPTO:
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("cryptographic operation failed")));
			break;
		case JWT_E_RANDOM:
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random bytes")));
			break;
		default:
			break;
	}
}

/* Detail of a key's fault; NULL for statuses that are no such fault. */
static const char *
key_detail(JwtStatus status)
{
	switch (status)
	{
		case JWT_E_KEY_TYPE:
			return gettext_noop("Its kty or crv is missing or not one of oct, RSA, EC (P-256, P-384, P-521, secp256k1), OKP (Ed25519, Ed448).");
		case JWT_E_KEY_MEMBER:
			return gettext_noop("A member that its type needs is missing, or one is of the wrong type or not strict base64url of the right length.");
		case JWT_E_KEY_PRIMES:
			return gettext_noop("A private RSA key needs its primes (p, q, dp, dq, qi) to be stored or written as PEM.");
		case JWT_E_KEY_TOO_LARGE:
			return gettext_noop("It is larger than 16384 bits (RSA) or 4096 bytes (oct).");
		case JWT_E_KEY_EXPONENT:
			return gettext_noop("The public exponent must be odd, greater than 1 and at most 64 bits long.");
		case JWT_E_KEY_INVALID:
			return gettext_noop("Its numbers make no valid key: a point off the curve or of small order, or halves that do not belong together.");
		case JWT_E_KEY_ALG:
			return gettext_noop("Its alg is unknown or does not go with its kty and crv.");
		case JWT_E_KEY_USE:
			return gettext_noop("Its use or key_ops do not allow this operation.");
		case JWT_E_ALGORITHM:
			return gettext_noop("It does not allow that algorithm.");
		default:
			return NULL;
	}
}

void
jwtauth_raise_key(JwtStatus status, const JwtKeyLimits *limits)
{
	const char *detail = key_detail(status);

	jwtauth_check_machine(status);
	if (status == JWT_E_PEM)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no key found in PEM text"),
				 errdetail("It has no block of a kind that holds keys, or a block that is malformed."),
				 errhint("Supported are PUBLIC KEY, PRIVATE KEY, RSA PUBLIC KEY, RSA PRIVATE KEY, EC PRIVATE KEY and CERTIFICATE blocks.")));
	if (status == JWT_E_PEM_ENCRYPTED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("private key is encrypted"),
				 errhint("Decrypt it first, for example with \"openssl pkey\".")));
	if (status == JWT_E_PEM_SEVERAL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("PEM text holds several keys"),
				 errhint("Pass one of them, or all to jwt.jwks_from_pem().")));
	if (status == JWT_E_SECRET_IS_KEY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("secret looks like a key file or JSON"),
				 errdetail("A text that begins as PEM, an ssh key or JSON, or is a key in DER or base64, never becomes an HMAC secret."),
				 errhint("Use jwt.jwk_from_pem() for PEM, or pass a JWK as it is.")));
	if (status == JWT_E_KEY_NOT_PRIVATE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a public key cannot sign")));
	if (status == JWT_E_SECRET_TOO_SMALL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key is too small"),
				 errdetail("An HMAC key must be at least as long as the hash: 32, 48 or 64 bytes.")));
	if (status == JWT_E_KEY_TOO_SMALL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key is too small"),
				 limits->min_rsa_bits >= PS512_MIN_BITS ?
				 errdetail("An RSA key must have at least %d bits.",
						   limits->min_rsa_bits) :
				 errdetail("An RSA key must have at least %d bits, for PS512 %d.",
						   limits->min_rsa_bits, PS512_MIN_BITS)));

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid key"),
			 detail ? errdetail("%s", _(detail)) : 0));
	pg_unreachable();
}
