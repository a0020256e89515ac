/*-------------------------------------------------------------------------
 *
 * request.c
 *	  The token of an HTTP request, as PostgREST hands the request over.
 *
 * PostgREST keeps the request in settings: request.method is a word,
 * request.headers and request.cookies are JSON objects, header names in
 * lower case.  Whoever writes these settings themselves gains nothing: what
 * is found is a token, and it is verified like any other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "guc.h"
#include "json.h"
#include "request.h"
#include "utils/guc.h"

static void
refuse_request(const char *detail)
{
	ereport(ERROR,
			(errcode(MAKE_SQLSTATE('P', 'T', '4', '0', '1')),
			 errmsg("token of the request is refused"),
			 errdetail("28J00: %s", detail)));
}

/* A setting that holds a JSON object; NULL if it is unset or empty. */
static Jsonb *
request_object(const char *setting)
{
	const char *value = GetConfigOption(setting, true, false);
	Jsonb	   *object;

	if (value == NULL || value[0] == '\0')
		return NULL;
	if (jwtauth_json_parse_server(value, strlen(value), &object) != JWT_OK)
		refuse_request(_("Its headers or cookies are not a JSON object with distinct members."));
	return object;
}

static JwtSlice
member(Jsonb *object, const char *name)
{
	JwtSlice	none = {NULL, 0};

	return object == NULL ? none : jwtauth_json_string(object, name);
}

/* RFC 6750, Sec. 2.1; the scheme is compared without regard to case. */
static JwtSlice
after_bearer(JwtSlice value)
{
	const size_t scheme = strlen("Bearer ");
	JwtSlice	none = {NULL, 0};

	if (value.data == NULL || value.len <= scheme ||
		pg_strncasecmp(value.data, "Bearer ", scheme) != 0)
		return none;
	value.data += scheme;
	value.len -= scheme;
	while (value.len > 0 && value.data[0] == ' ')
	{
		value.data++;
		value.len--;
	}
	return value.len > 0 ? value : none;
}

/* The header that a setting names, with or without "Bearer". */
static JwtSlice
custom_header(Jsonb *headers)
{
	JwtSlice	value = {NULL, 0};
	JwtSlice	token;
	char	   *name;

	if (jwtauth_token_header == NULL || jwtauth_token_header[0] == '\0')
		return value;
	name = pstrdup(jwtauth_token_header);
	for (char *p = name; *p != '\0'; p++)
		*p = pg_ascii_tolower((unsigned char) *p);
	value = member(headers, name);
	if (value.len == 0)
		value.data = NULL;
	token = after_bearer(value);
	return token.data != NULL ? token : value;
}

static JwtSlice
cookie(void)
{
	JwtSlice	value = {NULL, 0};

	if (jwtauth_token_cookie == NULL || jwtauth_token_cookie[0] == '\0')
		return value;
	value = member(request_object("request.cookies"), jwtauth_token_cookie);
	if (value.len == 0)
		value.data = NULL;
	return value;
}

/*
 * A browser adds cookies to requests that other sites make it send.  Those
 * that change nothing may pass, because their answer is not shown to the
 * other site; for the rest the browser, or a header that no plain form can
 * send, must vouch for the origin.
 */
static bool
cookie_may_be_used(Jsonb *headers)
{
	const char *method = GetConfigOption("request.method", true, false);
	JwtSlice	site = member(headers, "sec-fetch-site");

	if (method != NULL &&
		(strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
		 strcmp(method, "OPTIONS") == 0))
		return true;
	if (site.data != NULL &&
		(jwt_slice_equal(site, jwt_slice_of("same-origin")) ||
		 jwt_slice_equal(site, jwt_slice_of("none"))))
		return true;
	return member(headers, "x-requested-with").data != NULL;
}

/* Two tokens in one request must be the same. */
static void
add_token(JwtSlice *token, JwtSlice found)
{
	if (found.data == NULL)
		return;
	if (token->data != NULL && !jwt_slice_equal(*token, found))
		refuse_request(_("The request brings two different tokens."));
	*token = found;
}

JwtSlice
jwtauth_request_token(void)
{
	Jsonb	   *headers = request_object("request.headers");
	JwtSlice	token = {NULL, 0};
	JwtSlice	from_cookie = cookie();

	add_token(&token, after_bearer(member(headers, "authorization")));
	add_token(&token, custom_header(headers));
	if (from_cookie.data != NULL && token.data == NULL &&
		!cookie_may_be_used(headers))
		refuse_request(_("Its token is in a cookie, and nothing vouches that the request comes from the own site (Sec-Fetch-Site or X-Requested-With)."));
	add_token(&token, from_cookie);
	return token;
}
