/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  What can no longer matter is deleted.
 *
 * Each table is walked once, some pages at a time, so that neither a queue
 * of trigger events nor a list of rows grows with what there is to delete.
 * Rows that somebody works on are left for the next time: nobody waits for
 * a purge, and a purge waits for nobody.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog.h"
#include "catalog/pg_type.h"
#include "event.h"
#include "guc.h"
#include "miscadmin.h"
#include "purge.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define PAGES_AT_ONCE 256		/* 2 MB: some thousand rows */

/*
 * A token is accepted for at most this many seconds after it expired: no
 * leeway may be longer.
 */
#define MAX_LEEWAY 300

#define DELETE_FROM(table, condition) \
	"DELETE FROM " table " WHERE ctid = ANY (ARRAY(" \
	"SELECT ctid FROM " table " o WHERE ctid >= $2 AND ctid < $3 AND " condition \
	" FOR UPDATE SKIP LOCKED))", \
	4, \
	{TIMESTAMPTZOID, TIDOID, TIDOID, INT4OID}

/*
 * No token of it could be accepted any more.  One may have been handed out by
 * a refresh that was rolled back, until the session ended, so that the row
 * knows nothing of it: as long as the session's tokens ever lived, or live
 * now, it must be there to refuse it.
 */
static JwtAuthStatement delete_sessions = {
	DELETE_FROM("%3$s", "greatest(access_expires_at, least(expires_at,"
				" coalesce(closed_at, idle_expires_at)"
				" + make_interval(secs => greatest(access_lifetime, $4)))) < $1")
};

static JwtAuthStatement delete_tokens = {
	DELETE_FROM("%4$s", "expires_at < $1")
};

/* One of sessions ends with them; of the others the latest says it all. */
static JwtAuthStatement delete_cutoffs = {
	DELETE_FROM("%5$s", "(expires_at < $1"
				" OR closed_why IS NULL AND EXISTS (SELECT FROM %5$s n"
				" WHERE n.issuer = o.issuer AND n.subject = o.subject"
				" AND n.closed_why IS NULL AND n.revoked_at > o.revoked_at))")
};

static JwtAuthStatement delete_events = {
	DELETE_FROM("%6$s", "at < $1")
};

static BlockNumber
pages_of(JwtAuthTable table)
{
	Relation	rel = table_open(jwtauth_table_oid(table), AccessShareLock);
	BlockNumber pages = RelationGetNumberOfBlocks(rel);

	table_close(rel, AccessShareLock);
	return pages;
}

static int64
purge_table(JwtAuthTable table, JwtAuthStatement *statement, TimestampTz before)
{
	BlockNumber pages = pages_of(table);
	int64		deleted = 0;

	jwtauth_write_begin();
	for (BlockNumber page = 0; page < pages; page += PAGES_AT_ONCE)
	{
		ItemPointerData from;
		ItemPointerData to;
		Datum		values[4];

		CHECK_FOR_INTERRUPTS();
		ItemPointerSet(&from, page, 0);
		ItemPointerSet(&to, page + PAGES_AT_ONCE, 0);
		values[0] = TimestampTzGetDatum(before);
		values[1] = PointerGetDatum(&from);
		values[2] = PointerGetDatum(&to);
		values[3] = Int32GetDatum(jwtauth_access_token_lifetime);
		deleted += (int64) jwtauth_execute(statement, values, NULL);
	}
	jwtauth_write_end();
	return deleted;
}

static TimestampTz
seconds_before(TimestampTz at, int seconds)
{
	return TimestampTzPlusMilliseconds(at, -seconds * (int64) 1000);
}

int64
jwtauth_purge(void)
{
	TimestampTz now = jwtauth_now();
	TimestampTz expired = seconds_before(now, MAX_LEEWAY);

	jwtauth_event_record_news();
	return purge_table(JWTAUTH_SESSIONS, &delete_sessions, expired) +
		purge_table(JWTAUTH_REVOKED_TOKENS, &delete_tokens, expired) +
		purge_table(JWTAUTH_REVOKED_SUBJECTS, &delete_cutoffs, expired) +
		purge_table(JWTAUTH_EVENTS, &delete_events,
					seconds_before(now, jwtauth_event_retention));
}
