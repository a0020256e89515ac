/*-------------------------------------------------------------------------
 *
 * revocation.c
 *	  Has a token been taken back?
 *
 * All three tables are deny lists: a row refuses, no row does not, so that a
 * replica that lags behind does not refuse a new login.
 *
 * A session is closed in its row, or, while somebody holds that row, by a
 * cut-off: closing waits for nobody (session_close.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "base64url.h"
#include "catalog.h"
#include "catalog/pg_type.h"
#include "deny_filter.h"
#include "primitive.h"
#include "report.h"
#include "revocation.h"
#include "session_row.h"
#include "tcop/pquery.h"
#include "utils/snapmgr.h"
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

/* Columns of jwt.revoked_subjects behind its key */
#define CUTOFF_REVOKED_AT 3
#define CUTOFF_SID 4
#define CUTOFF_CLOSED_WHY 5

/* A list is looked into only if it may have a row of that name. */
static JwtAuthScan *
scan_list(JwtAuthTable table, JwtSlice issuer, JwtSlice name)
{
	const Oid	types[] = {TEXTOID, TEXTOID};
	Datum		keys[2];

	if (jwtauth_table_is_empty(table) ||
		jwtauth_deny_filter_excludes(table, issuer, name))
		return NULL;
	keys[0] = jwtauth_text(issuer);
	keys[1] = jwtauth_text(name);
	return jwtauth_scan_begin(table, 2, keys, types);
}

static bool
is_listed(JwtSlice issuer, JwtSlice token_id)
{
	JwtAuthScan *scan = scan_list(JWTAUTH_REVOKED_TOKENS, issuer, token_id);
	bool		found;

	if (scan == NULL)
		return false;
	found = jwtauth_scan_next(scan);
	if (!found)
		jwtauth_deny_filter_missed(JWTAUTH_REVOKED_TOKENS);
	jwtauth_scan_end(scan);
	return found;
}

static bool
is_hidden(TransactionId xid, Snapshot snapshot)
{
	return snapshot != InvalidSnapshot &&
		snapshot->snapshot_type == SNAPSHOT_MVCC &&
		XidInMVCCSnapshot(xid, snapshot);
}

/*
 * Was that transaction not over yet for the statement that calls us, or for
 * the client's statement around it?
 */
static bool
is_unseen(TransactionId xid)
{
	QueryDesc  *query = ActivePortal ? ActivePortal->queryDesc : NULL;

	return is_hidden(xid, ActiveSnapshotSet() ? GetActiveSnapshot() : InvalidSnapshot) ||
		is_hidden(xid, query ? query->snapshot : InvalidSnapshot);
}

/* One row of the list: a moment, for all, for sessions, or for one of them. */
static void
take_cutoff(JwtAuthScan *scan, const pg_uuid_t *sid, JwtAuthCutoff *cutoff)
{
	bool		isnull;
	TimestampTz at = DatumGetTimestampTz(jwtauth_scan_column(scan, CUTOFF_REVOKED_AT, &isnull));
	Datum		named = jwtauth_scan_column(scan, CUTOFF_SID, &isnull);

	if (!isnull)
	{
		if (sid != NULL && memcmp(DatumGetUUIDP(named), sid, UUID_LEN) == 0)
			cutoff->sessions = DT_NOEND;
		return;
	}
	cutoff->sessions = Max(cutoff->sessions, at);
	if (TransactionIdIsCurrentTransactionId(jwtauth_scan_writer(scan)))
		cutoff->own = Max(cutoff->own, at);
	else if (is_unseen(jwtauth_scan_writer(scan)))
		cutoff->unseen = true;
	(void) jwtauth_scan_column(scan, CUTOFF_CLOSED_WHY, &isnull);
	if (isnull)
		cutoff->tokens = Max(cutoff->tokens, at);
}

