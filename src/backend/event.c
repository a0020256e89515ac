/*-------------------------------------------------------------------------
 *
 * event.c
 *	  What happened: rows of jwt.event_store, and the bell for a replay.
 *
 * Events are for people who look after the server.  Nothing is judged by
 * them, so nobody is told of their change and losing them harms nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "compat.h"
#include "event.h"
#include "guc.h"
#include "miscadmin.h"
#include "stats.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static JwtAuthStatement insert_event = {
	"INSERT INTO %6$s (kind, issuer, kid, subject, sid, detail, session_user_name, at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, clock_timestamp()))",
	8,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID,
	TIMESTAMPTZOID}
};

static void
put(Datum *values, char *nulls, int i, JwtSlice text)
{
	nulls[i] = text.data == NULL ? 'n' : ' ';
	values[i] = text.data == NULL ? (Datum) 0 : jwtauth_text(text);
}

static void
insert(const JwtAuthEvent *event, Oid user, TimestampTz at)
{
	const char *name = OidIsValid(user) ? GetUserNameFromId(user, true) : NULL;
	JwtSlice	none = {NULL, 0};
	Datum		values[8];
	char		nulls[] = "        ";

	put(values, nulls, 0, jwt_slice_of(event->kind));
	put(values, nulls, 1, event->issuer.len > 0 ? event->issuer : none);
	put(values, nulls, 2, event->kid);
	put(values, nulls, 3, event->subject);
	values[4] = UUIDPGetDatum(event->sid);
	nulls[4] = event->sid == NULL ? 'n' : ' ';
	put(values, nulls, 5, event->detail ? jwt_slice_of(event->detail) : none);
	put(values, nulls, 6, name ? jwt_slice_of(name) : none);
	values[7] = TimestampTzGetDatum(at);
	nulls[7] = at == 0 ? 'n' : ' ';

	jwtauth_write_begin();
	(void) jwtauth_execute(&insert_event, values, nulls);
	jwtauth_write_end();
}

/*
 * A key is used again by whoever verifies a token, who may not write: the
 * statistics know of it, and it becomes a row at the next occasion.
 */
void
jwtauth_event_record_news(void)
{
	JwtAuthStatsRecord record;
	TimestampTz until = 0;

	if (!jwtauth_stats_has_news())
		return;
	for (int i = 0; jwtauth_stats_read(i, &record); i++)
	{
		JwtAuthEvent event = {0};

		if (record.name.database != MyDatabaseId || record.woke_at == 0)
			continue;
		event.kind = "key used again";
		event.issuer = jwt_slice_of(record.name.issuer);
		event.kid = jwt_slice_of(record.name.kid);
		event.detail = psprintf("last used at %s",
								timestamptz_to_str(record.rested_from));
		insert(&event, record.woke_by, record.woke_at);
		until = Max(until, record.woke_at);
	}
	if (until != 0)
		jwtauth_stats_tell(until);
}

void
jwtauth_event_record(const JwtAuthEvent *event)
{
	jwtauth_event_record_news();
	insert(event, GetSessionUserId(), 0);
}

void
jwtauth_event_record_key(const char *kind, JwtSlice issuer, JwtSlice kid,
						 const char *detail)
{
	JwtAuthEvent event = {0};

	event.kind = kind;
	event.issuer = issuer;
	event.kid = kid;
	event.detail = detail;
	jwtauth_event_record(&event);
}

/*
 * A bell that rings when the transaction commits.  NOTIFY at once would keep
 * the transaction from being prepared, and with it what the bell is about;
 * one that is prepared rings none.
 */
typedef struct Bell
{
	struct Bell *next;
	SubTransactionId subid;
	char	   *payload;
} Bell;

static Bell *bells = NULL;		/* in TopTransactionContext */

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
		for (Bell *bell = bells; bell != NULL; bell = bell->next)
			Async_Notify("jwt_auth", bell->payload);
	bells = NULL;
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	Bell	  **link = &bells;

	while (*link != NULL)
	{
		Bell	   *bell = *link;

		if (bell->subid == subid && event == SUBXACT_EVENT_COMMIT_SUB)
			bell->subid = parent;
		if (bell->subid == subid && event == SUBXACT_EVENT_ABORT_SUB)
			*link = bell->next;
		else
			link = &bell->next;
	}
}

void
jwtauth_event_notify(const char *kind, const pg_uuid_t *sid)
{
	static bool listening = false;
	char	   *sid_text = DatumGetCString(DirectFunctionCall1(uuid_out,
															   UUIDPGetDatum(sid)));
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Bell	   *bell = palloc(sizeof(Bell));

	if (!listening)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		RegisterSubXactCallback(at_subtransaction_end, NULL);
		listening = true;
	}
	bell->payload = psprintf("{\"event\":\"%s\",\"sid\":\"%s\"}", kind, sid_text);
	bell->subid = GetCurrentSubTransactionId();
	bell->next = bells;
	bells = bell;
	MemoryContextSwitchTo(old);
}
