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
#define MAX_LEEWAY_SECONDS "300 seconds"

#define DELETE_FROM(table, condition) \
	"DELETE FROM " table " WHERE ctid = ANY (ARRAY(" \
	"SELECT ctid FROM " table " o WHERE ctid >= $2 AND ctid < $3 AND " condition \
	" FOR UPDATE SKIP LOCKED))", \
	3, \
	{TIMESTAMPTZOID, TIDOID, TIDOID}

/* No token of it could be accepted any more. */
static JwtAuthStatement delete_sessions = {
	DELETE_FROM("%3$s", "access_expires_at + interval '" MAX_LEEWAY_SECONDS "' < $1"
				" AND (closed_at IS NOT NULL OR expires_at < $1 OR idle_expires_at < $1)")
};

static JwtAuthStatement delete_tokens = {
	DELETE_FROM("%4$s", "expires_at + interval '" MAX_LEEWAY_SECONDS "' < $1")
};

/* One of sessions ends with them; of the others the latest says it all. */
static JwtAuthStatement delete_cutoffs = {
	DELETE_FROM("%5$s", "(expires_at + interval '" MAX_LEEWAY_SECONDS "' < $1"
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
		Datum		values[3];

		CHECK_FOR_INTERRUPTS();
		ItemPointerSet(&from, page, 0);
		ItemPointerSet(&to, page + PAGES_AT_ONCE, 0);
		values[0] = TimestampTzGetDatum(before);
		values[1] = PointerGetDatum(&from);
		values[2] = PointerGetDatum(&to);
		deleted += (int64) jwtauth_execute(statement, values, NULL);
	}
	jwtauth_write_end();
	return deleted;
}

int64
jwtauth_purge(void)
{
	TimestampTz now = jwtauth_now();
	TimestampTz forgotten = TimestampTzPlusMilliseconds(now,
														-jwtauth_event_retention * (int64) 1000);

	jwtauth_event_record_news();
	return purge_table(JWTAUTH_SESSIONS, &delete_sessions, now) +
		purge_table(JWTAUTH_REVOKED_TOKENS, &delete_tokens, now) +
		purge_table(JWTAUTH_REVOKED_SUBJECTS, &delete_cutoffs, now) +
		purge_table(JWTAUTH_EVENTS, &delete_events, forgotten);
}
