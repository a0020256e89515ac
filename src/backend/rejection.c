/*-------------------------------------------------------------------------
 *
 * rejection.c
 *	  Refused tokens in the server's log: jwt_auth.log_rejected.
 *
 * A line holds nothing that a token says: no byte of it, no subject, no name
 * of a key.  Nor does it bring the statement along, in which the token may
 * stand.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "guc.h"
#include "lib/stringinfo.h"
#include "rejection.h"
#include "report.h"
#include "utils/timestamp.h"

/* Where there is no shared memory each backend has a line a second. */
static bool
may_log_here(int cause, TimestampTz now, uint64 *left_out)
{
	static TimestampTz logged_at[JWTAUTH_NUM_CAUSES];
	static uint64 waiting[JWTAUTH_NUM_CAUSES];

	if (logged_at[cause] != 0 && now - logged_at[cause] < USECS_PER_SEC)
	{
		waiting[cause]++;
		return false;
	}
	logged_at[cause] = now;
	*left_out = waiting[cause];
	waiting[cause] = 0;
	return true;
}

/* A sentence each, where there is something to say. */
static char *
detail_of(JwtSlice issuer, uint64 left_out)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (issuer.len > 0)
		appendStringInfo(&buf, _("Its issuer is \"%s\"."),
						 jwtauth_shown(issuer));
	if (issuer.len > 0 && left_out > 0)
		appendStringInfoChar(&buf, ' ');
	if (left_out > 0)
		appendStringInfo(&buf, _("%llu more of this cause were not logged."),
						 (unsigned long long) left_out);
	return buf.data;
}

void
jwtauth_rejection_log(int cause, const char *message, JwtSlice issuer)
{
	TimestampTz now;
	uint64		left_out = 0;

	if (!jwtauth_log_rejected)
		return;
	now = GetCurrentTimestamp();
	if (jwtauth_stats_attach() ?
		!jwtauth_stats_may_log(cause, now, &left_out) :
		!may_log_here(cause, now, &left_out))
		return;
	ereport(LOG_SERVER_ONLY,
			(errmsg(cause < JWTAUTH_NUM_CODES ? "token rejected: %s" :
					"refresh token rejected: %s", _(message)),
			 issuer.len > 0 || left_out > 0 ?
			 errdetail_internal("%s", detail_of(issuer, left_out)) : 0,
			 errhidestmt(true), errhidecontext(true)));
}
