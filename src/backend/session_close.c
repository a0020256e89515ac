/*-------------------------------------------------------------------------
 *
 * session_close.c
 *	  Sessions closed, tokens taken back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "compat.h"
#include "event.h"
#include "guc.h"
#include "json.h"
#include "lib/stringinfo.h"
#include "refresh_token.h"
#include "report.h"
#include "revocation.h"
#include "session.h"
#include "session_row.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "verifier.h"

/* One that is over its limits counts no more; its access tokens may. */
static JwtAuthStatement find_sessions = {
	"SELECT s.sid, l.is_open FROM %3$s s, LATERAL"
	" (SELECT least(s.idle_expires_at, s.expires_at) > clock_timestamp() AS is_open) l"
	" WHERE s.subject = $1 AND s.closed_at IS NULL AND (l.is_open OR $2)"
	" ORDER BY s.opened_at DESC, s.sid OFFSET $3",
	3,
	{TEXTOID, BOOLOID, INT4OID}
};

static JwtAuthStatement revoke_token = {
	"INSERT INTO %4$s (issuer, token_id, expires_at) VALUES ($1, $2, $3)"
	" ON CONFLICT (issuer, token_id) DO NOTHING",
	3,
	{TEXTOID, TEXTOID, TIMESTAMPTZOID}
};

static JwtAuthStatement revoke_subject = {
	"INSERT INTO %5$s AS r (issuer, subject, revoked_at) VALUES ($1, $2, $3)"
	" ON CONFLICT (issuer, subject) DO UPDATE"
	" SET revoked_at = greatest(r.revoked_at, excluded.revoked_at)",
	3,
	{TEXTOID, TEXTOID, TIMESTAMPTZOID}
};

typedef struct Found
{
	pg_uuid_t	sid;
	bool		is_open;
} Found;

/*
 * Sessions of a subject that were not closed, newest first, but for the first
 * few: those within their limits, or all.
 */
static int
find(JwtSlice subject, bool all, int skip, Found **found)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[3];
	int			count;
	bool		isnull;

	values[0] = jwtauth_text(subject);
	values[1] = BoolGetDatum(all);
	values[2] = Int32GetDatum(skip);
	jwtauth_write_begin();
	count = (int) jwtauth_execute(&find_sessions, values, NULL);
	*found = MemoryContextAlloc(context, Max(count, 1) * sizeof(Found));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		(*found)[i].sid = *DatumGetUUIDP(SPI_getbinval(row, desc, 1, &isnull));
		(*found)[i].is_open = DatumGetBool(SPI_getbinval(row, desc, 2, &isnull));
	}
	jwtauth_write_end();
	return count;
}

static int
compare_sids(const void *a, const void *b)
{
	return memcmp(&((const Found *) a)->sid, &((const Found *) b)->sid,
				  sizeof(pg_uuid_t));
}

/*
 * Locked in one order, so that two who close many do not deadlock.  Says how
 * many of them were open.
 */
static int
close_found(Found *found, int count, const char *why)
{
	int			closed = 0;

	qsort(found, count, sizeof(Found), compare_sids);
	for (int i = 0; i < count; i++)
		if (jwtauth_session_close(&found[i].sid, why) && found[i].is_open)
			closed++;
	return closed;
}

/*
 * Whoever signs in and whoever signs everybody out wait for one another: a
 * session that is just being opened must not slip through.
 */
static void
lock_subject(JwtSlice subject)
{
	LockDatabaseObject(jwtauth_table_oid(JWTAUTH_SESSIONS),
					   hash_bytes((const unsigned char *) subject.data,
								  subject.len),
					   1, ExclusiveLock);
}

int
jwtauth_sessions_close_all(JwtSlice subject, const char *why)
{
	Found	   *found;
	int			count;

	lock_subject(subject);
	count = find(subject, true, 0, &found);
	return close_found(found, count, why);
}

void
jwtauth_sessions_make_room(JwtSlice subject)
{
	Found	   *found;
	int			count;

	lock_subject(subject);
	if (jwtauth_max_sessions == 0)
		return;
	count = find(subject, false, jwtauth_max_sessions - 1, &found);
	close_found(found, count, "max_sessions");
}

static bool
revoke_refresh_token(JwtSlice text)
{
	JwtRefreshToken token;
	JwtAuthSession s;
	pg_uuid_t	sid;
	JwtStatus	status = JWT_E_SIGNATURE;

	if (jwt_refresh_token_decode(text, &token) != JWT_OK)
		return false;
	memcpy(sid.data, token.sid, UUID_LEN);
	if (jwtauth_session_read(&sid, &s))
		status = jwt_refresh_token_check(&token, s.tag_key);
	jwt_wipe(&token, sizeof(token));
	jwtauth_session_wipe(&s);
	jwtauth_check_machine(status);
	return status == JWT_OK && jwtauth_session_close(&sid, "revoked");
}

bool
jwtauth_revoke(JwtSlice text)
{
	JwtAuthToken token;
	const JwtAuthPolicy *policy;
	JwtAuthFault fault = {0};
	JwtAuthEvent event = {0};
	JwtAuthSession s;
	Datum		values[3];
	bool		revoked;

	if (text.len == 0)
		return false;
	if (memchr(text.data, '.', text.len) == NULL)
		return revoke_refresh_token(text);

	/* Expired or not, but genuine: nobody revokes by guessing. */
	if (jwtauth_verify_origin(text, &token, &policy, &fault) != JWT_OK)
		return false;
	if (policy->own && token.has_sid && jwtauth_session_read(&token.sid, &s))
	{
		jwtauth_session_wipe(&s);
		return jwtauth_session_close(&token.sid, "revoked");
	}

	values[0] = jwtauth_text(policy->key_issuer);
	values[1] = jwtauth_text(jwtauth_token_revocation_id(&token));
	values[2] = TimestampTzGetDatum(token.times.exp.present ?
									jwtauth_from_unix_us(token.times.exp.at) :
									DT_NOEND);
	jwtauth_write_begin();
	revoked = jwtauth_execute(&revoke_token, values, NULL) > 0;
	jwtauth_write_end();
	if (revoked)
	{
		event.kind = "token revoked";
		event.issuer = policy->key_issuer;
		event.subject = token.sub;
		jwtauth_event_record(&event);
	}
	return revoked;
}

int
jwtauth_revoke_subject(JwtSlice key_issuer, JwtSlice subject)
{
	JwtAuthEvent event = {0};
	Datum		values[3];

	lock_subject(subject);
	values[0] = jwtauth_text(key_issuer);
	values[1] = jwtauth_text(subject);
	values[2] = TimestampTzGetDatum(GetCurrentTimestamp());
	jwtauth_write_begin();
	jwtauth_need_rows(jwtauth_execute(&revoke_subject, values, NULL), 1);
	jwtauth_write_end();
	event.kind = "subject revoked";
	event.issuer = key_issuer;
	event.subject = subject;
	jwtauth_event_record(&event);
	return key_issuer.len == 0 ?
		jwtauth_sessions_close_all(subject, "subject revoked") : 0;
}
