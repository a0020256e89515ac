/*-------------------------------------------------------------------------
 *
 * keystore_uri.c
 *	  Private keys that are not stored but opened at a URI.
 *
 * Each backend opens them when it first signs with them.  No message shows
 * a URI but the server's log, and that without its query, which may hold a
 * PIN (RFC 7512, Sec. 2.4).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "compat.h"
#include "guc.h"
#include "keystore_uri.h"
#include "lib/stringinfo.h"
#include "primitive.h"
#include "report.h"
#include "utils/memutils.h"

/* Length of the scheme, or 0: RFC 3986, Sec. 3.1. */
static size_t
scheme_len(JwtSlice uri)
{
	size_t		len = 0;

	while (len < uri.len &&
		   ((uri.data[len] >= 'a' && uri.data[len] <= 'z') ||
			(uri.data[len] >= 'A' && uri.data[len] <= 'Z') ||
			(len > 0 && ((uri.data[len] >= '0' && uri.data[len] <= '9') ||
						 memchr("+-.", uri.data[len], 3) != NULL))))
		len++;
	return len < uri.len && uri.data[len] == ':' ? len : 0;
}

static bool
has_scheme(JwtSlice uri, const char *scheme)
{
	size_t		len = strlen(scheme);

	return scheme_len(uri) == len &&
		pg_strncasecmp(uri.data, scheme, len) == 0;
}

/* The URI up to its query. */
static JwtSlice
without_query(JwtSlice uri)
{
	const char *query = memchr(uri.data, '?', uri.len);

	if (query != NULL)
		uri.len = query - uri.data;
	return uri;
}

/*
 * A scheme that we let OpenSSL have.  Not every release of it takes "file:"
 * with a relative path, and what that would be relative to nobody sees.
 */
static bool
is_supported(JwtSlice uri)
{
	size_t		len = scheme_len(uri);

	if (len == 0 || uri.len > JWT_MAX_URI_LEN ||
		has_scheme(uri, "org.openssl.engine"))
		return false;
	return !has_scheme(uri, "file") ||
		(uri.len > len + 1 && uri.data[len + 1] == '/');
}

/* Some read a PIN in front of the query too, where it would be shown. */
static bool
shows_pin(JwtSlice uri)
{
	static const char attribute[] = "pin-value=";
	JwtSlice	shown = without_query(uri);

	for (size_t i = 0; i + strlen(attribute) <= shown.len; i++)
		if (pg_strncasecmp(shown.data + i, attribute, strlen(attribute)) == 0)
			return true;
	return false;
}

/*
 * Files are what pg_read_server_files is about.  A scheme that brings code
 * of a provider into the server is for superusers, and the one that loads an
 * engine from any path for nobody.
 */
void
jwtauth_uri_check(JwtSlice uri)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES) ||
		(!superuser() && !has_scheme(uri, "file")))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to use a key outside of the database"),
				 errdetail("Only superusers, and for \"file:\" members of pg_read_server_files, may do so.")));
	if (!is_supported(uri))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key URI is not supported"),
				 errhint("Use \"file:\" with an absolute path, or \"pkcs11:\" where OpenSSL has a provider for it.")));
	if (shows_pin(uri))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key URI has a PIN in front of its query"),
				 errhint("Put \"pin-value\" behind the \"?\" (RFC 7512, Sec. 2.3), where it is never shown.")));
}

/* Raises for what is wrong with the place, and not with the key in it. */
static void
check_place(JwtStatus status, JwtSlice uri)
{
	const char *detail = NULL;

	if (status == JWT_E_KEY_OUTSIDE)
		detail = gettext_noop("Nothing can be opened there.");
	else if (status == JWT_E_KEY_NOT_PRIVATE)
		detail = gettext_noop("No private key is there, or its URI brings the wrong PIN.");
	else if (status == JWT_E_KEY_LOCKED)
		detail = gettext_noop("It wants a passphrase or PIN that its URI does not bring.");
	else if (status == JWT_E_KEY_INVALID)
		detail = gettext_noop("Its private half does not sign what its public half, or the one that is stored, verifies.");
	if (detail == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("could not open private key at its URI"),
			 errdetail("%s", _(detail)),
			 errdetail_log("URI \"%s\": %s", jwtauth_shown(without_query(uri)), _(detail)),
			 errhint("Run \"openssl storeutl -noout -keys URI\" as the server's user.")));
}

static JwtStatus
try_open(JwtSlice uri, const JwtAlg *alg, MemoryContext context, JwtKey **key)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtAuthKeyOwner *owner = jwtauth_key_owner(context);
	JwtStatus	status = jwt_key_from_uri(uri, alg, &limits, key);

	jwtauth_key_own(owner, *key);
	return status;
}

JwtKey *
jwtauth_uri_open(JwtSlice uri, const JwtAlg *alg, MemoryContext context)
{
	JwtKeyLimits limits = jwtauth_key_limits();
	JwtKey	   *key;
	JwtStatus	status = try_open(uri, alg, context, &key);

	check_place(status, uri);
	if (status != JWT_OK)
		jwtauth_raise_key(status, &limits);
	return key;
}

/* Is the key that was opened the one whose public half is stored? */
static JwtStatus
compare_halves(const JwtKey *key, Jsonb *public_jwk)
{
	char		expected[JWT_THUMBPRINT_LEN];
	char		found[JWT_THUMBPRINT_LEN];
	JwtKey	   *half;
	JwtStatus	status;

	status = jwtauth_key_from_jwk(public_jwk, CurrentMemoryContext, &half);
	if (status == JWT_OK)
		status = jwt_key_thumbprint(half, expected);
	if (status == JWT_OK)
		status = jwt_key_thumbprint(key, found);
	if (status == JWT_OK &&
		memcmp(expected, found, JWT_THUMBPRINT_LEN) != 0)
		status = JWT_E_KEY_INVALID;
	return status;
}

JwtStatus
jwtauth_keystore_open_uri(text * uri, Jsonb *public_jwk, const JwtAlg *alg,
						  MemoryContext context, JwtKey **parsed)
{
	JwtSlice	place = {VARDATA(uri), VARSIZE(uri) - VARHDRSZ};
	MemoryContext opened;
	JwtKey	   *key;
	JwtStatus	status;

	/* Outlives this call only if it is the right one. */
	*parsed = NULL;
	opened = AllocSetContextCreate(CurrentMemoryContext, "jwt_auth key URI",
								   ALLOCSET_SMALL_SIZES);
	status = try_open(place, alg, opened, &key);
	if (status == JWT_OK)
		status = compare_halves(key, public_jwk);

	/* Of another type than it was: another key. */
	if (status == JWT_E_KEY_ALG)
		status = JWT_E_KEY_INVALID;
	check_place(status, place);
	if (status != JWT_OK)
	{
		MemoryContextDelete(opened);
		return status;
	}
	MemoryContextSetParent(opened, context);
	*parsed = key;
	return JWT_OK;
}
