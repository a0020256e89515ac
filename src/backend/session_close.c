/*-------------------------------------------------------------------------
 *
 * session_close.c
 *	  Sessions closed, tokens taken back.
 *
 * Whoever refreshes or signs in holds what is theirs until their transaction
 * ends, and they may be the ones to be thrown out.  So nothing here waits for
 * them: a session whose row is held, or was not committed yet, is closed by a
 * row of jwt.revoked_subjects, which every reader asks.  Those rows are only
 * added, so that nobody waits for another's there either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog.h"
#include "catalog/pg_type.h"
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
#include "stats.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "verifier.h"

/*
 * One that is over its limits counts no more; its access tokens may.  What
 * was cut off is over, too.
 */
static JwtAuthStatement find_sessions = {
	"SELECT s.sid, s.expires_at, l.is_open FROM %3$s s, LATERAL"
	" (SELECT least(s.idle_expires_at, s.expires_at) > clock_timestamp() AS is_open) l"
	" WHERE s.subject = $1 AND s.closed_at IS NULL AND (l.is_open OR $2)"
	" AND NOT EXISTS (SELECT FROM %5$s r WHERE r.issuer = '' AND r.subject = $1"
	" AND (r.sid = s.sid OR r.sid IS NULL AND r.revoked_at >= s.opened_at))"
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

static JwtAuthStatement cut_off = {
	"INSERT INTO %5$s (issuer, subject, revoked_at, sid, closed_why, expires_at)"
	" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
	6,
	{TEXTOID, TEXTOID, TIMESTAMPTZOID, UUIDOID, TEXTOID, TIMESTAMPTZOID}
};

/* A session to be closed. */
typedef struct Target
{
	pg_uuid_t	sid;
	TimestampTz expires_at;
	bool		is_open;		/* within its limits */
} Target;

/*
 * Voids what belongs to a subject until now: all, or (with why) sessions, or
 * the one session.  Until they expire, or for good.
 */
static void
write_cutoff(JwtSlice key_issuer, JwtSlice subject, const pg_uuid_t *sid,
			 const char *why, TimestampTz expires_at)
{
	Datum		values[6];
	char		nulls[] = "      ";
	uint64		added = 0;

	values[0] = jwtauth_text(key_issuer);
	values[1] = jwtauth_text(subject);
	values[3] = UUIDPGetDatum(sid);
	nulls[3] = sid == NULL ? 'n' : ' ';
	values[4] = why == NULL ? (Datum) 0 : CStringGetTextDatum(why);
	values[5] = TimestampTzGetDatum(expires_at);
	nulls[4] = nulls[5] = why == NULL ? 'n' : ' ';

	/* Two of one subject in the same microsecond: the next one, then. */
	jwtauth_write_begin();
	for (int i = 0; added == 0 && i < 100; i++)
	{
		values[2] = TimestampTzGetDatum(GetCurrentTimestamp());
		added = jwtauth_execute(&cut_off, values, nulls);
	}
	jwtauth_need_rows(added, 1);
	jwtauth_write_end();
}

/* The session was open when it was read; until is jwtauth_session_close_row's. */
static bool
close_one(const Target *target, JwtSlice subject, const char *why,
		  TimestampTz until)
{
	JwtSlice	own = {"", 0};
	JwtAuthEvent event = {0};

	if (!jwtauth_session_try_lock(&target->sid))
		write_cutoff(own, subject, &target->sid, why,
					 Max(target->expires_at, until));
	else if (!jwtauth_session_close_row(&target->sid, why, until))
		return false;
	jwtauth_stats_session(JWTAUTH_SESSIONS_CLOSED);
	event.kind = "session closed";
	event.subject = subject;
	event.sid = &target->sid;
	event.detail = why;
	jwtauth_event_record(&event);
	return true;
}

static bool
close_if_open(const pg_uuid_t *sid, const char *why, TimestampTz until)
{
	JwtAuthSession s;
	Target		target = {*sid};
	bool		open = jwtauth_session_read(sid, &s) && !s.is_closed;

	jwtauth_session_wipe(&s);
	target.expires_at = s.expires_at;
	return open && close_one(&target, s.subject, why, until);
}

bool
jwtauth_session_close(const pg_uuid_t *sid, const char *why)
{
	return close_if_open(sid, why, DT_NOBEGIN);
}

/*
 * Sessions of a subject that are not over, newest first, but for the first
 * few: those within their limits, or all.
 */
static int
find(JwtSlice subject, bool all, int skip, Target **found)
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
	*found = MemoryContextAlloc(context, Max(count, 1) * sizeof(Target));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Target	   *target = &(*found)[i];

		target->sid = *DatumGetUUIDP(SPI_getbinval(row, desc, 1, &isnull));
		target->expires_at = DatumGetTimestampTz(SPI_getbinval(row, desc, 2, &isnull));
		target->is_open = DatumGetBool(SPI_getbinval(row, desc, 3, &isnull));
	}
	jwtauth_write_end();
	return count;
}

