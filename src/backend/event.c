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

#include "catalog.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "compat.h"
#include "event.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static JwtAuthStatement insert_event = {
	"INSERT INTO %6$s (kind, issuer, kid, subject, sid, detail, session_user_name)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)",
	7,
	{TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID}
};

static void
put(Datum *values, char *nulls, int i, JwtSlice text)
{
	nulls[i] = text.data == NULL ? 'n' : ' ';
	values[i] = text.data == NULL ? (Datum) 0 : jwtauth_text(text);
}

void
jwtauth_event_record(const JwtAuthEvent *event)
{
	const char *user = GetUserNameFromId(GetSessionUserId(), true);
	JwtSlice	none = {NULL, 0};
	Datum		values[7];
	char		nulls[] = "       ";

	put(values, nulls, 0, jwt_slice_of(event->kind));
	put(values, nulls, 1, event->issuer.len > 0 ? event->issuer : none);
	put(values, nulls, 2, event->kid);
	put(values, nulls, 3, event->subject);
	values[4] = UUIDPGetDatum(event->sid);
	nulls[4] = event->sid == NULL ? 'n' : ' ';
	put(values, nulls, 5, event->detail ? jwt_slice_of(event->detail) : none);
	put(values, nulls, 6, user ? jwt_slice_of(user) : none);

	jwtauth_write_begin();
	(void) jwtauth_execute(&insert_event, values, nulls);
	jwtauth_write_end();
}

void
jwtauth_event_notify(const char *kind, const pg_uuid_t *sid)
{
	char	   *sid_text = DatumGetCString(DirectFunctionCall1(uuid_out,
															   UUIDPGetDatum(sid)));

	Async_Notify("jwt_auth",
				 psprintf("{\"event\":\"%s\",\"sid\":\"%s\"}", kind, sid_text));
}