JwtAuthCutoff
jwtauth_subject_cutoff(JwtSlice key_issuer, JwtSlice subject,
					   const pg_uuid_t *sid)
{
	JwtAuthCutoff cutoff = {DT_NOBEGIN, DT_NOBEGIN, DT_NOBEGIN, false};
	JwtAuthScan *scan = scan_list(JWTAUTH_REVOKED_SUBJECTS, key_issuer, subject);
	int			count = 0;

	if (scan == NULL)
		return cutoff;
	for (; jwtauth_scan_next(scan); count++)
		take_cutoff(scan, sid, &cutoff);
	if (count == 0)
		jwtauth_deny_filter_missed(JWTAUTH_REVOKED_SUBJECTS);
	jwtauth_scan_end(scan);
	return cutoff;
}

TimestampTz
jwtauth_issued_at(const JwtAuthCutoff *cutoff, TimestampTz now)
{
	if (cutoff->unseen)
		return cutoff->sessions;
	return cutoff->own < now ? now : cutoff->own + 1;
}

bool
jwtauth_session_is_cut_off(JwtSlice subject, const pg_uuid_t *sid,
						   TimestampTz opened_at)
{
	JwtSlice	own = {"", 0};

	return opened_at <= jwtauth_subject_cutoff(own, subject, sid).sessions;
}

/* Is that a session of ours, and if so, is it over? */
static bool
session_exists(const pg_uuid_t *sid, bool *over)
{
	const Oid	types[] = {UUIDOID};
	Datum		keys[] = {UUIDPGetDatum(sid)};
	JwtAuthScan *scan = jwtauth_scan_begin(JWTAUTH_SESSIONS, 1, keys, types);
	bool		found = jwtauth_scan_next(scan);
	bool		isnull = true;
	JwtSlice	subject = {NULL, 0};
	TimestampTz opened_at = 0;

	if (found)
		(void) jwtauth_scan_column(scan, JWTAUTH_SESSION_CLOSED_AT, &isnull);
	*over = !isnull;
	if (found && !*over && !jwtauth_table_is_empty(JWTAUTH_REVOKED_SUBJECTS))
	{
		subject = jwtauth_text_slice(jwtauth_scan_column(scan, JWTAUTH_SESSION_SUBJECT, &isnull));
		opened_at = DatumGetTimestampTz(jwtauth_scan_column(scan, JWTAUTH_SESSION_OPENED_AT, &isnull));
	}
	jwtauth_scan_end(scan);
	if (subject.data != NULL)
		*over = jwtauth_session_is_cut_off(subject, sid, opened_at);
	return found;
}

/*
 * A token issued within the second of the cut-off may be of before it, when
 * its "iat" is a whole second; one with a fraction says which side it is on.
 */
static bool
is_cut_off(const JwtAuthToken *token, TimestampTz cutoff)
{
	int64		at = jwtauth_unix_us(cutoff);

	if (cutoff == DT_NOBEGIN)
		return false;
	if (!token->times.iat.present)
		return true;
	if (token->times.iat.at % USECS_PER_SEC == 0)
		at -= at % USECS_PER_SEC;
	return token->times.iat.at <= at;
}

bool
jwtauth_is_revoked(const JwtAuthToken *token, JwtSlice key_issuer)
{
	JwtAuthCutoff cutoff;
	bool		over;

	if (!jwtauth_table_is_empty(JWTAUTH_REVOKED_TOKENS) &&
		is_listed(key_issuer, jwtauth_token_revocation_id(token)))
		return true;

	/* Our own tokens of a session live and die with the session alone. */
	if (key_issuer.len == 0 && token->has_sid &&
		session_exists(&token->sid, &over))
		return over;

	/*
	 * Its session may be one that is not committed yet, has not arrived here,
	 * or was purged: then what ended it ends the token.
	 */
	if (token->sub.data == NULL)
		return false;
	cutoff = jwtauth_subject_cutoff(key_issuer, token->sub,
									token->has_sid ? &token->sid : NULL);
	return is_cut_off(token, token->has_sid ? cutoff.sessions : cutoff.tokens);
}
