/*-------------------------------------------------------------------------
 *
 * revocation.c
 *	  Has a token been taken back?
 *
 * All three tables are deny lists: a row refuses, no row does not, so that a
 * replica that lags behind does not refuse a new login.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base64url.h"
#include "catalog.h"
#include "catalog/pg_type.h"
#include "deny_filter.h"
#include "primitive.h"
#include "report.h"
#include "revocation.h"
#include "session_row.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define MAX_JTI 512				/* bytes; a longer one fits no index */

JwtSlice
jwtauth_token_revocation_id(const JwtAuthToken *token)
{
	const char *prefix = "sha256:";
	unsigned char hash[JWT_SHA256_LEN];
	char	   *text;
	JwtSlice	id;

	if (token->jti.len > 0 && token->jti.len <= MAX_JTI)
		return token->jti;
	jwtauth_check_machine(jwt_sha256(token->jws.signing_input, hash));
	text = palloc(strlen(prefix) + jwt_base64url_enc_len(sizeof(hash)));
	memcpy(text, prefix, strlen(prefix));
	id.data = text;
	id.len = strlen(prefix) + jwt_base64url_encode(hash, sizeof(hash),
												   text + strlen(prefix));
	return id;
}

/* Is that a session of ours, and if so, was it closed? */
static bool
session_exists(const pg_uuid_t *sid, bool *closed)
{
	const Oid	types[] = {UUIDOID};
	Datum		keys[] = {UUIDPGetDatum(sid)};
	JwtAuthScan *scan = jwtauth_scan_begin(JWTAUTH_SESSIONS, 1, keys, types);
	bool		found = jwtauth_scan_next(scan);
	bool		isnull = true;

	if (found)
		(void) jwtauth_scan_column(scan, JWTAUTH_SESSION_CLOSED_AT, &isnull);
	jwtauth_scan_end(scan);
	*closed = !isnull;
	return found;
}

static bool
row_exists(JwtAuthTable table, JwtSlice issuer, JwtSlice name,
		   TimestampTz *third_column)
{
	const Oid	types[] = {TEXTOID, TEXTOID};
	Datum		keys[2];
	JwtAuthScan *scan;
	bool		found;
	bool		isnull;

	if (jwtauth_table_is_empty(table) ||
		jwtauth_deny_filter_excludes(table, issuer, name))
		return false;
	keys[0] = jwtauth_text(issuer);
	keys[1] = jwtauth_text(name);
	scan = jwtauth_scan_begin(table, 2, keys, types);
	found = jwtauth_scan_next(scan);
	if (found)
		*third_column = DatumGetTimestampTz(jwtauth_scan_column(scan, 3, &isnull));
	else
		jwtauth_deny_filter_missed(table);
	jwtauth_scan_end(scan);
	return found;
}

bool
jwtauth_subject_cutoff(JwtSlice key_issuer, JwtSlice subject,
					   TimestampTz *cutoff)
{
	return row_exists(JWTAUTH_REVOKED_SUBJECTS, key_issuer, subject, cutoff);
}

/*
 * A token issued within the second of the cut-off may be of before it, when
 * its "iat" is a whole second; one with a fraction says which side it is on.
 */
static bool
is_cut_off(const JwtAuthToken *token, TimestampTz cutoff)
{
	int64		at = jwtauth_unix_us(cutoff);

	if (!token->times.iat.present)
		return true;
	if (token->times.iat.at % USECS_PER_SEC == 0)
		at -= at % USECS_PER_SEC;
	return token->times.iat.at <= at;
}

bool
jwtauth_is_revoked(const JwtAuthToken *token, JwtSlice key_issuer)
{
	TimestampTz at;
	bool		closed;

	if (!jwtauth_table_is_empty(JWTAUTH_REVOKED_TOKENS) &&
		row_exists(JWTAUTH_REVOKED_TOKENS, key_issuer,
				   jwtauth_token_revocation_id(token), &at))
		return true;

	/* Our own tokens of a session live and die with the session alone. */
	if (key_issuer.len == 0 && token->has_sid &&
		session_exists(&token->sid, &closed))
		return closed;

	return token->sub.data != NULL &&
		jwtauth_subject_cutoff(key_issuer, token->sub, &at) &&
		is_cut_off(token, at);
}