/* Says how many of them were open. */
static int
close_found(Target *found, int count, JwtSlice subject, const char *why)
{
	int			closed = 0;

	for (int i = 0; i < count; i++)
		if (close_one(&found[i], subject, why, DT_NOBEGIN) && found[i].is_open)
			closed++;
	return closed;
}

/*
 * Closes what there is.  False in *all if somebody is just signing the
 * subject in, whose session is not to be seen yet: it was opened before now.
 */
static int
close_all(JwtSlice subject, const char *why, bool *all)
{
	Target	   *found;
	int			count;

	*all = jwtauth_subject_try_lock(subject);
	count = find(subject, true, 0, &found);
	return close_found(found, count, subject, why);
}

int
jwtauth_sessions_close_all(JwtSlice subject, const char *why)
{
	JwtSlice	own = {"", 0};
	bool		all;
	int			closed = close_all(subject, why, &all);

	/* Until the last of them is over, whatever lifetime whoever opens it has. */
	if (!all)
		write_cutoff(own, subject, NULL, why,
					 TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												 JWTAUTH_MAX_SESSION_LIFETIME * (int64) 1000));
	return closed;
}

void
jwtauth_sessions_make_room(JwtSlice subject)
{
	Target	   *found;
	int			count;

	/* Two logins at once must not both find room for one. */
	jwtauth_subject_lock(subject, jwtauth_max_sessions > 0);
	if (jwtauth_max_sessions == 0)
		return;
	count = find(subject, false, jwtauth_max_sessions - 1, &found);
	close_found(found, count, subject, "max_sessions");
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
	TimestampTz expires_at;
	Datum		values[3];
	JwtStatus	status;
	bool		revoked;

	if (text.len == 0)
		return false;
	if (memchr(text.data, '.', text.len) == NULL)
		return revoke_refresh_token(text);

	/* Expired or not, but genuine: nobody revokes by guessing. */
	status = jwtauth_verify_origin(text, &token, &policy, &fault);
	if (status != JWT_OK)
	{
		/* Not "there was nothing to revoke", if it cannot be known. */
		jwtauth_check_machine(status);
		return false;
	}
	/* One of ours without "exp" is good for nothing anyway. */
	expires_at = token.times.exp.present ?
		jwtauth_from_unix_us(token.times.exp.at) :
		policy->own ? DT_NOBEGIN : DT_NOEND;
	if (policy->own && token.has_sid && jwtauth_session_read(&token.sid, &s))
	{
		jwtauth_session_wipe(&s);
		if (close_if_open(&token.sid, "revoked", expires_at))
			return true;

		/* Over before; its row may go before a token that sign() made. */
		if (expires_at <= s.access_expires_at)
			return false;
	}

	values[0] = jwtauth_text(policy->key_issuer);
	values[1] = jwtauth_text(jwtauth_token_revocation_id(&token));
	values[2] = TimestampTzGetDatum(expires_at);
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
	int			closed = 0;
	bool		all;

	event.kind = "subject revoked";
	event.issuer = key_issuer;
	event.subject = subject;
	jwtauth_event_record(&event);
	if (key_issuer.len == 0)
		closed = close_all(subject, "subject revoked", &all);
	write_cutoff(key_issuer, subject, NULL, NULL, 0);
	return closed;
}
